"""centiaCRM bodies, written by hand from the vendor's documentation; it can change none of them later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from mappings.commands import Address, Command, OpenTicket, OrderLine, OrderStatus, Person, RegisterLead
from mappings.errors import CannotMap, ValueMissing
from mappings.vendor import Account, FieldRow, Named, Plan, Ref
from mappings.vendors import VENDORS
from tests.mappings.vendor_examples import ANA, TICKET, D, of_one_line, rows, seven_pieces, told
from tests.mappings.vendor_examples import ORDER as DOLLARS

CENTIA = VENDORS["centiacrm"]
VALUES = {
    "profile": 1,
    "owner": 2,
    "company_type": 3,
    "industry": 4,
    "contact_origin": 5,
    "stage": 6,
    "ticket_origin": 7,
    "ticket_case": 8,
    "priority": 9,
    "priorities": {"high": 10},
}
ORDER = replace(DOLLARS, number="#1070", customer=ANA, currency="MXN")
LEAD = RegisterLead("site-1", ANA, "Hola", "contact", attributes={"received_at": "2026-03-02T03:00:00Z"})
COMPANY = {
    "profile_id": 1,
    "name": "Ana María García (ana@example.mx)",
    "type_id": 3,
    "industry_id": 4,
    "phone": "+525512345678",
}
CONTACT = {
    "profile_id": 1,
    "company_id": Ref("company", "acct-ana@example.mx"),
    "name": "Ana María",
    "surname": "García",
    "origin_id": 5,
    "phone_mobile": "+525512345678",
    "email": "ana@example.mx",
}
CUSTOMER_ROWS = """
{who}.name > company.name mapped
{who}.name > contact.name mapped
{who}.name > contact.surname converted
{who}.email > company.name mapped
{who}.email > contact.email mapped
{who}.phone > company.phone mapped
{who}.phone > contact.phone_mobile mapped
values.profile > company.profile_id defaulted
values.company_type > company.type_id defaulted
values.industry > company.industry_id defaulted
values.profile > contact.profile_id defaulted
values.contact_origin > contact.origin_id defaulted
"""
OPPORTUNITY_ROWS = """
values.profile > opportunity.profile_id defaulted
values.owner > opportunity.user_id defaulted
values.stage > opportunity.stage_id defaulted
values.prospect_type > opportunity.prospect_type defaulted
values.operation_type > opportunity.operation_type defaulted
values.close_days > opportunity.estimated_end_at defaulted
values.notify > opportunity.notify defaulted
key > opportunity.title mapped
"""


def plan(command: Command, **values: Any) -> Plan:
    return CENTIA.planners[type(command)](command, Account("centia", VALUES | values))


def line(sku: str, amount: int, price: str, tax: str, total: str) -> Mapping[str, Any]:
    return {
        "product_id": Ref("product", f"prod-{sku}"),
        "amount": amount,
        "price": D(price),
        "discount": 0,
        "tax": D(tax),
        "total": D(total),
    }


def opportunity(**more: Any) -> Mapping[str, Any]:
    return {
        "profile_id": 1,
        "user_id": 2,
        "estimated_end_at": "01/04/26",
        "prospect_type": "new",
        "operation_type": "new",
        "stage_id": 6,
        "company_id": Ref("company", "acct-ana@example.mx"),
        "contact_id": Ref("contact", "cont-ana@example.mx"),
        "want_products": False,
        "want_tax": False,
        "notify": False,
        **more,
    }


def test_a_contact_is_known_by_its_company_too() -> None:
    """Else whoever writes from work and buys at home is refused: a contact must belong to the company selected."""
    # By hand: a key has a dash for a space, and ten digits of the SHA-256 of what was written.
    company = f"hong-nhung-{sha256(b'hong nhung').hexdigest()[:10]}"
    at_work = plan(replace(LEAD, person=replace(ANA, company="Hong Nhung"))).records
    assert [record.key for record in at_work[:2]] == [
        f"acct-{company}",
        f"cont-ana@example.mx/acct-{company}",
    ]
    assert at_work[2].body["contact_id"] == Ref("contact", at_work[1].key)
    nobody = replace(ANA, company="Hong Nhung", email="", phone="")
    assert plan(replace(LEAD, person=nobody)).records[1].key == "cont-site-1", "their own, so never another's"


def test_a_lead_becomes_company_contact_and_opportunity() -> None:
    """Else somebody who asked for an offer is never called back."""
    planned = plan(LEAD)
    assert [(r.kind, r.key, r.match, r.shared, r.changes) for r in planned.records] == [
        (
            "company",
            "acct-ana@example.mx",
            {"name": "Ana María García (ana@example.mx)", "mark": "ana@example.mx"},
            True,
            None,
        ),
        ("contact", "cont-ana@example.mx", {"email": "ana@example.mx"}, True, None),
        ("opportunity", "site-1", {"marker": "site-1"}, False, None),
    ]
    assert [r.body for r in planned.records] == [
        COMPANY,
        CONTACT,
        opportunity(title="Lead Ana María García: Hola [site-1]", value=D(0)),
    ]
    own = """
