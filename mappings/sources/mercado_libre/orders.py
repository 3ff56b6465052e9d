"""Orders of Mercado Libre as the command for them. Facts: developers.mercadolibre.com, "Orders"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mappings.commands import OrderLine, OrderStatus, Person, RecordOrder, filled
from mappings.families.order_totals import NOTHING, balanced, money
from mappings.formats.money import written
from mappings.formats.phones import to_e164
from mappings.reading.payloads import latest, load
from mappings.source import Event
from mappings.sources.mercado_libre.payload import Order

#: All others are open: confirmed, payment_required, payment_in_process, partially_paid, pending_cancel.
STATUSES = {
    "paid": OrderStatus.PAID,
    "partially_refunded": OrderStatus.PAID,
    "cancelled": OrderStatus.CANCELLED,
    "invalid": OrderStatus.CANCELLED,
}


def record_order(event: Event) -> Iterable[RecordOrder]:
    """Turn the fetched order into the command for it; its total is that of the goods, without the shipping.

    Raises CannotMap with the path of what is missing or garbled in the fetched order.
    """
    order = load(Order, event.fetched.get("order"), "order")
    currency = order["currency_id"]
    total = money(order["total_amount"], currency)
    lines, discount = balanced(
        [_line(position, currency) for position in order["order_items"]],
        total=total,
        besides=NOTHING,
        discount=money(order["coupon"]["amount"], currency),
        extras=[("Taxes", money(order["taxes"]["amount"], currency))],
    )
    status = STATUSES.get(order["status"], OrderStatus.OPEN)
    yield RecordOrder(
        key=event.key,
        number=order["id"],
        status=status,
        customer=_buyer(order["buyer"], event.options.get("default_region")),
        currency=currency,
        total=total,
        tax=NOTHING,
        shipping=NOTHING,
        discount=discount,
        lines=lines,
        placed_at=order["date_created"],
        reason=order["cancel_detail"]["description"],
        closed_at=_closed_at(order, status),
        attributes=_attributes(order, currency),
    )


def _closed_at(order: dict[str, Any], status: OrderStatus) -> str:
    """Return when the last payment was approved, or when it was cancelled."""
    if status is OrderStatus.CANCELLED:
        return str(order["cancel_detail"]["date"])
    paid = latest((payment["date_approved"] for payment in order["payments"]), order["date_closed"])
    return paid if status is OrderStatus.PAID else ""


def _line(position: dict[str, Any], currency: str) -> OrderLine:
    item, each = position["item"], position["unit_price"]
    chosen = ", ".join(filter(None, (choice["value_name"] for choice in item["variation_attributes"])))
    number = "-".join(filter(None, (item["id"], item["variation_id"])))
    full = max(each, position["full_unit_price"])
    return OrderLine(
        sku=item["seller_sku"] or item["seller_custom_field"] or number,
        name=f"{item['title']} ({chosen})" if chosen else item["title"],
        quantity=position["quantity"],
        unit_price=full + NOTHING,
        discount=money((full - each) * position["quantity"], currency),
        tax=NOTHING,
        total=money(each * position["quantity"], currency),
    )


def _buyer(buyer: dict[str, Any], region: str | None) -> Person | None:
    """Return who bought, by the nickname where no name is told; None for an order that tells nobody."""
    full_name = " ".join(filter(None, (buyer["first_name"], buyer["last_name"])))
    person = Person(
        name=full_name or buyer["nickname"],
        first_name=buyer["first_name"],
        last_name=buyer["last_name"],
        email=buyer["email"],
        phone=to_e164(" ".join(filter(None, buyer["phone"].values())), region),
    )
    return None if person == Person() else person


def _attributes(order: dict[str, Any], currency: str) -> dict[str, str]:
    buyer, paid = order["buyer"], order["paid_amount"]
    refunded = sum((payment["transaction_amount_refunded"] for payment in order["payments"]), NOTHING)
    return filled(
        order_status=order["status"],
        note=order["comment"],
        pack=order["pack_id"],
        shipment=order["shipping"]["id"],
        buyer=" ".join(filter(None, (buyer["nickname"], buyer["id"]))),
        payment_method=", ".join(filter(None, (paid["payment_method_id"] for paid in order["payments"]))),
        # With the shipping that the buyer paid, which the order itself does not know.
        paid_amount=f"{written(money(paid, currency), currency)} {currency}" if paid else "",
        refunded=f"{written(money(refunded, currency), currency)} {currency}" if refunded else "",
        cancelled_by=order["cancel_detail"]["requested_by"],
    )
