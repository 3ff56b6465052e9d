"""Stripe. Special: minor units, lines that are not in the event, and two events that tell of one sale.

Facts: docs.stripe.com, "Receive Stripe events", "The Checkout Session object", "The Invoice object",
"Fulfill orders". A checkout that makes an invoice (each subscription does) is known by the invoice, so that it
and invoice.paid are one order. Events come in any order; all states of one thing are told apart by `created`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mappings import ignored_events
from mappings.protection import FIVE_MINUTES, Hmac
from mappings.reading.bodies import read_object
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.stripe.orders import record_checkout, record_invoice
from mappings.sources.stripe.payload import id_of, object_of

#: What is handled, with the rank of what it tells among events of the same second.
RANKS = {
    "checkout.session.completed": 0,
    "invoice.payment_failed": 1,
    "checkout.session.async_payment_failed": 2,
    "checkout.session.async_payment_succeeded": 3,
    "invoice.paid": 4,
}


def name_event(arrival: Arrival) -> Naming:
    """Name an event by its id, which every attempt repeats, and what it is about by the invoice or checkout."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    about, created = object_of(payload), payload.get("created")
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
    about, page = object_of(event.payload), {"limit": "100"}
    id_ = id_of(about.get("id"))
    if not re.fullmatch(r"(cs|in)_\w{1,200}", id_, re.ASCII):
        return
    if event.type.startswith("checkout.session.") and about.get("mode") != "setup":
        yield Fetch("line_items", f"v1/checkout/sessions/{id_}/line_items", page)
    elif event.type in RANKS and isinstance(about.get("lines"), Mapping) and about["lines"].get("has_more"):
        yield Fetch("lines", f"v1/invoices/{id_}/lines", page)


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
    ignored=ignored_events.STRIPE,
    api=SenderApi("https://api.stripe.com"),
    varies=frozenset({"pending_webhooks"}),  # how many end points have not taken it yet
    fetches=fetches,
    options={"default_region": str},
)
