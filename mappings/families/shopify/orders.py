"""Orders of Shopify's family as the command for them: discounts and taxes hide in the lines.

Facts: shopify.dev, "Order" and "Refund" of the REST Admin API.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mappings.commands import OrderLine, OrderStatus, Person, RecordOrder
from mappings.families.order_totals import NOTHING, balanced, money
from mappings.families.shopify.attributes import attributes_of
from mappings.families.shopify.dialect import Dialect
from mappings.families.shopify.payload import Order
from mappings.families.shopify.people import person_of
from mappings.reading.payloads import latest
from mappings.source import Event


def record_order(dialect: Dialect, event: Event) -> Iterable[RecordOrder]:
    """Turn an order into the command for it as it stands now, in the currency of the shop.

    The total stays what was ordered, whatever was refunded: a refund is in the status and in the attribute
    `refunded`. Raises CannotMap with the JSON path of a figure, date or currency that is missing or garbled.
    """
    order = dialect.load(Order, event)
    for line in order["line_items"]:
        line["discount"] = _discount(dialect, line)
    for line in order["shipping_lines"]:
        line["discount"] = _allocated(line)
    currency, buyer = order["currency"], _buyer(dialect, event, order)
    tax, total = money(order["total_tax"], currency), money(order["total_price"], currency)
    shipping = _shipping(order)
    lines, discount = balanced(
        [_line(dialect, line, order["taxes_included"], currency) for line in order["line_items"]],
        total=total,
        besides=shipping + tax,
        discount=money(_unallocated_discount(order), currency),
        extras=_extras(order),
    )
    yield RecordOrder(
        key=event.key,
        number=order["name"] or order["order_number"] or order["id"],
        status=_status(order),
        customer=buyer,
        currency=currency,
        total=total,
        tax=tax,
        shipping=shipping,
        discount=discount,
        lines=lines,
        placed_at=order["created_at"],
        reason=order["cancel_reason"] or ", ".join(filter(None, (r["note"] for r in order["refunds"]))),
        closed_at=_closed_at(order),
        attributes=attributes_of(dialect, order, buyer),
    )


def _closed_at(order: dict[str, Any]) -> str:
    # Of a payment the order has no time of its own, of a refund only the refund has.
    last = latest(refund["created_at"] for refund in order["refunds"])
    return order["cancelled_at"] or (last if _status(order) is OrderStatus.REFUNDED else "")


def _shipping(order: dict[str, Any]) -> Decimal:
    included = order["taxes_included"]
    kept = (line for line in order["shipping_lines"] if not line["is_removed"])
    charges = (_without_tax(line, line["price"], included) for line in kept)
    return money(sum(charges, NOTHING), order["currency"])


def _extras(order: dict[str, Any]) -> list[tuple[str, Decimal]]:
    amounts = {
        "Tip": order["total_tip_received"],
        "Duties": order["original_total_duties_set"]["shop_money"]["amount"],
        "Additional fees": order["original_total_additional_fees_set"]["shop_money"]["amount"],
    }
    # Whether the total still has the shipping that an edit took off is not documented: it tells by its sum.
    gone = sum((line["price"] for line in order["shipping_lines"] if line["is_removed"]), NOTHING)
    amounts["Shipping that was taken off"] = gone
    return [(name, money(amount, order["currency"])) for name, amount in amounts.items()]


def _line(dialect: Dialect, line: dict[str, Any], included: bool, currency: str) -> OrderLine:
    return OrderLine(
        sku=_sku(dialect, line),
        name=line["name"] or line["title"] or line["sku"],
        quantity=line["quantity"],
        unit_price=line["price"] + NOTHING,
        discount=money(line["discount"], currency),
        tax=money(_tax(line), currency),
        total=money(_without_tax(line, line["quantity"] * line["price"], included), currency),
    )


def _sku(dialect: Dialect, line: dict[str, Any]) -> str:
    """Return the stock-keeping unit, or another name of the product that is the same in every order of it."""
    if line["sku"]:
        return str(line["sku"])
    for kind in ("variant", "product"):
        if line[f"{kind}_id"] not in (
            "",
            "0",
        ):  # a line that was typed by hand has no product, or the product 0
            return f"{dialect.sender}-{kind}-{line[f'{kind}_id']}"
    return re.sub(r"[\W_]+", "-", (line["title"] or line["name"]).casefold()).strip("-")


def _discount(dialect: Dialect, line: dict[str, Any]) -> Decimal:
    # Shopify's `total_discount` knows nothing of automatic discounts and of those on the whole order.
    return _allocated(line) if dialect.shares_discounts else Decimal(line["total_discount"])


def _allocated(line: dict[str, Any]) -> Decimal:
    return sum((share["amount"] for share in line["discount_allocations"]), NOTHING)


def _tax(line: dict[str, Any]) -> Decimal:
    return sum((tax["price"] for tax in line["tax_lines"]), NOTHING)


def _without_tax(line: dict[str, Any], gross: Decimal, included: bool) -> Decimal:
    return Decimal(gross - line["discount"] - (_tax(line) if included else NOTHING))


def _unallocated_discount(order: dict[str, Any]) -> Decimal:
    taken = sum((line["discount"] for line in order["line_items"] + order["shipping_lines"]), NOTHING)
    return Decimal(order["total_discounts"] - taken)


def _status(order: dict[str, Any]) -> OrderStatus:
    if order["cancelled_at"]:
        return OrderStatus.CANCELLED
    if order["financial_status"] == "refunded":
        return OrderStatus.REFUNDED
    paid = order["financial_status"] in ("paid", "partially_refunded")
    return OrderStatus.PAID if paid else OrderStatus.OPEN


def _buyer(dialect: Dialect, event: Event, order: dict[str, Any]) -> Person | None:
    customer = order["customer"]
    return person_of(
        dialect,
        event,
        customer,
        addresses=[order["billing_address"], order["shipping_address"], customer["default_address"]],
        emails=[customer["email"], order["email"], order["contact_email"]],
        phones=[order["phone"], customer["phone"]],
        company=order["billing_address"]["company"] or customer["default_address"]["company"],
        language=order["customer_locale"],
    )
