"""The figures of a Shopify order add up to its total, whatever the shop does with discounts, taxes, tips."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.commands import RecordOrder, as_json
from mappings.errors import CannotMap
from mappings.families.order_totals import DIFFERENCE
from mappings.formats.money import decimals, rounded
from mappings.source import Event
from mappings.sources import SOURCES

PLACED = "2026-03-02T09:15:00-05:00"


def recorded(payload: Any) -> RecordOrder:
    """Return the one command for an order with this payload."""
    event = Event("shop", "e-1", "orders/create", payload, {}, entity="order-1")
    (command,) = SOURCES["shopify"].handlers["orders/create"](event)
    assert isinstance(command, RecordOrder)
    return command


def order(**changes: Any) -> dict[str, Any]:
    """Return an order of one line of 10.00 USD, changed as said; None takes a key away."""
    line = {"title": "Cup", "price": "10.00", "quantity": 1, "sku": "CUP"}
    whole = {"id": 1, "name": "#1", "created_at": PLACED, "currency": "USD", "total_price": "10.00"}
    return {k: v for k, v in (whole | {"line_items": [line]} | changes).items() if v is not None}


def adds_up(command: RecordOrder) -> bool:
    """Return whether the parts of the order are its total, and each of them a whole number of minor units."""
    sums = [command.shipping, command.tax, *(line.total for line in command.lines)]
    everything = [command.total, command.discount, *sums]
    exact = all(amount == rounded(amount, command.currency) for amount in everything)
    return exact and sum(sums) - command.discount == command.total


figures: st.SearchStrategy[Any] = st.decimals(-9999, 99999, allow_nan=False, places=3).map(str) | st.integers(
    -99, 9999
)
shares = st.lists(st.fixed_dictionaries({"amount": figures}), max_size=2)
in_shop_money = figures.map(lambda figure: {"shop_money": {"amount": figure}})
taxes = st.lists(st.fixed_dictionaries({"price": figures}), max_size=2)
charges = st.fixed_dictionaries({"price": figures, "discount_allocations": shares, "tax_lines": taxes})
lines = st.fixed_dictionaries(
    {"price": figures, "quantity": st.integers(0, 999), "discount_allocations": shares, "tax_lines": taxes}
)
orders = st.fixed_dictionaries(
    {
        "created_at": st.just(PLACED),
        "currency": st.sampled_from(["USD", "JPY", "KWD", "VND"]),
        "total_price": figures,
        "taxes_included": st.booleans(),
        "line_items": st.lists(lines, max_size=3),
        "shipping_lines": st.lists(charges, max_size=2),
    },
    optional={
        "total_tax": figures,
        "total_discounts": figures,
        "total_tip_received": figures,
        "original_total_duties_set": in_shop_money,
        "original_total_additional_fees_set": st.none() | in_shop_money,
    },
)


@given(orders)
def test_an_order_in_the_crm_does_not_come_to_what_the_buyer_paid(payload: dict[str, Any]) -> None:
    command = recorded(payload)
    assert adds_up(command)
    assert command.total == rounded(Decimal(payload["total_price"]), payload["currency"])
    assert "-0" not in {as_json(command)[key].rstrip("0").rstrip(".") for key in ("total", "tax", "shipping")}
    whole = as_json(command)["total"]
    assert len(whole.partition(".")[2]) == decimals(command.currency)


@given(orders)
def test_a_consistent_order_gets_a_line_that_no_shop_sold(payload: dict[str, Any]) -> None:
    whole = payload | {"total_price": "0", "total_tip_received": "0", "total_discounts": "0"}
    whole |= {"original_total_duties_set": None, "original_total_additional_fees_set": None}
    first = recorded(whole)
    right = first.shipping + first.tax + sum(line.total for line in first.lines if line.name != DIFFERENCE)
    assert DIFFERENCE not in {line.name for line in recorded(whole | {"total_price": str(right)}).lines}


def test_a_tip_that_is_also_a_line_is_charged_twice() -> None:
    tip = {"title": "Tip", "price": "2.00", "quantity": 1}
    items = [*order()["line_items"], tip]
    listed = recorded(order(line_items=items, total_price="12.00", total_tip_received="2.00"))
    added = recorded(order(total_price="12.00", total_tip_received="2.00"))
    assert [line.name for line in listed.lines] == [line.name for line in added.lines] == ["Cup", "Tip"]


def test_duties_and_fees_vanish_in_a_difference() -> None:
    sets = {
        "original_total_duties_set": {"shop_money": {"amount": "3.00"}},
        "original_total_additional_fees_set": {"shop_money": {"amount": "0.50"}},
    }
    command = recorded(order(total_price="13.50", **sets))
    assert [(line.name, line.total) for line in command.lines[1:]] == [
        ("Duties", Decimal("3.00")),
        ("Additional fees", Decimal("0.50")),
    ]


def test_a_discount_that_no_line_carries_looks_like_an_error_of_ours() -> None:
    command = recorded(order(total_price="8.00", total_discounts="2.00"))
    assert (command.discount, len(command.lines)) == (Decimal("2.00"), 1)
    taken = [{"title": "Cup", "price": "10.00", "quantity": 1, "discount_allocations": [{"amount": "2.00"}]}]
    allocated = recorded(order(total_price="8.00", total_discounts="2.00", line_items=taken))
    assert (allocated.discount, allocated.lines[0].discount) == (Decimal("0.00"), Decimal("2.00"))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"total_price": None}, "total_price"),
        ({"currency": "dollars"}, "currency"),
        ({"created_at": "2026-03-02 09:15"}, "created_at"),
        ({"line_items": [{"quantity": 1}]}, "line_items[0].price"),
        ({"line_items": [{"price": "1", "quantity": "one"}]}, "line_items[0].quantity"),
        ({"line_items": [{"price": "1", "quantity": 10**6}]}, "line_items[0].quantity"),
        ({"line_items": [{"price": "1_000", "quantity": 1}]}, "line_items[0].price"),
        ({"shipping_lines": [{"price": "free"}]}, "shipping_lines[0].price"),
        ({"line_items": [{"price": "1", "quantity": 1, "tax_lines": [1]}]}, "line_items[0].tax_lines[0]"),
        ({"shipping_lines": [{"price": True}]}, "shipping_lines[0].price"),
        ({"total_tax": "NaN"}, "total_tax"),
        ({"total_tax": Decimal("NaN")}, "total_tax"),
        ({"total_tax": Decimal("sNaN")}, "total_tax"),
        ({"total_tax": Decimal("1E+308")}, "total_tax"),
        ({"total_tax": 10**4299}, "total_tax"),
        ({"customer": "me"}, "customer"),
        ({"note": ["x"]}, "note"),
    ],
)
def test_a_garbled_figure_is_guessed_and_not_shown_with_its_place(changes: Any, path: str) -> None:
    with pytest.raises(CannotMap) as refusal:
        recorded(order(**changes))
    assert refusal.value.path == path


def test_noise_of_a_senders_binary_fractions_reaches_an_invoice() -> None:
    command = recorded(order(total_price=Decimal("10.000000000000001"), total_tax=Decimal("1E-300")))
    assert (command.total, command.tax, len(command.lines)) == (Decimal("10.00"), Decimal("0.00"), 1)


@pytest.mark.parametrize("payload", [None, [], "x", 1, {}, [[1]]])
def test_a_payload_that_is_no_order_stops_the_worker(payload: Any) -> None:
    with pytest.raises(CannotMap):
        recorded(payload)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
keys = (
    "id customer billing_address line_items shipping_lines note total_price_set taxes_included note_attributes "
    "cancelled_at total_tax payment_gateway_names currency created_at discount_codes"
).split()


@settings(max_examples=200)
@given(orders, st.dictionaries(st.sampled_from(keys), junk, max_size=2), junk)
def test_a_strange_order_is_neither_recorded_nor_parked(base: Any, odd: Any, item: Any) -> None:
    payload = base | odd
    if isinstance(payload["line_items"], list):
        payload["line_items"] = [*payload["line_items"], {"price": "1", "quantity": 1, "tax_lines": item}]
    try:
        command = recorded(payload)
    except CannotMap:
        return
    assert adds_up(command)
    as_json(command)
