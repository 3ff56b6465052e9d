"""What senders tell that no CRM needs, by their own names of the events: stored, answered with 200, not delivered.

What is in neither such a list nor among a source's handlers is unknown, and parked for a person to see. The lists
are from the documents that the sources' own files name.
"""

from __future__ import annotations

BIGCOMMERCE = frozenset(
    """
    store/app/uninstalled store/order/archived store/order/message/created store/order/transaction/created
    store/order/transaction/updated store/cart/abandoned store/cart/converted store/cart/couponApplied
    store/cart/created store/cart/deleted store/cart/updated store/customer/created store/customer/deleted
    store/customer/updated store/information/updated store/product/created store/product/deleted
    store/product/inventory/updated store/product/updated store/shipment/created store/shipment/deleted
    store/shipment/updated store/subscriber/created store/subscriber/deleted store/subscriber/updated
    """.split()
)


CRISP = frozenset(
    """
    message:acknowledge:delivered message:acknowledge:ignored message:acknowledge:read:received
    message:acknowledge:read:send message:compose:receive message:compose:send message:notify:unread:receive
    message:notify:unread:send message:removed message:updated
    people:bind:session people:profile:created people:profile:removed people:profile:updated
    people:sync:profile session:error session:removed session:request:initiated session:set_address
    session:set_avatar session:set_block session:set_data session:set_device session:set_email
    session:set_hold session:set_inbox session:set_mentions session:set_nickname session:set_opened
    session:set_participants session:set_phone session:set_referrer session:set_routing session:set_segments
    session:set_subject session:set_verify session:sync:capabilities session:sync:events session:sync:geolocation
    session:sync:locales session:sync:network session:sync:pages session:sync:rating session:sync:system
    session:sync:topic session:sync:verify
    """.split()
)


INTERCOM = frozenset(
    """
    ping
    admin.away_mode.updated company.contact.attached company.contact.detached company.created company.deleted
    company.updated contact.archive contact.archived contact.attached_to_company contact.deleted
    contact.email.updated
    contact.lead.signed_up contact.lead.tag.created contact.lead.tag.deleted contact.merged
    contact.subscribed contact.unsubscribed contact.user.created contact.user.tag.created
    contact.user.tag.deleted contact.user.updated
    conversation.admin.assigned conversation.admin.noted conversation.admin.single.created
    conversation.admin.snoozed conversation.admin.unsnoozed conversation.contact.attached
    conversation.contact.detached conversation.deleted conversation.priority.updated
    conversation.rating.added conversation.rating.changed conversation.read
    conversation_part.redacted conversation_part.tag.created
    ticket.admin.assigned ticket.attribute.updated ticket.closed ticket.contact.attached
    ticket.contact.detached ticket.note.created ticket.rating.provided ticket.team.assigned
    """.split()
)


MERCADO_LIBRE = frozenset(
    """
    catalog_item_competition_status catalog_suggestions fbm_stock_operations invoices item_competition items
    items_prices leads-credits messages orders_feedback payments pictures price_suggestion public_candidates
    public_offers quotations shipments stock-locations user-products-families vis_leads
    """.split()
)
STRIPE = frozenset(
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


TIENDANUBE = frozenset(
    """
    app/resumed app/suspended app/uninstalled category/created category/deleted category/updated
    customer/created customer/deleted customer/updated customers/data_request customers/redact domain/updated
    order/fulfilled order/packed order/unpacked
    product/created product/deleted product/updated store/redact theme/updated
    """.split()
)


#: Events that change nothing which a CRM is told.
ZENDESK = frozenset(
    f"ticket.{change}"
    for change in """
    agent_assignment_changed attachment_linked_to_comment attachment_redacted_from_comment brand_changed
    ccs_changed comment_made_private comment_redacted custom_field_changed custom_status_changed
    description_changed external_id_changed followers_changed form_changed group_assignment_changed
    marked_as_spam merged organization_changed permanently_deleted problem_link_changed requester_changed
    schedule_changed soft_deleted submitter_changed tags_changed task_due_at_changed ticket_form_changed
    ticket_type_changed type_changed undeleted
    """.split()
)
