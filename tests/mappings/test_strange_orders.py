"""Orders as shops all over the world write them, none of them a sample: they add up, and say what was bought."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest

from mappings.commands import OrderLine, RecordOrder
from mappings.source import Event
from mappings.sources import SOURCES
from mappings.sources.stripe import SOURCE as STRIPE


def order_of(kind: str, type_: str, payload: Any, fetched: Any = None) -> RecordOrder:
    """Return the order that a payload makes, after a look whether its parts come to its total."""
    payload, fetched = (
        json.loads(json.dumps(part), parse_float=Decimal) for part in (payload, fetched or {})
    )
    event = Event(kind, "e1", type_, payload, {}, entity="order-1", fetched=fetched)
    (order,) = SOURCES[kind].handlers[type_](event)
    assert isinstance(order, RecordOrder)
    parts = sum((line.total for line in order.lines), order.shipping + order.tax - order.discount)
    assert parts == order.total
    return order


def brief(line: OrderLine) -> str:
    return f"{line.quantity.normalize():f} x {line.name} at {line.unit_price:f} = {line.total:f}"


def shopify(*lines: dict[str, Any], **told: Any) -> RecordOrder:
    """Return a Shopify-like order with nothing in it but what it must have."""
    kind = told.pop("kind", "shopify")
    bare = {
        "id": 5001,
        "name": "#5001",
        "created_at": "2026-03-02T10:00:00+03:00",
        "financial_status": "paid",
        "line_items": lines,
        **dict.fromkeys(("customer", "billing_address", "shipping_address", "shipping_lines", "refunds")),
        **dict.fromkeys(("total_tip_received", "total_discounts", "total_tax", "note_attributes")),
    }
    return order_of(kind, "orders/updated", {**bare, **told})


def test_dinars_with_the_tax_inside_a_tip_and_a_discount() -> None:
    """Otherwise an order of Kuwait is out by a factor of ten, or by a fils."""
    abaya = {"title": "عباية", "price": "10.375", "quantity": 1, "sku": "A"}
    abaya |= {"discount_allocations": [{"amount": "1.250"}], "tax_lines": [{"price": "0.435"}]}
    order = shopify(
        abaya,
        currency="KWD",
        taxes_included=True,
        total_price="10.625",
        total_tax="0.601",
        total_discounts="1.250",
        total_tip_received="0.500",
        shipping_lines=[{"title": "DHL 🚚", "price": "1.000", "tax_lines": [{"price": "0.166"}]}],
    )
    assert [brief(line) for line in order.lines] == [
        "1 x عباية at 10.375 = 8.690",
        "1 x Tip at 0.500 = 0.500",
    ]
    assert (order.tax, order.shipping) == (Decimal("0.601"), Decimal("0.834"))


def test_yen_as_numbers_with_the_tax_on_top() -> None:
    """Otherwise an app that writes figures as numbers parks every order."""
    order = shopify(
        {"title": "お茶", "price": 1000, "quantity": 3, "tax_lines": [{"price": 300}]},
        currency="JPY",
        taxes_included=False,
        total_price=3300,
        total_tax=300,
    )
    assert [brief(line) for line in order.lines] == ["3 x お茶 at 1000 = 3000"]
    assert str(order.total) == "3300"


def test_an_exchange_with_a_line_below_zero() -> None:
    """Otherwise what was given back in an exchange counts as sold."""
    back = {"title": "Back: Boots", "price": "-20.00", "quantity": 1}
    order = shopify(
        back, {"title": "Shoes", "price": "35.00", "quantity": 1}, currency="EUR", total_price="15.00"
    )
    assert [line.total for line in order.lines] == [Decimal("-20.00"), Decimal("35.00")]


def test_five_hundred_lines_of_a_cent() -> None:
    """Otherwise the cents of a long order are rounded away."""
    lines = [{"title": f"Bead {n}", "price": "0.01", "quantity": 1} for n in range(500)]
    order = shopify(*lines, currency="USD", total_price="5.00")
    assert len(order.lines) == 500
    assert order.total == Decimal("5.00")


def test_what_was_typed_by_hand_is_no_product() -> None:
    """Otherwise all that a shop ever sold without a product is one article at the CRM, by the name of the first."""
    typed = {"title": "Engraving", "price": 100000.0, "quantity": 1, "variant_id": 0, "product_id": 0}
    order = shopify(typed, kind="haravan", currency="VND", total_price=100000.0)
    assert order.lines[0].sku == "engraving"
    product = {
        "name": "Repair",
        "quantity": 1,
        "total_ex_tax": 10.345,
        "price_ex_tax": 10.345,
        "product_id": 0,
    }
    big = {
        "id": 9,
        "status_id": 11,
        "date_created": "Mon, 02 Mar 2026 09:15:00 +0000",
        "default_currency_code": "KWD",
        "total_inc_tax": 10.345,
        "billing_address": None,
        "fees": None,
        "store_credit_amount": "1.0000",
        "refunded_amount": "0.345",
    }
    order = order_of(
        "bigcommerce", "store/order/created", {"data": {"id": 9}}, {"order": big, "products": [product]}
    )
    assert order.lines[0].sku == ""
    assert order.attributes == {"store_credit": "1.000 KWD", "refunded": "0.345 KWD"}


def woo(*lines: dict[str, Any], **told: Any) -> RecordOrder:
    bare = {"id": 77, "number": "77", "status": "processing", "date_created_gmt": "2026-03-02T10:00:00"}
    nothing = dict.fromkeys(("billing", "shipping", "coupon_lines", "refunds", "meta_data", "fee_lines"))
    return order_of("woocommerce", "order.updated", {**bare, **nothing, "line_items": lines, **told})


def test_an_order_of_bahrain_with_fees_on_both_sides_of_zero() -> None:
    """Otherwise a fee that is a gift is charged, or thousandths get lost."""
    oud = {
        "name": "Oud &amp; rose",
        "quantity": 3,
        "subtotal": "9.050",
        "total": "8.550",
        "total_tax": "0.855",
    }
    order = woo(
        oud,
        currency="BHD",
        total="10.505",
        total_tax="0.955",
        shipping_total="1.000",
        fee_lines=[
            {"name": "Gift &#8482;", "total": "-0.500", "total_tax": "-0.050"},
            {"name": "Rounding", "total": "0.500", "total_tax": "0.050"},
        ],
        refunds=[{"id": 1, "reason": None, "total": "-2.000"}],
    )
    assert [brief(line) for line in order.lines] == [
        "3 x Oud & rose at 3.016667 = 8.550",
        "1 x Gift ™ at -0.500 = -0.500",
        "1 x Rounding at 0.500 = 0.500",
    ]
    assert order.customer is None
    assert order.attributes["refunded"] == "2.000 BHD"


def test_five_hundred_lines_with_parts_of_a_cent() -> None:
    """Otherwise the roundings of 500 lines make the order dearer than it was: they stand in a line of their own."""
    lines = [{"name": f"P{n}", "quantity": 1, "subtotal": "0.1199", "total": "0.1199"} for n in range(500)]
    order = woo(*lines, currency="EUR", total=59.95, total_tax=0)
    assert order.lines[-1].total == Decimal("-0.05")
    assert len(order.lines) == 501


def test_a_completed_order_without_a_day_of_payment_was_closed_when_it_was_completed() -> None:
    """Otherwise cash on delivery has no day in the reports, or the day of the order."""
    told = {"currency": "EUR", "total": "1.00", "date_completed_gmt": "2026-03-05T10:00:00"}
    line = {"name": "Tea", "quantity": 1, "total": "1.00"}
    assert woo(line, **told, status="completed").closed_at == "2026-03-05T10:00:00+00:00"
    assert woo(line, **told).closed_at == ""


def invoice(*lines: dict[str, Any], **told: Any) -> RecordOrder:
    """Return a Stripe invoice of lines that have an amount and nothing more."""
    bare = {"description": "Line", **dict.fromkeys(("price", "pricing", "taxes", "discount_amounts"))}
    whole = {"id": "in_1", "created": 1772445600, "lines": {"data": [{**bare, **line} for line in lines]}}
    assert "invoice.paid" in STRIPE.handlers
    return order_of("stripe", "invoice.paid", {"created": 1, "data": {"object": {**whole, **told}}})


@pytest.mark.parametrize(
    ("currency", "line", "expected"),
    [
        ("kwd", {"amount": 12000, "quantity": 3}, "3 x Line at 4.000 = 12.000"),
        ("jpy", {"amount": 1000, "quantity": 3}, "3 x Line at 333.333333 = 1000"),
        ("isk", {"amount": 150000, "quantity": None}, "1 x Line at 1500 = 1500"),
        ("ugx", {"amount": 150000, "quantity": 0}, "0 x Line at 1500 = 1500"),
        ("mga", {"amount": 1500, "quantity": 1}, "1 x Line at 1500 = 1500"),
    ],
)
def test_an_invoice_in_small_units(currency: str, line: dict[str, Any], expected: str) -> None:
    """Otherwise a line costs a hundred times too much, or all its pieces are the price of one."""
    (found,) = invoice(line, currency=currency, total=line["amount"]).lines
    quantity, name, _, price, _, total = expected.replace(" x ", " ").split()
    assert (found.quantity, found.name) == (Decimal(quantity), name)
    assert (found.unit_price, found.total) == (Decimal(price), Decimal(total))


def test_a_change_of_plan_in_the_middle_of_a_month() -> None:
    """Otherwise what a customer gets back for the old plan is charged once more."""
    order = invoice({"amount": -1500}, {"amount": 3000}, currency="eur", total=1500)
    assert [line.total for line in order.lines] == [Decimal("-15.00"), Decimal("30.00")]


@pytest.mark.parametrize(
    "name", ["Đặng Thị Mỹ Duyên", "Zoë Brontë", "Łukasz Żółć", "ガザニア", "한지민", "שרה כהן", "😀 O’Neil"]
)
def test_a_name_is_written_as_keyboards_type_it(name: str) -> None:
    """Otherwise nobody finds a customer whose name was copied from an Apple computer, and he is made twice."""
    address = {"name": unicodedata.normalize("NFD", name), "first_name": None, "last_name": None}
    order = shopify(
        {"title": "T", "price": "1.00", "quantity": 1},
        currency="EUR",
        total_price="1.00",
        billing_address=address,
    )
    assert order.customer is not None
    assert order.customer.name == name
    (lead,) = SOURCES["form"].handlers["submitted"](
        Event("form", "1", "submitted", {"name": address["name"]}, {})
    )
    assert lead.person.name == name  # type: ignore[union-attr]


def test_a_family_name_keeps_its_own_form_of_a_letter() -> None:
    """Otherwise a Japanese family reads another name than its own: the usual form stands for U+FA19 in NFC."""
    kept = "\ufa19谷"
    (lead,) = SOURCES["form"].handlers["submitted"](Event("form", "1", "submitted", {"name": kept}, {}))
    assert lead.person.name == kept  # type: ignore[union-attr]


def test_a_buyer_without_a_country_keeps_what_was_typed() -> None:
    """Otherwise an extension is lost, or a number of one country becomes one of another."""
    address = {
        "address1": "Số 5",
        "city": "Huế",
        "phone": "(028) 3822-1234 ext. 12",
        "country": None,
        "zip": None,
    }
    order = shopify(
        {"title": "T", "price": "1.00", "quantity": 1},
        currency="EUR",
        total_price="1.00",
        billing_address=address,
        email="lan+shop@bücher.example",
    )
    buyer = order.customer
    assert buyer is not None
    assert (buyer.phone, buyer.email) == ("(028) 3822-1234 ext. 12", "lan+shop@bücher.example")
    assert buyer.address is not None
    assert (buyer.address.street, buyer.address.country) == ("Số 5", "")


def test_an_empty_text_stands_for_nothing() -> None:
    """Otherwise a shop that writes "" for an amount that there is none of has its orders parked."""
    line = {"title": "T", "price": "1.00", "quantity": 1, "total_discount": "", "sku": ""}
    order = shopify(line, currency="EUR", total_price="1.00", total_tax="", total_discounts="")
    assert (order.tax, order.total) == (Decimal("0.00"), Decimal("1.00"))
