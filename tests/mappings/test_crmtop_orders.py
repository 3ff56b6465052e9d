"""CRMTop's opportunities and orders: bodies by hand from the API reference, money to the minor unit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.commands import OrderLine, OrderStatus
from mappings.errors import CannotMap
from mappings.formats.money import minor_unit
from mappings.vendor import JsonText, Ref
from tests.mappings.crmtop_examples import (
    CONTACT_KEY,
    CUSTOMER_KEY,
    ORDER,
    PARTY,
    REACHED,
    line,
    plan,
    record,
)

D = Decimal


@pytest.mark.parametrize("status", [OrderStatus.PAID, OrderStatus.OPEN])
def test_a_stage_that_relay_toml_does_not_know_is_left_to_people(status: OrderStatus) -> None:
    """Else a payment throws an opportunity back to the stage that every new one has."""
    opportunity, bought = plan(replace(ORDER, status=status), stage=1, order_status=1).records[-2:]
    assert (opportunity.body["stage"], bought.body["status"]) == (1, 1)
    assert opportunity.changes is not None
    assert bought.changes is not None
    assert "stage" not in opportunity.changes
    assert "status" not in bought.changes


def test_an_order_becomes_customer_contact_products_opportunity_and_order() -> None:
    """Else an order is missing in one of the places where the CRM's people look for it."""
    planned = plan(ORDER, stage=1, order_status=1)
    assert [(r.kind, r.key, r.shared) for r in planned.records] == [
        ("customer", CUSTOMER_KEY, True),
        ("contact", CONTACT_KEY, True),
        *(("product", f"prod-{sku}", True) for sku in ("A-1", "B-2", "SHIPPING", "TAX", "DISCOUNT")),
        ("opportunity", "shop-order-9", False),
        ("order", "shop-order-9", False),
    ]
    customer, contact, tea, *_ = planned.records
    reach = {"phone": "+84901234567", "email": "Lan@example.vn", "address": "1 Lê Lợi, Huế, VN"}
    assert customer.body == {"code": CUSTOMER_KEY, "name": "Nguyễn Lan", **reach}
    assert customer.match == {"code": CUSTOMER_KEY, **REACHED}
    assert contact.body == {
        "code": CONTACT_KEY,
        "customerId": Ref("customer", CUSTOMER_KEY),
        "customerName": "Nguyễn Lan",
        "fullName": "Nguyễn Lan",
        **reach,
    }
    assert contact.match == {"code": CONTACT_KEY, **REACHED}
    assert (tea.body, tea.match) == (
        {"code": "A-1", "name": "Tea", "retailPrice": D("4.00")},
        {"code": "A-1"},
    )
    assert planned.records[-2].body == {
        **PARTY,
        "code": "shop-order-9",
        "name": "Order #1070 [shop-order-9]",
        "amount": D("24.33"),
        "currency": "USD",
        "stage": 1,
        # 23:15 in New York is the next day in Việt Nam; 30 days later where it was placed.
        "expectedCloseDate": "2026-04-01T00:00:00+07:00",
    }


def test_an_orders_lines_add_up_to_its_total() -> None:
    """Else the order in the CRM is worth another amount than the customer paid."""
    body = record(plan(ORDER, order_status=1), "order").body
    products = body["products"]
    assert {name: value for name, value in body.items() if name != "products"} == {
        "code": "shop-order-9",
        "customerId": Ref("customer", CUSTOMER_KEY),
        "customerName": "Nguyễn Lan",
        "orderDate": "2026-03-03T11:15:00+07:00",
        "totalAmount": D("24.33"),
        "taxAmount": D("2.83"),
        # 1.00 off the whole order and 2.00 off the tea.
        "discountAmount": D("3.00"),
        "status": 1,
        "receiverName": "Nguyễn Lan",
        "receiverPhone": "+84901234567",
        "receiverEmail": "Lan@example.vn",
        "receiverAddress": "1 Lê Lợi, Huế, VN",
        "note": "Order #1070 [shop-order-9]",
    }
    tea = "Tea, discount 2.00, tax 1.60"
    assert products == JsonText(
        [
            line("A-1", "Tea", 2, "3.33", "6.66", tea),
            line("A-1", "Tea", 1, "3.34", "3.34", tea),
            line("B-2", "Cup", 1, "7.50", "7.50", "Cup, tax 1.23"),
            line("SHIPPING", "Shipping", 1, "5.00", "5.00", "Shipping"),
            line("TAX", "Tax", 1, "2.83", "2.83", "Tax"),
            line("DISCOUNT", "Discount", 1, "-1.00", "-1.00", "Discount"),
        ]
    )


def test_lines_can_be_text() -> None:
    """Else a tenant whose CRM shows `products` as it is gets JSON on its screens."""
    body = record(plan(ORDER, products_format="text"), "order").body
    assert body["products"].splitlines() == [
        "3 x A-1 Tea, discount 2.00, tax 1.60: 10.00 USD",
        "1 x B-2 Cup, tax 1.23: 7.50 USD",
        "1 x SHIPPING Shipping: 5.00 USD",
        "1 x TAX Tax: 2.83 USD",
        "1 x DISCOUNT Discount: -1.00 USD",
    ]


