"""Mercado Libre. Special: nothing is signed, and a notification says no more than where to look.

So what is posted is a hint and nothing else: only the number in `resource` is taken from it, and all that a CRM is
told is read with the seller's own token. Facts: developers.mercadolibre.com, "Receive notifications" (the body, the
topics, an hour of retries), "Orders", "Manage questions and answers" and "Work with claims".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import wraps
from typing import Any

from mappings import ignored_events
from mappings.errors import CannotMap
from mappings.reading.bodies import read_object
from mappings.reading.event_ids import a_number, an_id, at
from mappings.reading.payloads import sortable
from mappings.source import Arrival, Event, Fetch, Handler, Naming, Renewal, SenderApi, Source
from mappings.sources.mercado_libre.orders import record_order
from mappings.sources.mercado_libre.tickets import open_claim, open_question

#: By topic: what it is about, and how its resource looks. Claims had a topic of their own before post_purchase.
RESOURCES = {
    "orders_v2": ("order", r"/orders/([0-9]{1,20})"),
    "questions": ("question", r"/questions/([0-9]{1,20})"),
    "claims": ("claim", r"(?:/post-purchase)?/v1/claims/([0-9]{1,20})"),
    "post_purchase": ("claim", r"/post-purchase/v1/claims/([0-9]{1,20})(?:/.*)?"),
}
#: Where each of them is read; a question names who asked only in version 4 of its interface.
PATHS = {"order": "orders", "question": "questions", "claim": "post-purchase/v1/claims"}

#: "Authentication and authorization": a token lasts six hours, a refresh token is good for one use and six months.
RENEWAL = Renewal("{api}/oauth/token", "refresh_token", timedelta(hours=6))


def name_event(arrival: Arrival) -> Naming:
    """Name a notification by its id, else by what it is about and when it was sent; versions are that time.

    What is read for a later notification is at least as new as it, so that earlier ones may be superseded.
    """
    payload = arrival.payload
    topic, sent = an_id(at(payload, "topic")) or "unknown", an_id(at(payload, "sent"))
    kind, number = _about(topic, payload)
    known = f"{kind}-{number}:{sent}" if number and sent else arrival.body_digest
    return Naming(
        type=topic,
        dedup_key=f"{topic}:{an_id(at(payload, '_id')) or known}",
        entity=f"{kind}-{number}" if number else None,
        version=sortable(sent),
    )


def _about(topic: str, payload: Any) -> tuple[str, str]:
    kind, shape = RESOURCES.get(topic, ("", ""))
    found = re.fullmatch(shape, an_id(at(payload, "resource")), re.ASCII)
    return kind, found[1] if found and kind else ""


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for what the resource names, as it stands now; for one that is none, for nothing."""
    kind, number = _about(event.type, event.payload)
    if number and _is_ours(event):
        yield Fetch(kind, f"{PATHS[kind]}/{number}", {"api_version": "4"} if kind == "question" else {})


def _is_ours(event: Event) -> bool:
    seller = event.options.get("seller_id")
    return not seller or a_number(at(event.payload, "user_id")) == seller


def _checked(handler: Handler) -> Handler:
    """Return `handler` for notifications that name one of our seller's things; raises CannotMap for others."""

    @wraps(handler)  # its signature says which commands it makes
    def handle(event: Event) -> Iterable[Any]:
        if not _is_ours(event):
            raise CannotMap("user_id", f"is not {event.options['seller_id']}, the seller whose token is used")
        if not _about(event.type, event.payload)[1]:
            raise CannotMap("resource", f"is not the address of what {event.type} are about")
        return handler(event)

    return handle


SOURCE = Source(
    type="mercado_libre",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={
        "orders_v2": _checked(record_order),
        "questions": _checked(open_question),
        "claims": _checked(open_claim),
        "post_purchase": _checked(open_claim),
    },
    ignored=ignored_events.MERCADO_LIBRE,
    api=SenderApi("https://api.mercadolibre.com", renewal=RENEWAL),
    varies=frozenset({"attempts", "sent", "received"}),
    fetches=fetches,
    options={"seller_id": str, "default_region": str},
)