person.name > opportunity.title mapped
message > opportunity.title mapped
origin > dropped
attributes.received_at > opportunity.estimated_end_at converted
"""
    assert told(planned) == rows(CUSTOMER_ROWS, OPPORTUNITY_ROWS, own, who="person")


def test_an_order_keeps_its_total_to_the_cent() -> None:
    """Else the opportunity is worth another amount than the customer paid."""
    planned = plan(ORDER)
    assert [r.body for r in planned.records[:2]] == [COMPANY, CONTACT]
    assert [(r.key, r.match, r.shared, r.body["name"], r.body["value"]) for r in planned.records[2:-1]] == [
        ("prod-A-1", {"sku": "A-1"}, True, "Tea", D("4.00")),
        ("prod-B-2", {"sku": "B-2"}, True, "Cup", D("7.50")),
        ("prod-SHIPPING", {"sku": "SHIPPING"}, True, "Shipping", D(0)),
        ("prod-TAX", {"sku": "TAX"}, True, "Tax", D(0)),
        ("prod-DISCOUNT", {"sku": "DISCOUNT"}, True, "Discount", D(0)),
    ]
    assert planned.records[2].body == {"profile_id": 1, "name": "Tea", "value": D("4.00"), "sku": "A-1"}
    body = planned.records[-1].body
    assert body == opportunity(
        title="Order #1070 [shop-order-9]",
        value=D("24.33"),
        want_products=True,
        want_tax=True,
        products=[
            # 16 % of 6.66 and of 3.34 are 1.07 and 0.53: just the 1.60 of the line.
            line("A-1", 2, "3.33", "0.16", "7.73"),
            line("A-1", 1, "3.34", "0.16", "3.87"),
            # 1.23 of 7.50 is no whole per cent, so it goes below.
            line("B-2", 1, "7.50", "0", "7.50"),
            line("SHIPPING", 1, "5.00", "0", "5.00"),
            line("TAX", 1, "1.23", "0", "1.23"),
            line("DISCOUNT", 1, "-1.00", "0", "-1.00"),
        ],
    )
    assert sum(product["total"] for product in body["products"]) == D("24.33")


LOST = [OrderStatus.CANCELLED, OrderStatus.REFUNDED]


@pytest.mark.parametrize("status", LOST)
def test_an_order_that_is_lost_from_the_start_says_so(status: OrderStatus) -> None:
    """Else a cancelled order that the CRM never heard of before is money that somebody waits for."""
    word = {OrderStatus.CANCELLED: "Cancelled", OrderStatus.REFUNDED: "Refunded"}[status]
    gone = plan(replace(ORDER, status=status))
    assert gone.records[-1].body["title"] == f"{word} order #1070 [shop-order-9]"
    assert gone.records[-1].body["stage_id"] == 6
    assert FieldRow("status", "opportunity.title", "converted") in gone.fields
    placed = plan(replace(ORDER, status=status), stages={"Cancelled": 16, "Refunded": 16})
    assert placed.records[-1].body["title"] == "Order #1070 [shop-order-9]"
    assert placed.records[-1].body["stage_id"] == 16
    assert FieldRow("status", "opportunity.stage_id", "converted") in placed.fields


def test_an_order_tells_what_became_of_every_field() -> None:
    """Else an operator cannot say where a discount went."""
    own = """
