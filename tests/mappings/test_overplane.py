"""Overplane orders, written by hand from the vendor's document: a customer, an opportunity and its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from mappings.commands import Address, Command, OrderLine, OrderStatus, Person, RecordOrder
from mappings.errors import CannotMap, ValueMissing
from mappings.vendor import Account, Named, Plan, Record, Ref
from mappings.vendors import VENDORS
from tests.mappings.test_orders import orders
from tests.mappings.vendor_examples import ORDER as DOLLARS

D = Decimal

OVERPLANE = VENDORS["overplane"]
VALUES = {"company": "Example Corp", "entries_by": "text"}
ITEMS = {"items": "create", "item_group": "Products", "stock_uom": "Nos"}
ANA = Person(
    name="Ana García",
    email="ana@example.com",
    phone="+34600000001",
    address=Address("Calle Mayor 1", "Madrid", "Comunidad de Madrid", "28013", "ES"),
    language="es",
)
ORDER = replace(
    DOLLARS,
    number="#1070",
    status=OrderStatus.OPEN,
    customer=ANA,
    currency="EUR",
    placed_at="2026-03-02T23:15:00-05:00",
)
ADDRESS = "Calle Mayor 1, Madrid, Comunidad de Madrid, 28013, ES"


def plan(command: Command, **values: Any) -> Plan:
    return OVERPLANE.planners[type(command)](command, Account("overplane", VALUES | values))


def told(planned: Plan) -> list[str]:
    return [f"{row.source} > {row.target} {row.outcome}".replace("  ", " ") for row in planned.fields]


def of_kind(planned: Plan, kind: str) -> list[Record]:
    return [record for record in planned.records if record.kind == kind]


def amount(planned: Plan) -> D:
    return sum((r.body["qty"] * r.body["rate"] for r in of_kind(planned, "opportunity_item")), D(0))


def line(number: int, code: str, name: str, pieces: int, rate: str, said: str = "") -> Mapping[str, Any]:
    return {
        "opportunity_id": Ref("opportunity", "shop-order-9"),
        "idx": number,
        "item_code": code,
        "item_name": name,
        "description": f"{said or name} [shop-order-9.{number}]",
        "qty": D(pieces),
        "rate": D(rate),
    }


def test_an_order_becomes_a_customer_an_opportunity_and_its_lines() -> None:
    """Else the shop's turnover is not in the CRM, or not to the cent."""
    planned = plan(ORDER, owner="ana@corp.example", stage="Prospecting")
    customer, opportunity, *lines = planned.records
    assert customer.body == {
        "customer_name": "Ana García",
        "customer_type": "Individual",
        "email_id": "ana@example.com",
        "mobile_no": "+34600000001",
        "customer_details": ADDRESS,
        "language": "es",
    }
    assert (customer.match, customer.shared) == ({"email": "ana@example.com"}, True)
    assert opportunity.body == {
        "opportunity_from": "Customer",
        "party_name": Ref("customer", "acct-ana@example.com"),
        "company": "Example Corp",
        "title": "Order #1070 [shop-order-9]",
        "utm_content": "shop-order-9",
        "status": "Open",
        "sales_stage": "Prospecting",
        "probability": D(50),
        "currency": "EUR",
        "opportunity_amount": D("24.33"),
        "transaction_date": "2026-03-02",
        "expected_closing": "2026-04-01",
        "opportunity_owner": "ana@corp.example",
        "contact_display": "Ana García",
        "contact_email": "ana@example.com",
        "contact_mobile": "+34600000001",
        "address_display": ADDRESS,
        "city": "Madrid",
        "state": "Comunidad de Madrid",
        "country": "ES",
        "language": "es",
    }
    assert [record.body for record in lines] == [
        line(1, "A-1", "Tea", 2, "3.33", "Tea, discount 2.00, tax 1.60"),
        line(2, "A-1", "Tea", 1, "3.34", "Tea, discount 2.00, tax 1.60"),
        line(3, "B-2", "Cup", 1, "7.50", "Cup, tax 1.23"),
        line(4, "SHIPPING", "Shipping", 1, "5.00"),
        line(5, "TAX", "Tax", 1, "2.83"),
        line(6, "DISCOUNT", "Discount", 1, "-1.00"),
    ]
    assert amount(planned) == D("24.33")
    assert opportunity.expect == {"total": D("24.33")}
    assert planned.records[planned.about] is opportunity


