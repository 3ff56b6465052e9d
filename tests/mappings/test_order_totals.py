"""What comes on top of an order's lines: the CRM must show the packing as packing and the coupon as a coupon."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.families.order_totals import DIFFERENCE, balanced, extra_line

D = Decimal
GOODS = (extra_line("Ring", D(100)),)


@pytest.mark.parametrize(
    ("total", "discount", "extras", "lines", "taken_off"),
    [
        # Each alone leads away from the total, or halfway to it: only both together explain it.
        (105, 5, [("Packing", 10)], [("Packing", 10)], 5),
        (97, 13, [("Tip", 4), ("Duty", 6)], [("Tip", 4), ("Duty", 6)], 13),
        (95, 5, [("Packing", 10)], [], 5),
        (110, 5, [("Packing", 10)], [("Packing", 10)], 0),
        (100, 5, [("Packing", 10)], [], 0),  # both are in the lines already
        (104, 0, [("Tip", 4), ("Duty", 4)], [("Tip", 4)], 0),
        (112, 0, [("Packing", 10)], [("Packing", 10), (DIFFERENCE, 2)], 0),
        (90, 8, [], [(DIFFERENCE, -2)], 8),
        (110, 0, [("", 10)], [("", 10)], 0),  # a fee without a name is not a discount
    ],
)
def test_an_amount_of_the_order_is_called_a_difference(
    total: int, discount: int, extras: list[tuple[str, int]], lines: list[tuple[str, int]], taken_off: int
) -> None:
    found, unallocated = balanced(
        GOODS,
        total=D(total),
        besides=D(0),
        discount=D(discount),
        extras=[(name, D(amount)) for name, amount in extras],
    )
    assert [(line.name, line.total) for line in found[1:]] == [(name, D(amount)) for name, amount in lines]
    assert unallocated == taken_off
    assert sum(line.total for line in found) - unallocated == total


def test_twenty_fees_keep_a_worker_busy() -> None:
    """All combinations of twenty are a million; what is beyond the first few is taken one after the other."""
    fees = [(f"Fee {n}", D(2**n)) for n in range(20)]
    found, _ = balanced(GOODS, total=D(100 + 2**20 - 1), besides=D(0), discount=D(0), extras=fees)
    assert [line.name for line in found[1:]] == [name for name, _ in fees]
