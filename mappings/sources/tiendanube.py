"""Tiendanube, in Brazil Nuvemshop. Special: three fields and no number of the delivery, so each is read afresh.

Facts: tiendanube.github.io/api-documentation, "Webhook" ({store_id, event, id}; x-linkedstore-hmac-sha256 is hex,
its key the app's client secret), "Order", and "Getting started" for `Authentication: bearer` and for the
User-Agent that names an app and an address to write to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from mappings.bodies import read_object
from mappings.commands import Address, OrderLine, OrderStatus, Person, RecordOrder
from mappings.errors import CannotMap
from mappings.order_totals import NOTHING, balanced, money
from mappings.payloads import load
from mappings.phones import to_e164
from mappings.protection import Hmac
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.tiendanube_payload import Order

#: Two posts within a second are one: what changes an order twice in that time is read once. A longer window
#: would swallow a second change after the first was read; a repetition that gets through only reads again.
WINDOW = timedelta(seconds=1)
IGNORED = frozenset(
    """
    app/resumed app/suspended app/uninstalled category/created category/deleted category/updated
    customer/created customer/deleted customer/updated customers/data_request customers/redact domain/updated
    order/fulfilled order/packed order/unpacked
    product/created product/deleted product/updated store/redact theme/updated
    """.split()
)


def _number(payload: Any, name: str) -> str:
    number = payload.get(name) if isinstance(payload, Mapping) else None
    usable = isinstance(number, int | str) and re.fullmatch("[0-9]{1,20}", str(number), re.ASCII)
    return str(number) if usable else ""


def name_event(arrival: Arrival) -> Naming:
    """Name an event by store, kind and number, which later events about the same order repeat."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    event = payload.get("event")
    type_ = event.strip() if isinstance(event, str) and event.strip() else "unknown"
    number = _number(payload, "id")
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{_number(payload, 'store_id')}:{number or arrival.body_digest}",
        entity=f"order-{number}" if number and type_.startswith("order/") else None,
        # An order is created once, whenever the sender says so again.
        window=None if type_ == "order/created" else WINDOW,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the order as it stands now."""
    number = _number(event.payload, "id")
    if event.type in SOURCE.handlers and number:
        yield Fetch("order", f"orders/{number}")


def record_order(event: Event) -> Iterable[RecordOrder]:
    """Turn the fetched order into the command for it; its prices contain the tax, of which nothing is said.

    Raises CannotMap with the path of what is missing or garbled, in the event or in the fetched order.
    """
    if not _number(event.payload, "id"):
        raise CannotMap("id", "is not the number of an order")
    wanted = event.options.get("store_id")
    if wanted and _number(event.payload, "store_id") != wanted:
        raise CannotMap("store_id", f"is not {wanted}, the store whose orders can be read")
    order = load(Order, event.fetched.get("order"), "order")
    currency = order["currency"]
    total, shipping, discount = (
        money(order[name], currency) for name in ("total", "shipping_cost_customer", "discount")
    )
    lines, unallocated = balanced(
        [_line(product, currency) for product in order["products"]],
        total=total,
        besides=shipping,
        discount=discount,
        extras=[],
    )
    yield RecordOrder(
        key=event.key,
        number=order["number"] or order["id"],
        status=_status(order),
        customer=_buyer(order),
        currency=currency,
        total=total,
        tax=NOTHING,
        shipping=shipping,
        discount=unallocated,
        lines=lines,
        placed_at=order["created_at"],
        reason=order["cancel_reason"],
        attributes=_attributes(order),
    )


def _line(product: dict[str, Any], currency: str) -> OrderLine:
    number = product["variant_id"] or product["product_id"]
    return OrderLine(
        sku=product["sku"] or (f"tiendanube-{number}" if number else ""),
        name=product["name"] or product["sku"],
        quantity=product["quantity"],
        unit_price=product["price"] + NOTHING,
        discount=NOTHING,
        tax=NOTHING,
        total=money(product["quantity"] * product["price"], currency),
    )


def _status(order: dict[str, Any]) -> OrderStatus:
    if order["payment_status"] == "refunded":
        return OrderStatus.REFUNDED
    if order["status"] == "cancelled" or order["payment_status"] in ("voided", "abandoned"):
        return OrderStatus.CANCELLED
    return OrderStatus.PAID if order["payment_status"] == "paid" else OrderStatus.OPEN


def _buyer(order: dict[str, Any]) -> Person | None:
    customer, country = order["customer"], order["billing_country"]
    street = " ".join(filter(None, (order["billing_address"], order["billing_number"])))
    postal = Address(
        street=", ".join(filter(None, (street, order["billing_floor"], order["billing_locality"]))),
        city=order["billing_city"],
        region=order["billing_province"],
        postcode=order["billing_zipcode"],
        country=country,
    )
    phone = order["contact_phone"] or customer["phone"] or order["billing_phone"]
    person = Person(
        name=order["contact_name"] or customer["name"],
        email=order["contact_email"] or customer["email"],
        phone=to_e164(phone, country if len(country) == 2 else None),
        company=order["billing_business_name"],
        address=None if postal == Address() else postal,
        language=order["language"],
    )
    # A language alone is the shop's, not a person's.
    return None if person == Person(language=person.language) else person


def _attributes(order: dict[str, Any]) -> dict[str, str]:
    found = {
        "note": order["note"],
        "owner_note": order["owner_note"],
        "tax_number": order["contact_identification"],
        "coupons": ", ".join(coupon["code"] for coupon in order["coupon"] if coupon["code"]),
        "gateway": order["gateway_name"] or order["gateway"],
        "shipping_method": order["shipping_option"],
        "storefront": order["storefront"],
    }
    return {name: value for name, value in found.items() if value}


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
    options={"store_id": str, "contact": str},
    api=SenderApi(
        "https://api.tiendanube.com/2025-03/{store_id}",
        header="authentication",
        scheme="bearer ",
        user_agent="CRM Relay ({contact})",
    ),
    fetches=fetches,
)