def test_an_order_that_is_sent_again_changes_what_it_says_and_no_more() -> None:
    """Else what people typed into the opportunity is overwritten, or what changed in the shop is not seen."""
    _, opportunity, first, *_ = plan(ORDER, stage="Prospecting").records
    assert opportunity.changes == {
        "currency": "EUR",
        "opportunity_amount": D("24.33"),
        "status": "Open",
        "order_lost_reason": "",
        "probability": 50,
    }
    assert first.changes == {k: v for k, v in first.body.items() if k != "opportunity_id"}
    assert plan(ORDER).parts == ("opportunity_item", "lost_reason")


@pytest.mark.parametrize(
    ("status", "reason", "sent"),
    [
        (OrderStatus.OPEN, "", ("Open", "", 50)),
        (OrderStatus.PAID, "", ("Converted", "", 100)),
        (OrderStatus.CANCELLED, "inventory", ("Lost", "inventory", 0)),
        (OrderStatus.REFUNDED, "", ("Lost", "refunded", 0)),
    ],
)
def test_where_an_order_stands_is_its_opportunitys_status(
    status: OrderStatus, reason: str, sent: tuple[str, str, int]
) -> None:
    """Else lost money counts as expected, and nobody sees why it was lost."""
    (opportunity,) = of_kind(plan(replace(ORDER, status=status, reason=reason)), "opportunity")
    for body in (opportunity.body, opportunity.changes or {}):
        found = (body["status"], body.get("order_lost_reason", ""), body["probability"])
        assert found == sent


def test_the_words_for_a_status_are_the_accounts() -> None:
    """Else an account with words of its own refuses every paid order."""
    values = {"status_won": "Won", "stages": {"Paid": "Negotiation/Review"}, "stage": "Prospecting"}
    (won,) = of_kind(plan(replace(ORDER, status=OrderStatus.PAID), **values), "opportunity")
    assert (won.body["status"], won.body["sales_stage"]) == ("Won", "Negotiation/Review")
    assert (won.changes or {})["sales_stage"] == "Negotiation/Review"


def test_a_lost_order_has_the_accounts_reason_too() -> None:
    """Else the account's own report of lost reasons is empty."""
    lost = replace(ORDER, status=OrderStatus.CANCELLED, reason="customer")
    assert of_kind(plan(lost), "lost_reason") == []
    for values in ({"lost_reason": "No answer"}, {"lost_reasons": {"Customer": "No answer"}}):
        (detail,) = of_kind(plan(lost, **values), "lost_reason")
        assert detail.body == {
            "opportunity_id": Ref("opportunity", "shop-order-9"),
            "lost_reason": "No answer",
        }
        assert detail.key == "shop-order-9.lost"
    assert of_kind(plan(ORDER, lost_reason="No answer"), "lost_reason") == []


def test_an_account_that_knows_its_items_gets_them_first() -> None:
    """Else it refuses every line, and orders have an amount that nothing adds up to."""
    planned = plan(ORDER, **ITEMS)
    items = of_kind(planned, "item")
    assert [(item.key, item.match, item.shared) for item in items][:2] == [
        ("prod-A-1", {"code": "A-1"}, True),
        ("prod-B-2", {"code": "B-2"}, True),
    ]
    assert items[0].body == {
        "item_code": "A-1",
        "item_name": "Tea",
        "item_group": "Products",
        "stock_uom": "Nos",
    }
    assert items[2].body["is_stock_item"] is False, "shipping lies in no warehouse"
    first = of_kind(planned, "opportunity_item")[0]
    assert (first.body["uom"], first.body["item_group"]) == ("Nos", "Products")
    assert planned.records[planned.about].kind == "opportunity"
    with pytest.raises(ValueMissing, match=r"values\.item_group"):
        plan(ORDER, items="create")


def test_a_company_is_known_by_its_name_and_a_person_by_what_is_theirs() -> None:
    """Else a colleague's e-mail becomes the company's, or two people of one name are one customer."""
    acme = plan(replace(ORDER, customer=replace(ANA, company="ACME"))).records[0]
    assert (acme.body["customer_name"], acme.body["customer_type"]) == ("ACME", "Company")
    assert (acme.match, acme.key) == ({"name": "ACME"}, "acct-" + "acme")
    assert "email_id" not in acme.body
    caller = plan(replace(ORDER, customer=replace(ANA, email=""))).records[0]
    assert (caller.match, caller.shared) == ({"phone": "+34600000001"}, True)
    nobody = plan(replace(ORDER, customer=Person(name="Ana"))).records[0]
    assert (nobody.match, nobody.shared) == ({"name": "Ana"}, False)
    stand_in = plan(replace(ORDER, customer=None)).records[0]
    assert (stand_in.match, stand_in.shared) == ({"name": "Web shop customer"}, True)