number > opportunity.title mapped
status > dropped
currency > dropped
total > opportunity.value mapped
tax > opportunity.products converted
shipping > opportunity.products mapped
discount > opportunity.products converted
placed_at > opportunity.estimated_end_at converted
lines[0].discount > opportunity.products converted
lines[0].unit_price > opportunity.products converted
lines[1].unit_price > opportunity.products mapped
values.profile > product.profile_id defaulted
"""
    each = """
lines[N].sku > product.sku mapped
lines[N].sku > opportunity.products mapped
lines[N].name > product.name mapped
lines[N].quantity > opportunity.products mapped
lines[N].unit_price > product.value mapped
lines[N].tax > opportunity.products converted
lines[N].total > opportunity.products converted
"""
    lines = [each.replace("N", "0"), each.replace("N", "1")]
    assert told(plan(ORDER)) == rows(CUSTOMER_ROWS, OPPORTUNITY_ROWS, own, *lines, who="customer")


def test_an_order_without_a_customer_goes_to_one_stand_in() -> None:
    """Else anonymous orders are lost, or each makes a customer of its own."""
    first, second = (
        plan(replace(ORDER, customer=None)),
        plan(replace(ORDER, customer=None, key="shop-order-10")),
    )
    assert first.records[:2] == second.records[:2]
    assert first.records[0].body == {
        "profile_id": 1,
        "name": "Web shop customer",
        "type_id": 3,
        "industry_id": 4,
    }
    assert (first.records[1].body["name"], first.records[1].body["surname"]) == ("Web shop", "customer")
    assert first.records[0].shared
    assert first.records[1].shared
    assert "values.anonymous_customer > company.name defaulted" in told(first)
    assert sum(product["total"] for product in first.records[-1].body["products"]) == D("24.33")


@pytest.mark.parametrize(("currency", "total"), [("JPY", "14319"), ("VND", "1250000")])
def test_currencies_without_decimals_stay_whole(currency: str, total: str) -> None:
    """Else a yen order is off by a hundred, or has a third of a yen."""
    body = plan(seven_pieces(ORDER, currency, total)).records[-1].body
    assert body["value"] == D(total) == sum(p["amount"] * p["price"] for p in body["products"])
    assert all(p["price"] == p["price"].to_integral_value() for p in body["products"])


def test_a_foreign_order_is_parked_where_the_currency_is_known() -> None:
    """Else 100 USD become 100 MXN, since the vendor's amounts bear no currency."""
    with pytest.raises(CannotMap, match="currency"):
        plan(replace(ORDER, currency="USD"), currency="MXN")
    assert "currency > opportunity.value mapped" in told(plan(ORDER, currency="MXN"))


def test_a_ticket_keeps_all_that_was_said() -> None:
    """Else whoever answers does not know what was asked, or by when."""
    planned = plan(TICKET)
    record = planned.records[-1]
    assert (record.kind, record.key, record.match, record.shared) == (
        "ticket",
        "mail-1",
        {"marker": "mail-1"},
        False,
    )
    assert [r.body for r in planned.records[:2]] == [COMPANY, CONTACT]
    assert record.body == {
        "profile_id": 1,
        "title": "Broken [mail-1]",
        "description": "It broke.\n\nchannel: email\norder_number: 1070",
        "company_id": Ref("company", "acct-ana@example.mx"),
        "contact_id": Ref("contact", "cont-ana@example.mx"),
        "user_id": 2,
        "origin_id": 7,
        "case_id": 8,
        "priority_id": 10,
        "estimated_end_at": "2026-03-05",
        "notify": False,
    }
    own = """
key > ticket.title mapped
subject > ticket.title mapped
description > ticket.description mapped
channel > ticket.description converted
order_number > ticket.description converted
priority > ticket.priority_id converted
attributes.date > ticket.estimated_end_at converted
values.priorities > ticket.priority_id defaulted
values.ticket_days > ticket.estimated_end_at defaulted
values.profile > ticket.profile_id defaulted
values.owner > ticket.user_id defaulted
values.ticket_origin > ticket.origin_id defaulted
values.ticket_case > ticket.case_id defaulted
values.notify > ticket.notify defaulted
"""
    assert told(planned) == rows(CUSTOMER_ROWS, own, who="requester")