STANDING: dict[str, tuple[OrderStatus, str, dict[str, Any], dict[str, Any]]] = {
    "paid": (OrderStatus.PAID, "", {"stage": 4}, {"status": 2}),
    "cancelled": (
        OrderStatus.CANCELLED,
        "customer changed mind",
        {"stage": 5},
        {"status": 3, "note": "customer changed mind"},
    ),
    "updated": (OrderStatus.OPEN, "", {}, {}),
}


@pytest.mark.parametrize(("status", "reason", "stage", "standing"), STANDING.values(), ids=STANDING)
def test_what_happens_to_an_order_reaches_opportunity_and_order(
    status: OrderStatus, reason: str, stage: dict[str, Any], standing: dict[str, Any]
) -> None:
    """Else a paid order stays open for ever, or an update throws back the stage that a person has set."""
    values = {"stage": 1, "stages": {"paid": 4, "cancelled": 5}}
    values |= {"order_status": 1, "order_statuses": {"paid": 2, "cancelled": 3}}
    planned = plan(replace(ORDER, status=status, reason=reason), **values)
    opportunity, bought = planned.records[-2:]
    assert opportunity.changes == {"amount": D("24.33"), "currency": "USD", **stage}
    assert bought.changes == {
        "totalAmount": D("24.33"),
        "taxAmount": D("2.83"),
        "discountAmount": D("3.00"),
        "products": bought.body["products"],
        **standing,
    }
    free = plan(replace(ORDER, total=D(0), tax=D(0), shipping=D(0), discount=D(0), lines=()))
    assert [r.changes for r in free.records[-2:]] == [
        {"amount": D(0), "currency": "USD"},
        {"totalAmount": D(0), "taxAmount": D(0), "discountAmount": D(0), "products": JsonText([])},
    ], "an amount of nought is an amount"
    assert opportunity.body["stage"] == stage.get("stage", 1)
    assert bought.body["status"] == standing.get("status", 1)


def test_a_status_that_relay_toml_does_not_know_is_written_down() -> None:
    """Else a cancelled order looks like any other where nobody has set up its status."""
    gone = plan(replace(ORDER, status=OrderStatus.CANCELLED, reason="fraud"), order_status=1)
    changes = record(gone, "order").changes
    assert changes is not None
    assert changes["note"] == "fraud\nstatus: cancelled"
    assert record(gone, "order").body["note"] == "Order #1070 [shop-order-9]\n\nfraud\n\nstatus: cancelled"
    assert record(plan(ORDER), "order").body["note"] == "Order #1070 [shop-order-9]\n\nstatus: open"


def test_an_order_of_nobody_goes_to_the_stand_in() -> None:
    """Else anonymous orders are lost, or each makes a customer of its own."""
    first, second = (
        plan(replace(ORDER, customer=None, key=key)) for key in ("shop-order-9", "shop-order-10")
    )
    assert first.records[:2] == second.records[:2]
    assert first.records[0].body["name"] == "Web shop customer"
    assert "receiverName" not in first.records[-1].body


@pytest.mark.parametrize(("currency", "total"), [("VND", "1250000"), ("KWD", "10.005"), ("USD", "10.00")])
def test_money_keeps_its_currencys_decimals(currency: str, total: str) -> None:
    """Else a đồng order has a third of a đồng, and a dinar loses its fils."""
    item = OrderLine("A-1", "Tea", D(7), D(total), D(0), D(0), D(total))
    nothing = {"tax": D(0), "shipping": D(0), "discount": D(0)}
    bare = replace(ORDER, currency=currency, total=D(total), lines=(item,), **nothing)
    lines = record(plan(bare), "order").body["products"].value
    assert sum(one["quantity"] * one["price"] for one in lines) == D(total)
    assert all(one["price"] % minor_unit(currency) == 0 for one in lines)


def test_a_foreign_order_is_parked_where_the_currency_is_known() -> None:
    """Else 100 USD become 100 VND, since an order's amounts bear no currency."""
    with pytest.raises(CannotMap, match="currency"):
        plan(ORDER, currency="VND")
    plan(ORDER, currency="USD")


_AMOUNT = st.integers(0, 10**8)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["USD", "VND", "KWD"]),
    st.lists(st.tuples(st.integers(0, 40), _AMOUNT, _AMOUNT, _AMOUNT), max_size=4),
    st.tuples(_AMOUNT, _AMOUNT, _AMOUNT, _AMOUNT),
)
def test_any_orders_lines_come_to_its_total(
    currency: str, rows: list[tuple[int, int, int, int]], sums: tuple[int, int, int, int]
) -> None:
    """Else some order, some day, is worth more in the CRM than in the shop."""
    unit = minor_unit(currency)
    lines = tuple(
        OrderLine(f"S-{n}", "", D(pieces) / 4, price * unit, off * unit, D(0), total * unit)
        for n, (pieces, price, off, total) in enumerate(rows)
    )
    total, tax, shipping, discount = (amount * unit for amount in sums)
    order = replace(
        ORDER, currency=currency, lines=lines, total=total, tax=tax, shipping=shipping, discount=discount
    )
    body = record(plan(order), "order").body
    assert body["totalAmount"] == total
    assert sum((one["totalAmount"] for one in body["products"].value), D(0)) == total
    assert all(one["quantity"] * one["price"] == one["totalAmount"] for one in body["products"].value)