def test_an_account_that_names_its_parties_gets_names_that_tell_people_apart() -> None:
    """Else the order of one Ana García goes to another."""
    customer, opportunity, *_ = plan(ORDER, party_name_is="name").records
    assert customer.body["customer_name"] == "Ana García (ana@example.com)"
    assert customer.match == {"email": "ana@example.com"}
    assert opportunity.body["party_name"] == Ref("customer", "acct-ana@example.com", "customer_name")


def test_entries_of_lists_are_named_looked_up_or_sent_as_they_stand() -> None:
    """Else a slip in relay.toml is found by the vendor, or an account that wants ids gets names."""
    by = {
        "name": Named("stages", "Prospecting", "values.stage"),
        "id": Named("stages by id", "Prospecting", "values.stage"),
        "text": "Prospecting",
    }
    for way, sent in by.items():
        (made,) = of_kind(plan(ORDER, entries_by=way, stage="Prospecting"), "opportunity")
        assert made.body["sales_stage"] == sent
    (made,) = of_kind(plan(ORDER, entries_by="id", stage="sales-stage_201"), "opportunity")
    assert made.body["sales_stage"] == "sales-stage_201"
    inside = {"open": "Prospecting"}
    (made,) = of_kind(plan(ORDER, entries_by="name", stages=inside), "opportunity")
    assert made.body["sales_stage"] == Named("stages", "Prospecting", "values.stages")


@pytest.mark.parametrize(("currency", "total"), [("JPY", "14319"), ("VND", "1250000"), ("KWD", "14.319")])
def test_every_currency_keeps_its_decimals(currency: str, total: str) -> None:
    """Else a yen order is off by a hundred, or a dinar loses its third decimal."""
    item = OrderLine("A-1", "Tea", D(7), D(total), D(0), D(0), D(total))
    zero: dict[str, Any] = {"tax": D(0), "shipping": D(0), "discount": D(0)}
    planned = plan(replace(ORDER, currency=currency, total=D(total), lines=(item,), **zero))
    assert amount(planned) == D(total)
    (opportunity,) = of_kind(planned, "opportunity")
    assert (opportunity.body["currency"], opportunity.body["opportunity_amount"]) == (currency, D(total))


@settings(max_examples=60, deadline=None)
@given(orders())
def test_the_lines_of_any_order_add_up_to_its_amount(order: RecordOrder) -> None:
    """Else the total that the vendor reckons is another one than the customer paid."""
    planned = plan(order)
    assert amount(planned) == order.total
    keys = [record.key for record in of_kind(planned, "opportunity_item")]
    assert keys == [f"{order.key}.{n}" for n in range(1, len(keys) + 1)]
    known = {row.source for row in planned.fields}
    assert {"key", "number", "placed_at", "status", "currency"} <= known


def test_an_order_tells_what_became_of_every_field() -> None:
    """Else an operator cannot say where a discount went."""
    order = replace(ORDER, attributes={"note": "Ring twice", "tax_number": "B12"}, reason="none")
    rows = told(plan(order))
    for row in (
        "key > opportunity.title mapped",
        "key > opportunity.utm_content mapped",
        "number > opportunity.title mapped",
        "status > opportunity.status converted",
        "currency > opportunity.currency mapped",
        "total > opportunity.opportunity_amount mapped",
        "placed_at > opportunity.transaction_date converted",
        "discount > opportunity_item.rate converted",
        "lines[0].sku > opportunity_item.item_code mapped",
        "lines[0].unit_price > opportunity_item.rate converted",
        "customer.email > customer.email_id mapped",
        "customer.address.street > customer.customer_details converted",
        "attributes.tax_number > customer.tax_id mapped",
        "attributes.note > dropped",
        "reason > dropped",
        "values.company > opportunity.company defaulted",
        "values.probability > opportunity.probability defaulted",
    ):
        assert row in rows
    placed = OVERPLANE.planners[RecordOrder](
        order, Account("overplane", VALUES, {"opportunity": {"note": "industry"}})
    )
    assert of_kind(placed, "opportunity")[0].body["industry"] == "Ring twice"


def test_what_cannot_be_sent_is_refused_before_it_is() -> None:
    """Else half of an order is made and the vendor refuses the rest."""
    with pytest.raises(CannotMap, match="placed_at"):
        plan(replace(ORDER, placed_at="yesterday"))
    with pytest.raises(ValueMissing, match=r"values\.company"):
        OVERPLANE.planners[RecordOrder](ORDER, Account("overplane", {}))
    with pytest.raises(CannotMap, match=r"opportunity\.annual_revenue"):
        OVERPLANE.planners[RecordOrder](
            replace(ORDER, attributes={"size": "big"}),
            Account("overplane", VALUES, {"opportunity": {"size": "annual_revenue"}}),
        )
