"""Orders of BigCommerce as the command for them. Facts: developer.bigcommerce.com, "Orders V2"."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mappings.commands import OrderStatus, RecordOrder
from mappings.errors import CannotMap
from mappings.families.order_totals import NOTHING, balanced, money
from mappings.formats.money import written
from mappings.reading.event_ids import a_number, at
from mappings.reading.payloads import load
from mappings.source import Event
from mappings.sources.bigcommerce.payload import STATUSES, Order, Product, buyer_of, line_of

AMOUNTS = """
    total_inc_tax total_tax shipping_cost_ex_tax discount_amount coupon_discount
""".split()


INCOMPLETE = "0"  # a visitor who came as far as the payment; what becomes an order changes its status


def record_order(event: Event) -> Iterable[RecordOrder]:
    """Turn the fetched order into the command for it; an incomplete one is none yet.

    Raises CannotMap with the path of what is missing or garbled, in the event or in what was fetched.
    """
    if not a_number(at(event.payload, "data", "id")):
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
        extras=_extras(order, currency),
    )
    yield RecordOrder(
        key=event.key,
        number=order["id"],
        status=STATUSES.get(order["status_id"], OrderStatus.OPEN),
        customer=buyer_of(order, event.options.get("default_region")),
        currency=currency,
        total=total,
        tax=tax,
        shipping=shipping,
        discount=unallocated,
        lines=lines,
        placed_at=order["date_created"],
        attributes=_attributes(order, products, currency),
    )


def _products(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list):
        raise CannotMap("products", "is not the list of the order's products")
    return [load(Product, product, f"products[{number}]") for number, product in enumerate(given)]


def _extras(order: dict[str, Any], currency: str) -> list[tuple[str, Decimal]]:
    charged = [
        ("Handling", order["handling_cost_ex_tax"]),
        ("Gift wrapping", order["wrapping_cost_ex_tax"]),
        *(
            (fee["display_name_customer"] or fee["name"] or "Fee", fee["cost_ex_tax"])
            for fee in order["fees"]
        ),
    ]
    return [(str(name), money(amount, currency)) for name, amount in charged]


def _attributes(order: dict[str, Any], products: list[dict[str, Any]], currency: str) -> dict[str, str]:
    def amount(name: str) -> str:
        return f"{written(order[name], currency)} {currency}" if order[name] > NOTHING else ""

    codes = dict.fromkeys(share["code"] for product in products for share in product["applied_discounts"])
    found = {
        "order_status": order["status"],
        "payment_method": order["payment_method"],
        "note": order["customer_message"],
        "staff_note": order["staff_notes"],
        "sales_channel": order["order_source"],
        "payment_status": order["payment_status"],
        "refunded": amount("refunded_amount"),
        "store_credit": amount("store_credit_amount"),
        "gift_certificate": amount("gift_certificate_amount"),
        "discount_codes": ", ".join(filter(None, codes)),
        "external_id": order["external_order_id"] or order["external_id"],
        "presentment_currency": order["currency_code"]
        if order["currency_code"] not in ("", currency)
        else "",
    }
    asked = {f"billing.{field['name']}": field["value"] for field in order["billing_address"]["form_fields"]}
    return {name: value for name, value in (found | asked).items() if value}
