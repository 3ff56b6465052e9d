"""What the tests of every vendor's mapping start from: an order with each kind of charge, a request, a person."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from mappings.commands import OpenTicket, OrderLine, OrderStatus, Person, RecordOrder
from mappings.vendor import Plan

D = Decimal
#: 12.00 less 2.00 for three pieces: no price of one piece multiplies out to that.
TEA = OrderLine("A-1", "Tea", D(3), D("4.00"), D("2.00"), D("1.60"), D("10.00"))
CUP = OrderLine("B-2", "Cup", D(1), D("7.50"), D(0), D("1.23"), D("7.50"))
ORDER = RecordOrder(
    key="shop-order-9",
    number="1070",
    status=OrderStatus.PAID,
    customer=None,
    currency="USD",
    total=D("24.33"),
    tax=D("2.83"),
    shipping=D("5.00"),
    discount=D("1.00"),
    lines=(TEA, CUP),
    placed_at="2026-03-02T09:15:00-05:00",
)

ANA = Person(name="Ana María García", email="ana@example.mx", phone="+525512345678")
TICKET = OpenTicket(
    "mail-1",
    "Broken",
    "It broke.",
    ANA,
    "High",
    "email",
    "1070",
    attributes={"date": "Mon, 2 Mar 2026 10:00:00 +0700"},
)


def of_one_line(order: RecordOrder, item: OrderLine, currency: str) -> RecordOrder:
    """Return `order` with nothing to pay but `item`."""
    nought = replace(order, tax=D(0), shipping=D(0), discount=D(0))
    return replace(nought, currency=currency, total=item.total, lines=(item,))


def seven_pieces(order: RecordOrder, currency: str, total: str) -> RecordOrder:
    """Return `order` with seven pieces of one thing, whose price is no whole number of minor units."""
    item = OrderLine("A-1", "Tea", D(7), D(total), D(0), D(0), D(total))
    return of_one_line(order, item, currency)


def told(planned: Plan) -> list[str]:
    """Return the plan's field ledger, a sorted line each."""
    return sorted(f"{row.source} > {row.target} {row.outcome}".replace("  ", " ") for row in planned.fields)


def rows(*texts: str, who: str = "") -> list[str]:
    """Return the lines of `texts` as `told` has them, `{who}` standing for the command's word for the person."""
    return sorted(line for text in texts for line in text.replace("{who}", who).splitlines() if line)
