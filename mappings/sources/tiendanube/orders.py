"""Orders of Tiendanube as the command for them: prices contain the tax, of which nothing is said.

Facts: tiendanube.github.io/api-documentation, "Order".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from mappings.commands import Address, OrderLine, OrderStatus, Person, RecordOrder, filled
from mappings.errors import CannotMap
from mappings.families.order_totals import NOTHING, balanced, money
from mappings.formats.phones import to_e164
from mappings.reading.answers import said
from mappings.reading.event_ids import a_number, at
from mappings.reading.form_fields import flat
from mappings.reading.payloads import load
from mappings.source import Event
from mappings.sources.tiendanube.payload import Order


def record_order(event: Event) -> Iterable[RecordOrder]:
    """Turn the fetched order into the command for it; its prices contain the tax, of which nothing is said.

    Raises CannotMap with the path of what is missing or garbled, in the event or in the fetched order.
    """
    if not a_number(at(event.payload, "id")):
        raise CannotMap("id", "is not the number of an order")
    wanted = event.options.get("store_id")
    if wanted and a_number(at(event.payload, "store_id")) != wanted:
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
    status, buyer = _status(order), _buyer(order, event.options.get("default_region"))
    yield RecordOrder(
        key=event.key,
        number=order["number"] or order["id"],
        status=status,
        customer=buyer,
        currency=currency,
        total=total,
        tax=NOTHING,
        shipping=shipping,
        discount=unallocated,
        lines=lines,
        placed_at=order["created_at"],
        reason=order["cancel_reason"],
        closed_at=_closed_at(order, status),
        attributes=_attributes(order, buyer),
    )


def _line(product: dict[str, Any], currency: str) -> OrderLine:
    number = product["variant_id"] or product["product_id"]
    name = product["name"] or product["sku"]
    return OrderLine(
        sku=product["sku"] or (f"tiendanube-{number}" if number else ""),
        name=f"{name} ({chosen})" if (chosen := said(product["properties"])) else name,
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
    return OrderStatus.PAID if order["payment_status"] in ("paid", "partially_refunded") else OrderStatus.OPEN


def _closed_at(order: dict[str, Any], status: OrderStatus) -> str:
    # Of a refund the order has no time of its own.
    told: dict[OrderStatus, str] = {
        OrderStatus.PAID: order["paid_at"],
        OrderStatus.CANCELLED: order["cancelled_at"],
    }
    return told.get(status, "")


def _buyer(order: dict[str, Any], region: str | None) -> Person | None:
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
        phone=to_e164(phone, country if len(country) == 2 else region),
        company=order["billing_business_name"],
        address=None if postal == Address() else postal,
        language=order["language"],
    )
    # A language alone is the shop's, not a person's.
    return None if person == Person(language=person.language) else person


def _delivery(order: dict[str, Any]) -> Address | None:
    there = order["shipping_address"]
    street = " ".join(filter(None, (there["address"], there["number"])))
    postal = Address(
        street=", ".join(filter(None, (street, there["floor"], there["locality"]))),
        city=there["city"],
        region=there["province"],
        postcode=there["zipcode"],
        country=there["country"],
    )
    return None if postal == Address() else postal


def _attributes(order: dict[str, Any], buyer: Person | None) -> dict[str, str]:
    delivery, there, paid = _delivery(order), order["shipping_address"], order["payment_details"]
    is_elsewhere = delivery is not None and (not buyer or delivery != buyer.address)
    parts = [getattr(delivery, part.name) for part in fields(Address)] if is_elsewhere else []
    return flat({"extra": order["extra"]}) | filled(
        note=order["note"],
        staff_note=order["owner_note"],
        customer_note=order["customer"]["note"],
        tax_number=order["contact_identification"],
        discount_codes=", ".join(coupon["code"] for coupon in order["coupon"] if coupon["code"]),
        gateway=order["gateway_name"] or order["gateway"],
        payment_method=" ".join(filter(None, (paid["method"], paid["credit_card_company"]))),
        installments=paid["installments"] if paid["installments"] != "1" else "",
        shipping_method=order["shipping_option"],
        shipping_name=there["name"] if not buyer or there["name"] != buyer.name else "",
        shipping_phone=there["phone"] if is_elsewhere else "",
        shipping_address=", ".join(filter(None, parts)),
        tracking=" ".join(filter(None, (order["shipping_tracking_number"], order["shipping_tracking_url"]))),
        sales_channel=order["storefront"],
        landing_site=order["landing_url"],
    )
