"""Stripe. Special: minor units, lines that are not in the event, and two events that tell of one sale.

Facts: docs.stripe.com, "Receive Stripe events", "The Checkout Session object", "The Invoice object",
"Fulfill orders". A checkout that makes an invoice (each subscription does) is known by the invoice, so that it
and invoice.paid are one order. Events come in any order; all states of one thing are told apart by `created`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.bodies import read_object
from mappings.commands import OrderStatus, RecordOrder
from mappings.errors import CannotMap
from mappings.order_totals import NOTHING
from mappings.payloads import Payload, load
from mappings.protection import FIVE_MINUTES, Hmac
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.stripe_orders import invoice_line_of, metadata_of, net_shipping, order_of, session_line_of
from mappings.stripe_payload import Invoice, InvoiceLines, Session, SessionLines, id_of, person_of

#: What is handled, with the rank of what it tells among events of the same second.
RANKS = {
    "checkout.session.completed": 0,
    "invoice.payment_failed": 1,
    "checkout.session.async_payment_failed": 2,
    "checkout.session.async_payment_succeeded": 3,
    "invoice.paid": 4,
}
#: `payment_status` of a checkout. An unpaid one waits for a bank: async_payment_succeeded or _failed follows.
PAYMENTS = {"paid": OrderStatus.PAID, "no_payment_required": OrderStatus.PAID}
IGNORED = frozenset(
    """
    balance.available charge.captured charge.dispute.created charge.failed charge.pending charge.refunded
    charge.succeeded charge.updated checkout.session.expired customer.created customer.deleted customer.updated
    customer.subscription.created customer.subscription.deleted customer.subscription.updated
    customer.subscription.trial_will_end invoice.created invoice.finalized invoice.payment_action_required
    invoice.payment_succeeded invoice.sent invoice.upcoming invoice.updated invoice.voided invoice_payment.paid
    invoiceitem.created mandate.updated payment_intent.amount_capturable_updated payment_intent.canceled
    payment_intent.created payment_intent.payment_failed payment_intent.processing
    payment_intent.requires_action payment_intent.succeeded payment_link.created payment_method.attached
    payment_method.updated payout.created payout.paid plan.created price.created product.created product.updated
    setup_intent.created setup_intent.succeeded
    """.split()
)


def _object(payload: Any) -> Mapping[str, Any]:
    data = payload.get("data") if isinstance(payload, Mapping) else None
    found = data.get("object") if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def name_event(arrival: Arrival) -> Naming:
    """Name an event by its id, which every attempt repeats, and what it is about by the invoice or checkout."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    about, created = _object(payload), payload.get("created")
    type_ = id_of(payload.get("type"))
    id_ = id_of(about.get("id"))
    if type_.startswith("checkout.session.") and id_of(about.get("invoice")):
        id_ = id_of(about.get("invoice"))
    has_version = type(created) is int and 0 <= created < 10**12 and type_ in RANKS
    return Naming(
        type=type_ or "unknown",
        dedup_key=id_of(payload.get("id")) or arrival.body_digest,
        entity=f"order-{id_}" if type_ in RANKS and re.fullmatch(r"\w{1,200}", id_) else None,
        # An invoice knows more than the checkout that made it, which comes a second later or earlier.
        version=f"{type_.startswith('invoice.'):d}-{created:012d}-{RANKS[type_]}" if has_version else None,
        test=payload.get("livemode") is False,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the lines: a checkout never has them, an invoice only the first ones. 100 are the most there are."""
    about, page = _object(event.payload), {"limit": "100"}
    id_ = id_of(about.get("id"))
    if not re.fullmatch(r"(cs|in)_\w{1,200}", id_, re.ASCII):
        return
    if event.type.startswith("checkout.session.") and about.get("mode") != "setup":
        yield Fetch("line_items", f"v1/checkout/sessions/{id_}/line_items", page)
    elif event.type in RANKS and isinstance(about.get("lines"), Mapping) and about["lines"].get("has_more"):
        yield Fetch("lines", f"v1/invoices/{id_}/lines", page)


def _page(schema: type[Payload], event: Event, name: str) -> list[dict[str, Any]]:
    page = load(schema, event.fetched.get(name), name)
    if page["has_more"]:
        raise CannotMap(f"{name}.has_more", "there are more than 100 lines, which no order of ours can hold")
    found: list[dict[str, Any]] = page["data"]
    return found


def record_checkout(event: Event) -> Iterable[RecordOrder]:
    """Turn a checkout into an order; one that only keeps a card for later (mode `setup`) asks for nothing.

    Raises CannotMap with the path of what is missing or garbled, in the event or in the fetched lines.
    """
    session = load(Session, _object(event.payload), "data.object")
    if session["mode"] == "setup":
        return
    for name in ("currency", "amount_total"):
        if session[name] in ("", None):
            raise CannotMap(f"data.object.{name}", "is missing in a checkout that asks for money")
    currency = session["currency"]
    lines = [session_line_of(line, currency) for line in _page(SessionLines, event, "line_items")]
    failed = event.type == "checkout.session.async_payment_failed"
    details = session["customer_details"]
    details["email"] = details["email"] or session["customer_email"]
    customer = person_of(details, session["collected_information"]["business_name"], session["locale"])
    yield order_of(
        event,
        currency,
        lines,
        number=id_of(session["invoice"]) or id_of(session["payment_intent"]) or session["id"],
        status=OrderStatus.CANCELLED if failed else PAYMENTS.get(session["payment_status"], OrderStatus.OPEN),
        customer=customer,
        total=session["amount_total"],
        tax=session["total_details"]["amount_tax"],
        shipping=net_shipping(session["shipping_cost"], session["total_details"]["amount_shipping"]),
        discount=session["total_details"]["amount_discount"],
        placed_at=session["created"],
        reason="payment failed" if failed else "",
        attributes=_attributes(session),
    )


def _attributes(session: dict[str, Any]) -> dict[str, str]:
    sent_to = session["collected_information"]["shipping_details"]
    sent_to = sent_to if sent_to["address"]["line1"] else session["shipping_details"]
    return {
        "checkout_session": session["id"],
        "client_reference_id": session["client_reference_id"],
        "payment_link": id_of(session["payment_link"]),
        "promotions_consent": session["consent"]["promotions"],
        "shipping_name": sent_to["name"],
        "shipping_address": ", ".join(filter(None, sent_to["address"].values())),
        **metadata_of(session),
    }


def record_invoice(event: Event) -> Iterable[RecordOrder]:
    """Turn an invoice into an order: paid, or open where the payment failed, which Stripe may try again."""
    invoice = load(Invoice, _object(event.payload), "data.object")
    lines = invoice["lines"]["data"]
    if invoice["lines"]["has_more"]:
        lines = _page(InvoiceLines, event, "lines")
    taxes = sum((tax["amount"] for tax in invoice["total_taxes"] or invoice["total_tax_amounts"]), NOTHING)
    failed = event.type == "invoice.payment_failed"
    customer = person_of(
        {name: invoice[f"customer_{name}"] for name in ("name", "email", "phone", "address")}
    )
    yield order_of(
        event,
        invoice["currency"],
        [invoice_line_of(line, invoice["currency"]) for line in lines],
        number=invoice["number"] or invoice["id"],
        status=OrderStatus.OPEN if failed else OrderStatus.PAID,
        customer=customer,
        total=invoice["total"],
        tax=taxes if invoice["tax"] is None else invoice["tax"],
        shipping=net_shipping(invoice["shipping_cost"], NOTHING),
        discount=sum((each["amount"] for each in invoice["total_discount_amounts"]), NOTHING),
        placed_at=invoice["created"],
        reason="payment failed" if failed else "",
        attributes={
            "billing_reason": invoice["billing_reason"],
            "invoice_url": invoice["hosted_invoice_url"],
            "payment_attempts": invoice["attempt_count"] if failed else "",
            **metadata_of(invoice),
        },
    )


SOURCE = Source(
    type="stripe",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={type_: record_checkout if type_.startswith("checkout.") else record_invoice for type_ in RANKS},
    signatures=(
        Hmac(
            "stripe-signature",
            encoding="hex",
            signed="{ts}.{body}",
            parted_by=",",
            signature_name="v1",
            timestamp_name="t",
            tolerance=FIVE_MINUTES,
        ),
    ),
    ignored=IGNORED,
    api=SenderApi("https://api.stripe.com"),
    fetches=fetches,
)
