"""Orders as charges: whatever a shop sends, the CRM must show the same total, to the minor unit."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.commands import OrderLine, OrderStatus, Person, RecordOrder
from mappings.formats.keys import slug
from mappings.formats.money import minor_unit
from mappings.writing.orders import Charge, charges, priced
from mappings.writing.parties import account_key, contact_key

D = Decimal

CURRENCIES = st.sampled_from(["USD", "JPY", "VND", "KWD"])
SAFE = re.compile(r"[A-Za-z0-9._@+-]{1,64}")


@st.composite
def orders(draw: st.DrawFn) -> RecordOrder:
    """Any order, adding up or not, with amounts in whole minor units."""
    currency = draw(CURRENCIES)

    def amount(low: int = 0) -> D:
        return draw(st.integers(low, 10**9)) * minor_unit(currency)

    lines = tuple(
        OrderLine(f"S-{place}", "", quantity, amount(), amount(), amount(), amount(-(10**6)))
        for place, quantity in enumerate(
            draw(st.lists(st.integers(0, 400).map(lambda n: D(n) / 4), max_size=5))
        )
    )
    return RecordOrder(
        "k",
        "1",
        OrderStatus.OPEN,
        None,
        currency,
        amount(),
        amount(),
        amount(),
        amount(),
        lines,
        "2026-03-02",
    )


@settings(max_examples=150, deadline=None)
@given(orders(), st.booleans())
def test_charges_and_their_pieces_sum_exactly_to_the_order(order: RecordOrder, show_tax: bool) -> None:
    """Else the CRM's revenue differs from the shop's."""
    asked = charges(order, taxed=lambda line: show_tax)
    assert sum((charge.total for charge in asked), D(0)) == order.total
    for charge in asked:
        pairs = priced(charge, order.currency)
        assert sum(pieces * price for pieces, price in pairs) == charge.total - charge.tax
        assert all(pieces > 0 and price % minor_unit(order.currency) == 0 for pieces, price in pairs)


def charge(quantity: str, total: str) -> Charge:
    return Charge("lines[0]", "A", "Tea", D(quantity), D(0), D(total), "Tea")


@pytest.mark.parametrize(
    ("quantity", "total", "currency", "pairs"),
    [
        ("3", "10.00", "USD", ((2, D("3.33")), (1, D("3.34")))),
        ("3", "-10.00", "USD", ((2, D("-3.33")), (1, D("-3.34")))),
        ("3", "100", "JPY", ((2, D("33")), (1, D("34")))),
        ("4", "10.00", "USD", ((4, D("2.50")),)),
        ("1.5", "10.00", "USD", ((1, D("10.00")),)),
        ("0", "10.00", "USD", ((1, D("10.00")),)),
        ("2", "0.005", "USD", ((1, D("0.005")),)),
    ],
)
def test_a_price_that_does_not_divide_is_split(
    quantity: str, total: str, currency: str, pairs: tuple[tuple[int, D], ...]
) -> None:
    """Else three pieces for 10.00 are 9.99 in the CRM."""
    assert priced(charge(quantity, total), currency) == pairs


def test_an_order_that_does_not_add_up_says_so_in_a_charge() -> None:
    """Else the CRM's total is another one than the customer paid."""
    line = OrderLine("", "Trà xanh", D("1.5"), D(4), D("1.00"), D("0.50"), D("5.00"))
    order = RecordOrder(
        "k", "1", OrderStatus.OPEN, None, "USD", D("9.00"), D("0.50"), D("3.00"), D("0.25"), (line,), ""
    )
    assert [(c.sku, c.total, c.description) for c in charges(order)] == [
        ("tra-xanh-" + slug("trà xanh")[-10:], D("5.00"), "Trà xanh, quantity 1.5, discount 1.00, tax 0.50"),
        ("SHIPPING", D("3.00"), "Shipping"),
        ("TAX", D("0.50"), "Tax"),
        ("DISCOUNT", D("-0.25"), "Discount"),
        ("DIFFERENCE", D("0.75"), "Difference to the order's total"),
    ]


@given(st.text(max_size=200))
def test_keys_are_safe_in_a_path_and_tell_names_apart(name: str) -> None:
    """Else a customer's name breaks the vendor's URL, or two customers become one."""
    assert SAFE.fullmatch(slug(name))
    assert len(slug(name)) <= 58
    assert slug(name + "é") != slug(name + "e")


def test_people_are_known_by_email_then_by_full_phone() -> None:
    """Else one customer becomes two contacts, or two become one."""
    assert contact_key(Person(email=" Lan@Example.COM ", phone="+84901234567")) == "lan@example.com"
    assert contact_key(Person(phone="+84901234567")) == "+84901234567"
    assert contact_key(Person(name="Lan", phone="0901234567")) is None
    assert (
        account_key(Person(company="ACME", email="a@b.c")) == account_key(Person(company=" acme ")) == "acme"
    )
    assert account_key(Person(email="a@b.c")) == "a@b.c"
