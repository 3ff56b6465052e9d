"""WooCommerce. Special: its delivery id is no id, dates bear no zone, and a deletion says nothing but which order.

Facts: woocommerce/woocommerce, plugins/woocommerce/includes/class-wc-webhook.php (headers, signature, ping,
payloads), and woocommerce.github.io/woocommerce-rest-api-docs, "Orders" and "Customers".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.errors import CannotMap
from mappings.protection import Hmac, Ping
from mappings.reading.bodies import read_object
from mappings.reading.payloads import load
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.woocommerce.orders import record_deletion, record_order, refuse_error
from mappings.sources.woocommerce.payload import Customer, in_utc, meta_of, person_of, visible


def name_event(arrival: Arrival) -> Naming:
    """Name a webhook by topic, id, time of change and content.

    Not by `X-WC-Webhook-Delivery-ID`, a hash of webhook and second, which two orders of one second share.
    Only where there is no time of change it joins in: an order may be deleted twice, restored in between.
    """
    headers = arrival.headers
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    parts = (headers.get("x-wc-webhook-resource", ""), headers.get("x-wc-webhook-event", ""))
    topic = headers.get("x-wc-webhook-topic", "").strip() or ".".join(filter(None, parts)) or "unknown"
    number = _number(payload.get("id"))
    version = in_utc(payload.get("date_modified_gmt"))
    state = version or headers.get("x-wc-webhook-delivery-id", "").strip()
    kind = topic.partition(".")[0]
    return Naming(
        type=topic,
        dedup_key=f"{topic}:{number}:{state}:{arrival.body_digest}",
        entity=f"{kind}-{number}" if number and kind in ("order", "customer") else None,
        # An account that nobody has changed yet has no time of change.
        version=f"{version} {_progress(payload)}" if version else in_utc(payload.get("date_created_gmt")),
    )


def _progress(payload: Mapping[str, Any]) -> int:
    """Return how far an order has come, which decides between two states of one second."""
    status = payload.get("status")
    if status in ("cancelled", "refunded", "trash"):
        return 3
    if status == "failed":
        return 1
    return 2 if status == "completed" or payload.get("date_paid_gmt") or payload.get("date_paid") else 0


def _number(value: Any) -> str:
    # True is an int to Python, but its text is no number.
    usable = isinstance(value, int | str) and re.fullmatch("[0-9]{1,20}", str(value))
    return str(value) if usable else ""


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the order that a deletion names: until the bin is emptied, the shop still has it."""
    number = _number(event.payload.get("id"))
    if event.type == "order.deleted" and number:
        yield Fetch("order", f"orders/{number}")


def register_customer(event: Event) -> Iterable[RegisterLead]:
    """Turn a customer account into a lead; raises CannotMap where it says nothing about who that is."""
    refuse_error(event.payload, "the customer")
    customer = load(Customer, event.payload)
    meta = meta_of(customer["meta_data"])
    region, language = event.options.get("default_region"), meta.get("wpml_language", "")
    person = person_of(customer, customer["billing"], customer["shipping"], region, language)
    if person is None or not (person.name or person.email or person.phone):
        raise CannotMap("email", "the customer has no name, e-mail address or telephone number")
    named = {name: str(key) for name, key in event.options.get("fields", {}).items()}
    found = {"role": customer["role"]} | {name: meta.get(key, "") for name, key in named.items()}
    found |= visible({key: value for key, value in meta.items() if key not in named.values()})
    yield RegisterLead(
        key=event.key,
        person=person,
        origin="customer account",
        attributes={name: value for name, value in found.items() if value},
    )


SOURCE = Source(
    type="woocommerce",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={
        "order.created": record_order,
        "order.updated": record_order,
        "order.restored": record_order,
        "order.deleted": record_deletion,
        "customer.created": register_customer,
        "customer.updated": register_customer,
    },
    # WordPress decodes the secret as HTML before it signs: typed `a&amp;b`, it signs with `a&b`.
    signatures=(Hmac("x-wc-webhook-signature", key_is="html"),),
    ping=Ping("webhook_id"),
    ignored=frozenset({"customer.deleted"})
    | {f"{kind}.{what}" for kind in ("coupon", "product") for what in ("created", "updated", "deleted")}
    | {"product.restored"},
    options={"shop": str, "default_region": str, "fields": dict},
    event_header="x-wc-webhook-topic",
    api=SenderApi("https://{shop}/wp-json/wc/v3", scheme="Basic ", is_optional=True),
    fetches=fetches,
)
