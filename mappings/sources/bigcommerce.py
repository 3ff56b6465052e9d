"""BigCommerce. Special: a webhook says no more than which order changed, and signs nothing.

Facts: developer.bigcommerce.com, "Webhooks" and "Webhook Events" (`hash` is equal where one event fires twice;
`created_at` is in Unix seconds), "Orders V2" for what is fetched. A webhook is created through their API, where
`headers` can hold a secret of yours: `{"X-Relay-Token": …}` is checked against `token_env`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.bigcommerce_payload import STATUSES, Order, Product, buyer_of, line_of
from mappings.bodies import read_object
from mappings.commands import OrderStatus, RecordOrder
from mappings.errors import CannotMap
from mappings.order_totals import NOTHING, balanced, money
from mappings.payloads import load
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source

IGNORED = frozenset(
    """
    store/app/uninstalled store/order/archived store/order/message/created store/order/transaction/created
    store/order/transaction/updated store/cart/abandoned store/cart/converted store/cart/couponApplied
    store/cart/created store/cart/deleted store/cart/updated store/customer/created store/customer/deleted
    store/customer/updated store/information/updated store/product/created store/product/deleted
    store/product/inventory/updated store/product/updated store/shipment/created store/shipment/deleted
    store/shipment/updated store/subscriber/created store/subscriber/deleted store/subscriber/updated
    """.split()
)
AMOUNTS = """
    total_inc_tax total_tax shipping_cost_ex_tax discount_amount coupon_discount handling_cost_ex_tax
    wrapping_cost_ex_tax
""".split()
INCOMPLETE = "0"  # a visitor who came as far as the payment; what becomes an order changes its status


def _number(payload: Any) -> str:
    data = payload.get("data") if isinstance(payload, Mapping) else None
    number = data.get("id") if isinstance(data, Mapping) else None
    usable = isinstance(number, int | str) and re.fullmatch("[0-9]{1,20}", str(number), re.ASCII)
    return str(number) if usable else ""


def name_event(arrival: Arrival) -> Naming:
    """Name an event by `hash`, and its order by the number; versions are the seconds in which events were made."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    scope, made, digest = payload.get("scope"), payload.get("created_at"), payload.get("hash")
    type_ = scope.strip() if isinstance(scope, str) and scope.strip() else "unknown"
    number = _number(payload)
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{number}:{digest if isinstance(digest, str) and digest else arrival.body_digest}",
        entity=f"order-{number}" if number and type_.startswith("store/order/") else None,
        version=f"{made:012d}" if type(made) is int and 0 <= made < 10**12 else None,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the order as it stands now, and for its products, up to the 250 of one page."""
    number = _number(event.payload)
    if event.type in SOURCE.handlers and number:
        yield Fetch("order", f"v2/orders/{number}")
        yield Fetch("products", f"v2/orders/{number}/products", {"limit": "250"})


def record_order(event: Event) -> Iterable[RecordOrder]:
    """Turn the fetched order into the command for it; an incomplete one is none yet.

    Raises CannotMap with the path of what is missing or garbled, in the event or in what was fetched.
    """
    if not _number(event.payload):
        raise CannotMap("data.id", "is not the number of an order")
    order = load(Order, event.fetched.get("order"), "order")
    products = _products(event.fetched.get("products"))
    if order["status_id"] == INCOMPLETE:
        return
    currency = order["default_currency_code"] or order["currency_code"]
    if not currency:
        raise CannotMap("order.default_currency_code", "is missing")
    amounts = {name: money(order[name], currency) for name in AMOUNTS}
    total, tax, shipping = (amounts[name] for name in AMOUNTS[:3])
    lines, unallocated = balanced(
        [line_of(product, currency) for product in products],
        total=total,
        besides=shipping + tax,
        discount=amounts["discount_amount"] + amounts["coupon_discount"],
        extras=[
            ("Handling", amounts["handling_cost_ex_tax"]),
            ("Gift wrapping", amounts["wrapping_cost_ex_tax"]),
        ],
    )
    yield RecordOrder(
        key=event.key,
        number=order["id"],
        status=STATUSES.get(order["status_id"], OrderStatus.OPEN),
        customer=buyer_of(order["billing_address"], order["customer_locale"]),
        currency=currency,
        total=total,
        tax=tax,
        shipping=shipping,
        discount=unallocated,
        lines=lines,
        placed_at=order["date_created"],
        attributes=_attributes(order, currency),
    )


def _products(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        raise CannotMap("products", "is not the list of the order's products")
    return [load(Product, product, f"products[{number}]") for number, product in enumerate(given)]


def _attributes(order: dict[str, Any], currency: str) -> dict[str, str]:
    refunded = order["refunded_amount"]
    found = {
        "order_status": order["status"],
        "payment_method": order["payment_method"],
        "note": order["customer_message"],
        "staff_note": order["staff_notes"],
        "order_source": order["order_source"],
        "refunded_amount": format(money(refunded, currency), "f") if refunded > NOTHING else "",
        "display_currency": order["currency_code"] if order["currency_code"] not in ("", currency) else "",
    }
    return {name: value for name, value in found.items() if value}


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
    options={"store_hash": str},
    api=SenderApi("https://api.bigcommerce.com/stores/{store_hash}", header="x-auth-token", scheme=""),
    fetches=fetches,
)
