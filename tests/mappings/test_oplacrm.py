"""OplaCRM bodies, written by hand from the vendor's OpenAPI page: every field it calls required is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mappings.commands import Address, Command, OrderStatus, Person, RegisterLead
from mappings.errors import CannotMap, ValueMissing
from mappings.vendor import Account, Plan
from mappings.vendors import VENDORS
from tests.mappings.vendor_examples import ORDER as DOLLARS
from tests.mappings.vendor_examples import D, rows, seven_pieces, told

OPLA = VENDORS["oplacrm"]
LAN = Person(
    name="Nguyễn Thị Lan",
    email="Lan@Example.com",
    phone="+84901234567",
    company="Công ty ABC",
    address=Address("1 Lê Lợi", "Huế", country="VN"),
    language="vi",
)
LEAD = RegisterLead("site-1", LAN, "Xin chào", "contact", "yes", {"budget": "5000", "job_title": "Buyer"})
ORDER = replace(
    DOLLARS,
    customer=Person(name="Lan Nguyen", first_name="Lan", last_name="Nguyen", email="Lan@Example.com"),
    attributes={"tags": "vip"},
)
NO_PHONE = {"phone": "", "call_code": "", "country_code": "", "country_name": ""}
VN_PHONE = {"phone": "901234567", "call_code": "+84", "country_code": "VN", "country_name": ""}


def plan(command: Command, **values: Any) -> Plan:
    custom = {"lead": {"budget": "Budget"}, "opportunity": {"tags": "0c5e"}}
    return OPLA.planners[type(command)](command, Account("opla", {"owner": "MNV_001"} | values, custom))


def line(sku: str, quantity: int, price: str, description: str) -> dict[str, Any]:
    return {
        "product_external_id": f"prod-{sku}",
        "supplier_external_id": "",
        "quantity": quantity,
        "unit_price": D(price),
        "discount": 0,
        "description": description,
    }


LINES = [
    line("A-1", 2, "3.33", "Tea, discount 2.00, tax 1.60"),
    line("A-1", 1, "3.34", "Tea, discount 2.00, tax 1.60"),
    line("B-2", 1, "7.50", "Cup, tax 1.23"),
    line("SHIPPING", 1, "5.00", "Shipping"),
    line("TAX", 1, "2.83", "Tax"),
    line("DISCOUNT", 1, "-1.00", "Discount"),
]


def test_a_lead_arrives_whole() -> None:
    """Else what a customer wrote is not in the CRM, or a repeat makes a second lead."""
    planned = plan(LEAD, lead_source="Website")
    (record,) = planned.records
    assert (record.kind, record.key, record.match) == ("lead", "site-1", {"external_id": "site-1"})
    assert record.body == {
        "name": "Nguyễn Thị Lan",
        "job_title": "Buyer",
        "address": "1 Lê Lợi, Huế, VN",
        "note": "Xin chào\n\nlanguage: vi\norigin: contact\nconsent: yes",
        "account_name": "Công ty ABC",
        "contact_name": "Nguyễn Thị Lan",
        "phone": {"country_code": "+84", "number": "901234567"},
        "email": "Lan@Example.com",
        "owner_id": "MNV_001",
        "external_id": "site-1",
        "external_from": "CRM Relay",
        "source": "Website",
        "custom_fields": [{"field": "Budget", "value": "5000"}],
    }
    assert told(planned) == rows("""
