"""How the amounts of Stripe's checkouts and invoices make an order that adds up."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mappings.commands import OrderLine, RecordOrder
from mappings.order_totals import NOTHING, balanced
from mappings.source import Event
from mappings.stripe_payload import id_of, in_units


def order_of(
    event: Event,
    currency: str,
    lines: list[OrderLine],
    *,
    total: Decimal,
    tax: Decimal,
    shipping: Decimal,
    discount: Decimal,
    attributes: dict[str, str],
    **others: Any,
) -> RecordOrder:
    """Return the order that amounts in minor units make; what the lines have taken off is no discount of it."""
    total, tax, shipping, discount = (in_units(a, currency) for a in (total, tax, shipping, discount))
    rest = discount - sum((line.discount for line in lines), NOTHING)
    all_lines, unallocated = balanced(lines, total=total, besides=shipping + tax, discount=rest, extras=[])
    return RecordOrder(
        key=event.key,
        currency=currency,
        total=total,
        tax=tax,
        shipping=shipping,
        discount=unallocated,
        lines=all_lines,
        attributes={name: value for name, value in attributes.items() if value},
        **others,
    )


def session_line_of(line: dict[str, Any], currency: str) -> OrderLine:
    """Return a line of a checkout."""
    return _line(
        line, line["price"], currency, line["amount_discount"], line["amount_tax"], line["amount_total"]
    )


def invoice_line_of(line: dict[str, Any], currency: str) -> OrderLine:
    """Return a line of an invoice, whichever of the two shapes its price and its taxes have."""
    taxes = line["taxes"] or line["tax_amounts"]
    tax = sum((each["amount"] for each in taxes), NOTHING)
    discount = sum((each["amount"] for each in line["discount_amounts"]), NOTHING)
    inside = sum((t["amount"] for t in taxes if t["inclusive"] or t["tax_behavior"] == "inclusive"), NOTHING)
    new, price = line["pricing"], dict(line["price"])
    price["product"] = price["product"] or new["price_details"]["product"]
    price["id"] = price["id"] or new["price_details"]["price"]
    if new["unit_amount_decimal"] is not None:
        price["unit_amount_decimal"] = new["unit_amount_decimal"]
    return _line(line, price, currency, discount, tax, line["amount"] - discount - inside + tax)


def _line(
    line: dict[str, Any],
    price: Mapping[str, Any],
    currency: str,
    discount: Decimal,
    tax: Decimal,
    gross: Decimal,
) -> OrderLine:
    each = price["unit_amount_decimal"] if price["unit_amount_decimal"] is not None else price["unit_amount"]
    if each is None:
        each = gross - tax + discount
    return OrderLine(
        sku=id_of(price["product"]) or price["id"],
        name=line["description"] or price["id"],
        quantity=line["quantity"],
        unit_price=in_units(each, currency),
        discount=in_units(discount, currency),
        tax=in_units(tax, currency),
        total=in_units(gross - tax, currency),
    )


def net_shipping(cost: dict[str, Any], otherwise: Decimal) -> Decimal:
    """Return shipping without its tax, in minor units; `otherwise` where Stripe does not take it apart."""
    return otherwise if cost["amount_total"] is None else Decimal(cost["amount_total"] - cost["amount_tax"])


def metadata_of(thing: dict[str, Any]) -> dict[str, str]:
    """Return what the shop noted down at Stripe, by names that tell where it is from."""
    return {f"metadata.{name}": value for name, value in thing["metadata"].items()}
