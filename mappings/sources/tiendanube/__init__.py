"""Tiendanube, in Brazil Nuvemshop. Special: three fields and no number of the delivery, so each is read afresh.

Facts: tiendanube.github.io/api-documentation, "Webhook" ({store_id, event, id}; x-linkedstore-hmac-sha256 is hex,
its key the app's client secret), "Order", and "Getting started" for `Authentication: bearer` and for the
User-Agent that names an app and an address to write to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from mappings.protection import Hmac
from mappings.reading.bodies import read_object
from mappings.reading.event_ids import a_number, at
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.tiendanube.ignored import IGNORED
from mappings.sources.tiendanube.orders import record_order

#: Each post is an event of its own. Any window would swallow a change that comes after the first one was read,
#: within a tenth of a second; a repetition that gets through only reads the order again.
WINDOW = timedelta(0)


def name_event(arrival: Arrival) -> Naming:
    """Name an event by store, kind and number, which later events about the same order repeat."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    event = payload.get("event")
    type_ = event.strip() if isinstance(event, str) and event.strip() else "unknown"
    number = a_number(at(payload, "id"))
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{a_number(at(payload, 'store_id'))}:{number or arrival.body_digest}",
        entity=f"order-{number}" if number and type_.startswith("order/") else None,
        # An order is created once, whenever the sender says so again.
        window=None if type_ == "order/created" else WINDOW,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the order as it stands now."""
    number = a_number(at(event.payload, "id"))
    if event.type in SOURCE.handlers and number:
        yield Fetch("order", f"orders/{number}")


SOURCE = Source(
    type="tiendanube",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={
        f"order/{what}": record_order
        for what in ("created", "updated", "edited", "pending", "paid", "voided", "cancelled")
    },
    signatures=(Hmac("x-linkedstore-hmac-sha256", encoding="hex"),),
    ignored=IGNORED,
    options={"store_id": str, "contact": str, "default_region": str},
    api=SenderApi(
        "https://api.tiendanube.com/2025-03/{store_id}",
        header="authentication",
        scheme="bearer ",
        user_agent="CRM Relay ({contact})",
    ),
    fetches=fetches,
)