key > lead.external_id mapped
person.name > lead.name mapped
person.name > lead.contact_name mapped
person.company > lead.account_name mapped
person.email > lead.email mapped
person.phone > lead.phone converted
person.address.street > lead.address converted
person.address.city > lead.address converted
person.address.country > lead.address converted
person.language > lead.note converted
message > lead.note mapped
origin > lead.note converted
consent > lead.note converted
attributes.budget > lead.custom_fields mapped
attributes.job_title > lead.job_title mapped
values.owner > lead.owner_id defaulted
values.external_from > lead.external_from defaulted
values.lead_source > lead.source defaulted
""")


def test_a_leads_phone_can_take_the_shape_that_live_tenants_show() -> None:
    """Else nobody can call the lead back where the document and the tenant differ."""
    assert plan(LEAD, lead_phone_shape="phone").records[0].body["phone"] == {
        "country_code": "+84",
        "phone": "901234567",
    }
    local = replace(LEAD, person=replace(LAN, phone="090 123 45 67"))
    assert plan(local, default_region="VN").records[0].body["phone"]["number"] == "901234567"
    assert plan(local).records[0].body["phone"] == {"country_code": "", "number": "090 123 45 67"}


def test_a_lead_of_nobody_is_parked() -> None:
    """Else the CRM fills with leads that nobody can answer."""
    with pytest.raises(CannotMap, match="person"):
        plan(RegisterLead("site-1", Person(), "Hi"))


def test_an_order_makes_account_contact_products_and_opportunity() -> None:
    """Else an order is missing in the CRM, or differs from the shop's by a cent."""
    account, contact, *products, opportunity = plan(ORDER).records
    assert (account.kind, account.key, account.shared) == ("account", "acct-lan@example.com", True)
    assert account.match == {"external_id": "acct-lan@example.com"}
    assert account.body == {
        **dict.fromkeys(("description", "tax_identification_number", "address", "website", "note"), ""),
        **dict.fromkeys(("account_type", "source_id", "industry_id"), ""),
        **dict.fromkeys(("owner_id", "created_by", "updated_by"), "MNV_001"),
        "name": "Lan Nguyen",
        "long_name": "Lan Nguyen",
        "email": "Lan@Example.com",
        "external_id": "acct-lan@example.com",
        "phone": NO_PHONE,
        "is_public": False,
    }
    assert (contact.kind, contact.key, contact.shared) == ("contact", "cont-lan@example.com", True)
    assert contact.body == {
        **dict.fromkeys(("birthday", "department", "description", "address", "website"), ""),
        "first_name": "Lan",
        "last_name": "Nguyen",
        "email": "Lan@Example.com",
        "account_external_id": "acct-lan@example.com",
        "external_id": "cont-lan@example.com",
        "phone_work": NO_PHONE,
        "phone_other": NO_PHONE,
        "owner_id": "MNV_001",
    }
    assert [p.key for p in products] == [
        f"prod-{sku}" for sku in ("A-1", "B-2", "SHIPPING", "TAX", "DISCOUNT")
    ]
    assert products[0].shared
    assert products[0].match == {"external_id": "prod-A-1"}
    assert products[0].body == {
        **dict.fromkeys(("description", "supplier_id", "unit_of_measure_id", "category_id"), ""),
        "sub_category_id": "",
        "name": "Tea",
        "price": D("4.00"),
        "external_id": "prod-A-1",
        "id": "",
        "deleted": 0,
    }
    assert (opportunity.key, opportunity.match) == ("shop-order-9", {"marker": "shop-order-9"})
    assert opportunity.body == {
        **dict.fromkeys(("account_id", "forecast", "type", "source", "opportunities_joint"), ""),
        **dict.fromkeys(("sale_process", "sale_process_stage", "owner_email", "application"), ""),
        "name": "Order #1070 [shop-order-9]",
        "account_external_id": "acct-lan@example.com",
        "contacts_external_ids": ["cont-lan@example.com"],
        "contacts_ids": [],
        "date_open": "2026-03-02T14:15:00+00:00",
        "date_closed": "2026-04-01",
        "opportunities_products": [item | {"currency": "USD", "unit_of_measure": ""} for item in LINES],
        "contributors": [],
        "external_id": "shop-order-9",
        "owner_external_id": "MNV_001",
        "custom_fields": [{"custom_field_id": "0c5e", "value": "vip"}],
    }
    lines = opportunity.body["opportunities_products"]
    assert sum(item["quantity"] * item["unit_price"] for item in lines) == D("24.33")


def test_an_order_tells_what_became_of_every_field() -> None:
    """Else an operator cannot say where a discount went."""
    person = """
customer.name > account.name mapped
customer.name > account.long_name mapped
customer.first_name > account.name mapped
customer.first_name > account.long_name mapped
customer.first_name > contact.first_name mapped
customer.last_name > account.name mapped
customer.last_name > account.long_name mapped
customer.last_name > contact.last_name mapped
customer.email > account.email mapped
customer.email > contact.email mapped
"""
    order = """
key > opportunity.name mapped
key > opportunity.external_id mapped
number > opportunity.name mapped
status > opportunity.stage_close converted
currency > opportunity.opportunities_products mapped
total > opportunity.opportunities_products converted
tax > opportunity.opportunities_products mapped
shipping > opportunity.opportunities_products mapped
discount > opportunity.opportunities_products converted
placed_at > opportunity.date_open converted
placed_at > opportunity.date_closed converted
attributes.tags > opportunity.custom_fields mapped
lines[0].discount > opportunity.opportunities_products converted
lines[0].unit_price > opportunity.opportunities_products converted
lines[1].unit_price > opportunity.opportunities_products mapped
values.owner > account.owner_id defaulted
values.owner > account.created_by defaulted
values.owner > account.updated_by defaulted
values.owner > contact.owner_id defaulted
values.owner > opportunity.owner_external_id defaulted
values.close_days > opportunity.date_closed defaulted
"""
    each = """
lines[N].sku > product.external_id mapped
lines[N].sku > opportunity.opportunities_products mapped
lines[N].name > product.name mapped
lines[N].name > opportunity.opportunities_products mapped
lines[N].quantity > opportunity.opportunities_products mapped
lines[N].unit_price > product.price mapped
lines[N].tax > opportunity.opportunities_products converted
lines[N].total > opportunity.opportunities_products converted
"""
    assert told(plan(ORDER)) == rows(person, order, each.replace("N", "0"), each.replace("N", "1"))