def test_what_is_missing_is_named() -> None:
    """Else a delivery is parked and nobody knows what would release it."""
    values = {key: value for key, value in VALUES.items() if key != "ticket_case"}
    with pytest.raises(ValueMissing, match=r"values\.ticket_case"):
        CENTIA.planners[OpenTicket](TICKET, Account("centia", values))
    with pytest.raises(CannotMap, match=r"attributes\.date"):
        plan(replace(LEAD, attributes={}))


STREETS = {
    "Av. Juárez 1": ("Av. Juárez", "1"),
    "Calle 5 #12-B": ("Calle 5", "12-B"),
    "Camino Real": ("Camino Real", "S/N"),
}


@pytest.mark.parametrize(("written", "street", "number"), [(k, *v) for k, v in STREETS.items()])
def test_an_address_has_its_house_number_apart(written: str, street: str, number: str) -> None:
    """Else the vendor, which demands a number, refuses every customer who told an address."""
    home = replace(ANA, address=Address(written, "Guadalajara", "Jalisco", "44100", "MX"))
    sent = plan(replace(LEAD, person=home), countries={"MX": "MX"}, states={"Jalisco": "JAL"})
    assert sent.records[1].body["shipping_address"] == {
        "country": "MX",
        "state": "JAL",
        "street": street,
        "number": number,
        "interior_number": "",
        "zip": "44100",
        "suburb": "",
        "city": "Guadalajara",
    }


def test_an_address_is_whole_or_not_sent() -> None:
    """Else the vendor refuses the customer for an address without its codes, or without its city."""
    home = replace(ANA, address=Address("Av. Juárez 1", "Guadalajara", "Jalisco", "44100", "MX"))
    assert "person.address.street > dropped" in told(plan(replace(LEAD, person=home)))
    codes: dict[str, Any] = {"countries": {"MX": "México"}, "states": {"Jalisco": "JAL"}}
    named = plan(replace(LEAD, person=home), **codes).records[1].body["shipping_address"]
    assert named["country"] == Named("countries", "México", "values.countries")
    homeless = replace(home, address=Address("Av. Juárez 1", "", "Jalisco", "44100", "MX"))
    assert "shipping_address" not in plan(replace(LEAD, person=homeless), **codes).records[1].body


def test_what_relay_toml_calls_by_name_goes_through_to_the_engine() -> None:
    """Else a name is sent where the vendor wants a number, and every record is refused."""
    values = {"owner": "Ana García", "stages": {"paid": "Cierre", "open": 11}, "product_category": "General"}
    planned = plan(ORDER, **values)
    body = planned.records[-1].body
    assert body["user_id"] == Named("users", "Ana García", "values.owner")
    assert body["stage_id"] == Named("stages", "Cierre", "values.stages")
    categories = {record.body["product_category_id"] for record in planned.records[2:-1]}
    assert categories == {Named("product categories", "General", "values.product_category")}
    # The vendor documents this id, and none of the others, as text.
    assert plan(ORDER, product_category=211).records[2].body["product_category_id"] == "211"


def test_nameless_people_are_not_merged() -> None:
    """Else two callers of one name see each other's requests."""
    company, contact, _ = plan(replace(LEAD, person=Person(name="Ana"))).records
    assert (company.key, company.shared, company.body["name"]) == ("acct-site-1", False, "Ana (site-1)")
    assert (contact.key, contact.shared, contact.match) == ("cont-site-1", False, {"name": "Ana -"})


def test_a_notification_tells_what_has_no_field() -> None:
    """Else a fractional quantity, which the vendor's lines cannot hold, is known to nobody."""
    cheese = OrderLine("C-3", "Cheese", D("1.5"), D("4.00"), D(0), D(0), D("6.00"))
    plain = of_one_line(ORDER, cheese, "MXN")
    planned = plan(plain, notify=True)
    assert planned.records[-1].body["comment"] == "status: paid\ncurrency: MXN\nlines[0].quantity: 1.5"
    assert planned.records[-1].body["products"] == [line("C-3", 1, "6.00", "0", "6.00")]
    assert "lines[0].quantity > dropped" in told(plan(plain))
