"""CRMTop bodies, written by hand from the vendor's API reference."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.commands import (
    Address,
    Attachment,
    Command,
    Comment,
    OpenTicket,
    OrderLine,
    OrderStatus,
    Person,
    RecordOrder,
    RegisterLead,
    TicketStatus,
)
from mappings.errors import CannotMap
from mappings.keys import named_uuid
from mappings.money import minor_unit
from mappings.vendor import Account, JsonText, Named, Plan, Record, Ref
from mappings.vendors import VENDORS

D = Decimal

CRMTOP = VENDORS["crmtop"]
OWNER = "a1a1a1a1-0000-4000-8000-000000000001"
LAN = Person(
    name="Nguyễn Lan",
    email="Lan@example.vn",
    phone="0901234567",
    address=Address(street="1 Lê Lợi", city="Huế", country="VN"),
)
TEA = OrderLine("A-1", "Tea", D(3), D("4.00"), D("2.00"), D("1.60"), D("10.00"))
CUP = OrderLine("B-2", "Cup", D(1), D("7.50"), D(0), D("1.23"), D("7.50"))
ORDER = RecordOrder(
    key="shop-order-9",
    number="#1070",
    status=OrderStatus.OPEN,
    customer=LAN,
    currency="USD",
    total=D("24.33"),
    tax=D("2.83"),
    shipping=D("5.00"),
    discount=D("1.00"),
    lines=(TEA, CUP),
    placed_at="2026-03-02T23:15:00-05:00",
)
LEAD = RegisterLead("site-1", LAN, "Xin gọi lại", "contact", attributes={"budget": "900"})
TICKET = OpenTicket(
    "mail-1", "Broken", "It broke.", LAN, "High", "email", "1070", (Attachment("a.png", "image/png", 5),)
)
CUSTOMER_KEY = "acct-lan@example.vn"
CONTACT_KEY = "cont-lan@example.vn"
REACHED = {"email": "Lan@example.vn", "phone": "+84901234567", "digits": "901234567"}
PARTY = {
    "customerId": Ref("customer", CUSTOMER_KEY),
    "customerName": "Nguyễn Lan",
    "contactId": Ref("contact", CONTACT_KEY),
    "contactName": "Nguyễn Lan",
}


def plan(command: Command, **values: Any) -> Plan:
    values = {"default_region": "VN", **values}
    return CRMTOP.planners[type(command)](command, Account("crmtop", values))


def record(planned: Plan, kind: str) -> Record:
    (found,) = (record for record in planned.records if record.kind == kind)
    return found


def told(planned: Plan) -> set[str]:
    return {f"{row.source} > {row.target} {row.outcome}" for row in planned.fields}


def line(sku: str, name: str, pieces: int, price: str, total: str, note: str) -> Mapping[str, Any]:
    return {
        "productId": Ref("product", f"prod-{sku}"),
        "productCode": sku,
        "productName": name,
        "quantity": pieces,
        "price": D(price),
        "totalAmount": D(total),
        "currency": "USD",
        "note": note,
    }


def test_a_lead_bears_our_key_in_its_notes() -> None:
    """Else a lead whose creation got no answer is made a second time: it has no code to find it by."""
    (lead,) = plan(LEAD, lead_source=3, owner=OWNER, owner_name="Minh").records
    assert lead.body == {
        "source": 3,
        "fullName": "Nguyễn Lan",
        "email": "Lan@example.vn",
        "phone": "+84901234567",
        "ownerId": OWNER,
        "ownerName": "Minh",
        "notes": "[site-1]\nXin gọi lại\n\naddress.street: 1 Lê Lợi\naddress.city: Huế\naddress.country: VN\n"
        "origin: contact\nbudget: 900",
    }
    match = {"marker": "site-1", "email": "Lan@example.vn", "phone": "+84901234567", "fullName": "Nguyễn Lan"}
    assert (lead.kind, lead.key, lead.match, lead.shared, lead.changes) == (
        "lead",
        "site-1",
        match,
        False,
        None,
    )


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
        "note": "Order #1070 [shop-order-9]\n\nstatus: open",
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


def test_a_ticket_says_all_that_is_known() -> None:
    """Else whoever answers does not know what was asked, about which order, with which files."""
    planned = plan(TICKET, ticket_type="Bảo hành", priorities={"high": 3}, channels={"email": 2})
    ticket = planned.records[-1]
    assert ticket.body == {
        "Code": "mail-1",
        "Subject": "Broken [mail-1]",
        "Description": "It broke.\n\nattachments[0].name: a.png\nattachments[0].media_type: image/png\n"
        "attachments[0].size: 5",
        "TypeId": Named("ticket_types", "Bảo hành", "values.ticket_type"),
        "TypeName": "Bảo hành",
        "Priority": 3,
        "Status": 1,
        "Channel": 2,
        **{f"{name[0].upper()}{name[1:]}": value for name, value in PARTY.items()},
        "OrderCode": "1070",
    }
    assert [r.kind for r in planned.records] == ["customer", "contact", "ticket"]
    assert (ticket.match, ticket.changes) == ({"code": "mail-1", "marker": "mail-1"}, None)


@pytest.mark.parametrize(
    ("status", "number"), [(TicketStatus.OPEN, 1), (TicketStatus.PENDING, 2), (TicketStatus.SOLVED, 3)]
)
def test_a_tickets_status_is_one_of_the_documented(status: TicketStatus, number: int) -> None:
    """Else a solved request stays on somebody's list."""
    ticket = record(plan(replace(TICKET, status=status)), "ticket")
    assert (ticket.body["Status"], ticket.changes) == (number, {"status": number})


