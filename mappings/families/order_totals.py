"""What every shop's order must come to: lines, shipping, tax and discount that add up to its total."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import chain, combinations

from mappings.commands import OrderLine
from mappings.formats.money import rounded

NOTHING = Decimal(0)
MOST = 8  # extras of which all combinations are tried; no sender has so many, and 256 take no time
Extra = tuple[str | None, Decimal]  # its name, None for the discount
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
    is not explained without them, because senders also put the same tip or discount among their lines: the
    fewest of them that explain it, where none do those that bring it nearer, one after the other. What is left
    at the end becomes a line of its own, so that it is seen and not lost.
    """
    order = list(lines)
    rest = total - besides - sum((line.total for line in order), NOTHING)
    offered: list[Extra] = [(None, -discount)] if discount > 0 else []
    offered += [extra for extra in extras if extra[1]]
    counted = _exactly(offered, rest) or _nearly(offered, rest)
    order += [extra_line(name, amount) for name, amount in counted if name is not None]
    rest -= sum((amount for _, amount in counted), NOTHING)
    if rest:
        order.append(extra_line(DIFFERENCE, rest))
    return tuple(order), -sum((amount for name, amount in counted if name is None), NOTHING)


def _exactly(offered: list[Extra], rest: Decimal) -> tuple[Extra, ...]:
    several = chain.from_iterable(
        combinations(offered[:MOST], size) for size in range(len(offered[:MOST]) + 1)
    )
    return next((some for some in several if sum((extra[1] for extra in some), NOTHING) == rest), ())


def _nearly(offered: list[Extra], rest: Decimal) -> tuple[Extra, ...]:
    counted = []
    for extra in offered:
        if abs(rest - extra[1]) < abs(rest):
            counted.append(extra)
            rest -= extra[1]
    return tuple(counted)
