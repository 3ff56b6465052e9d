"""What tells Shopify, Haravan and Sapo apart, and how all three name their events.

Haravan and Sapo (until 2017: Bizweb) took Shopify's interface over: topics, payloads, a digest of the body. The
rest is a `Dialect`, so that a fourth relative is a table, too. Facts: shopify.dev, "Webhooks" and "Order" of
the REST Admin API; docs.haravan.com, "Order" and "Private webhook"; for Sapo, whose pages show no payload, the
public client BizwebSharp.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from marshmallow import Schema

from mappings.errors import CannotMap
from mappings.reading.event_ids import a_number, at
from mappings.reading.payloads import load, sortable
from mappings.source import Arrival, Event, Fetch, Naming

#: The option that says for how many minutes a checkout must not change before it is taken for abandoned.
CHECKOUT_DELAY = "checkout_delay_minutes"
#: Topics with a whole order in them, all with the same meaning: the order as it stands now.
ORDER_TOPICS = tuple(
    f"orders/{what}" for what in "create updated paid cancelled fulfilled partially_fulfilled".split()
)
#: Topics with a whole customer account in them.
CUSTOMER_TOPICS = ("customers/create", "customers/update")
#: Topics whose payload only names what it is about, and where: a refund knows its order's id and no more.
THIN_TOPICS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "refunds/create": ("order", ("order_id",)),
    "orders/edited": ("order", ("order_edit", "order_id")),
    "customers_email_marketing_consent/update": ("customer", ("customer_id",)),
    "customers_marketing_consent/update": ("customer", ("customer_id",)),
}
#: Topics that a CRM has no use for. Fulfillments are among them on purpose: orders/fulfilled says the same of
#: the whole order. What was deleted is named by a bare id, and what a CRM knows of it is to stay there.
IGNORED_TOPICS = frozenset(
    """
    app/uninstalled carts/create carts/update checkouts/delete collections/create collections/delete
    collections/update customers/delete customers/disable customers/enable disputes/create disputes/update
    fulfillments/create fulfillments/update inventory_levels/update order_transactions/create orders/delete
    products/create products/delete products/update shop/update themes/publish
    """.split()
)
#: How far the payment of an order has come; one that was begun goes no way back.
PAYMENT = ("pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided")
_REMEDIES = {
    "order": "set api_token_env, so that it is fetched, or let orders/updated bring it",
    "customer": "set api_token_env, so that it is fetched",
}
_KINDS = {"orders": "order", "customers": "customer", "checkouts": "checkout", "draft_orders": "draft"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """One shop system of the family.

    `sender` begins the stand-in for a stock-keeping unit that a product lacks. `headers` are what its header
    names begin with, the current one first. It `numbers` its deliveries where a header holds an id that every
    retry repeats. `renamed` are Shopify's names of top-level fields with its own. Where a payload does not
    spell a full name out, `family_name_first` says how it is put together. `nobody` are e-mail addresses
    that stand for a buyer who gave none. `shares_discounts` where each line lists its share of every
    discount; where not, its `total_discount` is all there is. It `tells_checkouts` where they are leads, which
    wait until nothing changes them any more: then nobody will complete them, and an order settles its own.
    """

    sender: str
    headers: tuple[str, ...]
    numbers: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    family_name_first: bool = False
    nobody: frozenset[str] = frozenset()
    shares_discounts: bool = True
    tells_checkouts: bool = False

    def name(self, arrival: Arrival) -> Naming:
        """Name a webhook by its delivery id, else by topic, id, time of change and content."""
        payload = self._plain(arrival.payload)
        topic = self._topic(arrival)
        content = f"{topic}:{payload.get('id')}:{payload.get('updated_at')}:{arrival.body_digest}"
        triggered = self._header(arrival.headers, "triggered-at")
        moments = (payload.get("updated_at"), triggered, payload.get("created_at"))
        marked = self._header(arrival.headers, "test").lower() not in ("", "false", "0")
        return Naming(
            type=topic,
            dedup_key=(self._header(arrival.headers, "webhook-id") if self.numbers else "") or content,
            entity=_entity(topic, payload),
            version=_version(payload, next(filter(None, map(sortable, moments)), None), sortable(triggered)),
            test=marked or payload.get("test") is True,
            **(self._settling(topic, payload, arrival.options) if self.tells_checkouts else {}),
        )

    def _settling(self, topic: str, payload: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        if topic.startswith("checkouts/"):
            minutes = options.get(CHECKOUT_DELAY, 60)
            return {"settle": timedelta(minutes=minutes) or None, "settles": _entity(topic, payload)}
        checkout = a_number(payload.get("checkout_id")) if topic.startswith("orders/") else ""
        return {"settles": f"checkout-{checkout}"} if checkout else {}

    def fetches(self, event: Event) -> Iterator[Fetch]:
        """Ask for the order or customer that a thin event names; for nothing where its id is none."""
        kind, path = THIN_TOPICS.get(event.type, ("", ()))
        number = a_number(at(event.payload, *path))
        if kind and number:
            yield Fetch(kind, f"{kind}s/{number}.json")

    def load(self, schema: type[Schema], event: Event) -> dict[str, Any]:
        """Return what `schema` names of the event's order, customer or cart; a fetched one for thin events.

        Raises CannotMap with the JSON path of the first fault, under the sender's own name.
        """
        try:
            return load(schema, self._plain(self._whole(event)))
        except CannotMap as error:
            raise CannotMap(self.renamed.get(error.path, error.path), error.why) from None

    def _whole(self, event: Event) -> Any:
        if event.type not in THIN_TOPICS:
            return event.payload
        kind, path = THIN_TOPICS[event.type]
        if not a_number(at(event.payload, *path)):
            raise CannotMap(".".join(path), f"names no {kind}")
        if kind not in event.fetched:
            raise CannotMap(".".join(path), f"the event holds no more of its {kind}: {_REMEDIES[kind]}")
        return at(event.fetched, kind, kind)

    def _plain(self, payload: Any) -> dict[str, Any]:
        """Return the payload with Shopify's names added to the sender's own."""
        found = dict(payload) if isinstance(payload, Mapping) else {}
        for ours, theirs in self.renamed.items():
            found.setdefault(ours, found.get(theirs))
        return found

    def _topic(self, arrival: Arrival) -> str:
        own = arrival.headers.get(str(arrival.options.get("topic_header", "")).lower(), "")
        return own.strip() or self._header(arrival.headers, "topic") or "unknown"

    def _header(self, headers: Mapping[str, str], name: str) -> str:
        return next(filter(None, (headers.get(start + name, "").strip() for start in self.headers)), "")


def _version(payload: Mapping[str, Any], moment: str | None, triggered: str | None) -> str | None:
    """Return what sorts the states of one thing.

    `updated_at` counts whole seconds, and an order is often made and paid in one: then how far it has come
    decides, and only after that when its webhook was triggered, which the relatives do not tell.
    """
    if moment is None or not sortable(payload.get("updated_at")):
        return moment
    paid = payload.get("financial_status")
    progress = PAYMENT.index(paid) if paid in PAYMENT else 0
    return f"{moment} {bool(payload.get('cancelled_at')):d}{progress} {triggered or ''}".rstrip()


def _entity(topic: str, payload: Any) -> str | None:
    kind, path = THIN_TOPICS.get(topic, (_KINDS.get(topic.partition("/")[0], ""), ("id",)))
    number = a_number(at(payload, *path))
    return f"{kind}-{number}" if kind and number else None