def test_what_is_said_on_a_ticket_is_a_comment_of_its_own() -> None:
    """Else the customer's second message is lost, or each delivery repeats the first."""
    said = (Comment("c1", "Lan", "Vẫn hỏng"), Comment("c2", "Minh", "Đã gửi"))
    planned = plan(replace(TICKET, comments=said), tenant_code="acme")
    assert planned.records[planned.about].kind == "ticket"
    first, second = planned.records[-2:]
    assert (first.kind, first.key, first.match) == ("comment", "mail-1.c1", {"marker": "mail-1.c1"})
    assert first.body == {
        "TenantCode": "acme",
        "TicketId": Ref("ticket", "mail-1"),
        "UserName": "Lan",
        "Message": "[mail-1.c1]\nVẫn hỏng",
    }
    assert second.body["Message"] == "[mail-1.c2]\nĐã gửi"
    assert "comments[1].text > comment.Message mapped" in told(planned)


def test_a_company_is_told_apart_from_its_people() -> None:
    """Else a colleague's phone finds the company of somebody else."""
    customer, contact, *_ = plan(
        replace(ORDER, customer=replace(LAN, company="An Bình")), company_type=2
    ).records
    assert (customer.body["name"], customer.body["type"]) == ("An Bình", 2)
    assert not {"phone", "email"} & set(customer.body)
    assert customer.match == {"code": customer.key, "name": "An Bình"}
    assert contact.match == {"code": CONTACT_KEY, **REACHED}


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


def test_ids_of_our_own_are_the_same_every_time() -> None:
    """Else a vendor that keeps them gets the record twice, and one that does not is sent ids for nothing."""
    assert all("id" not in r.body for r in plan(ORDER).records)
    first, second = (plan(ORDER, client_ids=True) for _ in range(2))
    ids = [r.body["id"] for r in first.records]
    assert ids == [r.body["id"] for r in second.records]
    assert len(set(ids)) == len(ids), "opportunity and order have one key and must not have one id"
    assert all(uuid.UUID(one).version == 5 for one in ids)
    namespace = uuid.UUID("5b0ce0b9-a8f4-4c1e-9d6f-3f6c8e21d7aa")
    assert named_uuid("lead:đơn-1") == str(uuid.uuid5(namespace, "lead:đơn-1"))
    assert uuid.UUID(record(plan(TICKET, client_ids=True), "ticket").body["Id"]).version == 5


@pytest.mark.parametrize("command", [LEAD, ORDER, TICKET], ids=["lead", "order", "ticket"])
def test_every_field_has_a_row(command: Command) -> None:
    """Else an operator cannot say where a discount or a consent went."""
    rows = plan(command, stage=1, ticket_type=201).fields
    sources = {row.source for row in rows}
    assert {row.source for row in rows if row.outcome == "dropped"} == set()
    assert "key" in sources
    if isinstance(command, RecordOrder):
        each = ("sku", "name", "quantity", "unit_price", "total")
        assert {f"lines[{n}].{name}" for n in (0, 1) for name in each} <= sources
        assert {
            "total",
            "tax",
            "shipping",
            "discount",
            "currency",
            "placed_at",
            "status",
            "number",
        } <= sources


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
