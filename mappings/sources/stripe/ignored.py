"""What Stripe tells that no CRM needs: stored, answered with 200, not delivered.

From the documents that the `__init__.py` beside it names.
"""

from __future__ import annotations

IGNORED = frozenset(
    """
    balance.available charge.captured charge.dispute.created charge.failed charge.pending charge.refunded
    charge.refund.updated charge.succeeded charge.updated checkout.session.expired customer.created
    customer.deleted customer.updated
    customer.subscription.created customer.subscription.deleted customer.subscription.updated
    customer.subscription.trial_will_end invoice.created invoice.finalized invoice.payment_action_required
    invoice.payment_succeeded invoice.sent invoice.upcoming invoice.updated invoice.voided invoice_payment.paid
    invoiceitem.created mandate.updated payment_intent.amount_capturable_updated payment_intent.canceled
    payment_intent.created payment_intent.payment_failed payment_intent.processing
    payment_intent.requires_action payment_intent.succeeded payment_link.created payment_method.attached
    payment_method.updated payout.created payout.paid plan.created price.created product.created product.updated
    refund.created refund.failed refund.updated
    setup_intent.created setup_intent.succeeded
    """.split()
)
