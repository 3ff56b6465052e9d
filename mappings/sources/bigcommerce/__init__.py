"""BigCommerce. Special: a webhook says no more than which order changed, and signs nothing.

Facts: developer.bigcommerce.com, "Webhooks" and "Webhook Events" (`hash` is equal where one event fires twice;
`created_at` is in Unix seconds), "Orders V2" for what is fetched. A webhook is created through their API, where
`headers` can hold a secret of yours: `{"X-Relay-Token": …}` is checked against `token_env`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from mappings.reading.bodies import read_object
from mappings.reading.event_ids import a_number, at
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.bigcommerce.ignored import IGNORED
from mappings.sources.bigcommerce.orders import record_order

#: `hash` is a digest of the payload, whose `created_at` counts seconds: two changes within one may have the same,
#: and the first read of the order has not seen both. A repetition that gets through only reads it again.
WINDOW = timedelta(0)


def name_event(arrival: Arrival) -> Naming:
    """Name an event by `hash`, and its order by the number; versions are the seconds in which events were made."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    scope, made, digest = payload.get("scope"), payload.get("created_at"), payload.get("hash")
    type_ = scope.strip() if isinstance(scope, str) and scope.strip() else "unknown"
    number = a_number(at(payload, "data", "id"))
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{number}:{digest if isinstance(digest, str) and digest else arrival.body_digest}",
        entity=f"order-{number}" if number and type_.startswith("store/order/") else None,
        version=f"{made:012d}" if type(made) is int and 0 <= made < 10**12 else None,
        # An order is created once, whenever the sender says so again.
        window=None if type_ == "store/order/created" else WINDOW,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the order as it stands now, and for its products, up to the 250 of one page."""
    number = a_number(at(event.payload, "data", "id"))
    if event.type in SOURCE.handlers and number:
        yield Fetch("order", f"v2/orders/{number}")
        yield Fetch("products", f"v2/orders/{number}/products", {"limit": "250"})


SOURCE = Source(
    type="bigcommerce",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={
        "store/order/created": record_order,
        "store/order/updated": record_order,
        "store/order/statusUpdated": record_order,
        "store/order/refund/created": record_order,
    },
    ignored=IGNORED,
    options={"store_hash": str, "default_region": str},
    api=SenderApi("https://api.bigcommerce.com/stores/{store_hash}", header="x-auth-token", scheme=""),
    fetches=fetches,
)
