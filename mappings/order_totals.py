"""What every shop's order must come to: lines, shipping, tax and discount that add up to its total."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from mappings.commands import OrderLine
from mappings.money import rounded

NOTHING = Decimal(0)
DIFFERENCE = "Difference to the order's total"


def money(amount: Decimal, currency: str) -> Decimal:
    """Return `amount` to the minor unit of `currency`, never as a negative zero."""
    return rounded(amount, currency) + NOTHING


def extra_line(name: str, amount: Decimal) -> OrderLine:
    """Return a line for an amount that is no product: a tip, a duty, a difference."""
    return OrderLine(
        sku="", name=name, quantity=Decimal(1), unit_price=amount, discount=NOTHING, tax=NOTHING, total=amount
    )


def balanced(
    lines: Iterable[OrderLine],
    *,
    total: Decimal,
    besides: Decimal,
    discount: Decimal,
    extras: Iterable[tuple[str, Decimal]],
) -> tuple[tuple[OrderLine, ...], Decimal]:
    """Return all lines, and the discount of the whole order, that together with `besides` come to `total`.

    `besides` is shipping and tax. `discount` and each of `extras` (name, amount) count only where the total
    is not explained without them, because senders also put the same tip or discount among their lines. What
    is left at the end becomes a line of its own, so that it is seen and not lost.
    """
    order = list(lines)
    rest = total - besides - sum((line.total for line in order), NOTHING)
    if discount > 0 and _explains(-discount, rest):
        rest += discount
    else:
        discount = NOTHING
    for name, amount in extras:
        if _explains(amount, rest):
            order.append(extra_line(name, amount))
            rest -= amount
    if rest:
        order.append(extra_line(DIFFERENCE, rest))
    return tuple(order), discount


def _explains(amount: Decimal, rest: Decimal) -> bool:
    return abs(rest - amount) < abs(rest)