def test_a_paid_order_closes_its_opportunity_unlocked() -> None:
    """Else won orders stay open in the forecast, or nobody can work on them for a lock."""
    assert plan(ORDER).records[-1].changes == {
        "name": "Order #1070 [shop-order-9]",
        "external_id": "shop-order-9",
        "locked": False,
        "stage_close": "CLOSE_WON",
        "sale_process_stage": "",
        "close_reason": "",
        "date_closed": "2026-04-01",
        "products": [],
        "opportunities_products": [item | {"discount_type_value": "PERCENT"} for item in LINES],
        "invoices": [],
        "custom_fields": [{"custom_field_id": "0c5e", "value": "vip"}],
    }


def test_a_cancelled_order_is_lost_with_its_reason_and_an_open_one_neither() -> None:
    """Else cancelled money is forecast, or an open order counts as won."""
    lost = replace(ORDER, status=OrderStatus.CANCELLED, reason="out of stock")
    changes = plan(lost).records[-1].changes or {}
    assert (changes["stage_close"], changes["close_reason"]) == ("CLOSE_LOST", "out of stock")
    configured = plan(lost, close_reason_lost="5be0", update_lines_as="products")
    changes = configured.records[-1].changes or {}
    assert changes["close_reason"] == "5be0"
    assert "reason > dropped" in told(configured)
    assert len(changes["products"]) == 6
    assert changes["opportunities_products"] == []
    assert "stage_close" not in (plan(replace(ORDER, status=OrderStatus.OPEN)).records[-1].changes or {})


def test_a_company_keeps_its_employees_contact_data_out_of_the_account() -> None:
    """Else a company's phone is that of whoever ordered first."""
    account, contact, *_ = plan(replace(ORDER, customer=LAN)).records
    assert account.key.startswith("acct-cong-ty-abc-")
    assert account.body["name"] == "Công ty ABC"
    assert (account.body["email"], account.body["phone"]) == ("", NO_PHONE)
    assert (contact.body["first_name"], contact.body["last_name"]) == ("Nguyễn Thị", "Lan")
    assert contact.body["phone_work"] == VN_PHONE


def test_an_order_without_a_customer_goes_to_one_stand_in() -> None:
    """Else anonymous orders are lost, or each makes an account of its own."""
    first, second = (
        plan(replace(ORDER, customer=None)),
        plan(replace(ORDER, customer=None, key="shop-order-10")),
    )
    assert first.records[:2] == second.records[:2]
    assert first.records[0].body["name"] == "Web shop customer"
    # Both names are required, and an empty one may be refused.
    assert (first.records[1].body["first_name"], first.records[1].body["last_name"]) == (
        "Web shop",
        "customer",
    )
    assert first.records[0].shared
    assert first.records[1].shared
    lines = first.records[-1].body["opportunities_products"]
    assert sum(item["quantity"] * item["unit_price"] for item in lines) == D("24.33")
    assert "values.anonymous_customer > account.name defaulted" in told(first)


@pytest.mark.parametrize(("currency", "total"), [("JPY", "14319"), ("VND", "1250000")])
def test_currencies_without_decimals_stay_whole(currency: str, total: str) -> None:
    """Else a yen order is off by a hundred, or has a third of a yen."""
    lines = plan(seven_pieces(ORDER, currency, total)).records[-1].body["opportunities_products"]
    assert sum(item["quantity"] * item["unit_price"] for item in lines) == D(total)
    assert all(item["unit_price"] == item["unit_price"].to_integral_value() for item in lines)


def test_a_value_with_a_typing_error_is_named() -> None:
    """Else it goes unseen, and every lead has no owner."""
    with pytest.raises(ValueMissing, match=r"values\.ownr"):
        plan(LEAD, ownr="x")
