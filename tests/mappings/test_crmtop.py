"""CRMTop's leads, customers and tickets: bodies written by hand from the vendor's API reference."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from mappings.commands import Command, Comment, RecordOrder, TicketStatus
from mappings.formats.keys import named_uuid
from mappings.vendor import Named, Ref
from tests.mappings.crmtop_examples import (
    CONTACT_KEY,
    LAN,
    LEAD,
    ORDER,
    OWNER,
    PARTY,
    REACHED,
    TICKET,
    plan,
    record,
    told,
)

D = Decimal


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
