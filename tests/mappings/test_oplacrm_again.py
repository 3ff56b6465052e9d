"""OplaCRM, what is sent again and what has no record of its own: changed leads, requests for help."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mappings.commands import Attachment, Comment, OpenTicket, OrderStatus, Person, RegisterLead, TicketStatus
from mappings.errors import ValueMissing
from mappings.vendor import Account, Named, Plan
from mappings.vendors import VENDORS
from tests.mappings.vendor_examples import ORDER, told

OPLA = VENDORS["oplacrm"]
ANA = Person(name="Ana Garcia", email="ana@example.com")
LEAD = RegisterLead("site-1", ANA, "Hello", attributes={"budget": "5000"})
TICKET = OpenTicket(
    key="mail-1",
    subject="Broken lamp",
    description="It does not switch on.",
    requester=ANA,
    priority="high",
    attachments=(Attachment("lamp.png", "image/png", 9),),
    status=TicketStatus.OPEN,
    comments=(Comment("c1", "Ana", "Still dark."),),
    attributes={"date": "Mon, 2 Mar 2026 10:00:00 +0700"},
)
#: What a ticket says that has a field neither in a lead nor in an opportunity.
SAID = (
    "priority: high",
    "status: open",
    "attachments[0].name: lamp.png",
    "attachments[0].media_type: image/png",
    "attachments[0].size: 9",
)


def plan(command: Any, custom: dict[str, dict[str, str]] | None = None, **values: Any) -> Plan:
    return OPLA.planners[type(command)](command, Account("opla", values, custom or {}))


def test_a_lead_that_is_sent_again_says_only_what_the_sender_said() -> None:
    """Else a repeat gives a lead that people qualified back to the first owner, as new."""
    custom = {"lead": {"budget": "Budget"}, "lead_update": {"budget": "0c5e"}}
    (record,) = plan(LEAD, custom, owner="MNV_001", lead_status="New", lead_source="Website").records
    assert record.body["lead_status"] == "New"
    assert record.changes == {
        "name": "Ana Garcia",
        "account_name": "Ana Garcia",
        "contact_name": "Ana Garcia",
        "email": "ana@example.com",
        "note": "Hello",
        # The creation has the field's name here, the update its id.
        "custom_fields": [{"custom_field_id": "0c5e", "value": "5000"}],
        # No field of the update, but what the lead is read by before it is written.
        "external_id": "site-1",
    }


def test_an_owner_by_name_is_found_by_the_engine_and_one_by_id_needs_no_list() -> None:
    """Else every contact has an owner that does not exist, or a tenant without the list has none."""
    for written in ("Minh Tran", "minh.tran@example.com"):
        wanted = Named("employees", written, "values.owner")
        account, contact, *_, opportunity = plan(replace(ORDER, customer=ANA), owner=written).records
        assert {account.body[name] for name in ("owner_id", "created_by", "updated_by")} == {wanted}
        assert contact.body["owner_id"] == opportunity.body["owner_external_id"] == wanted
    assert plan(LEAD, owner="EMP-001").records[0].body["owner_id"] == "EMP-001"


@pytest.mark.parametrize(
    ("status", "stage"), [("paid", "Paid"), ("open", "Ordered"), ("refunded", "Ordered")]
)
def test_an_orders_status_chooses_the_stage(status: str, stage: str) -> None:
    """Else orders lie at a stage where nobody works on them."""
    order = replace(ORDER, status=OrderStatus(status))
    record = plan(order, stage="Ordered", stages={"paid": "Paid"}).records[-1]
    assert record.body["sale_process_stage"] == (record.changes or {})["sale_process_stage"] == stage


def test_a_ticket_is_refused_until_the_operator_chooses() -> None:
    """Else a request for help becomes a sales lead that nobody answers, without anybody having decided so."""
    with pytest.raises(ValueMissing, match=r"values\.ticket_as"):
        plan(TICKET)


def test_a_ticket_as_a_lead_holds_the_whole_request_in_its_note() -> None:
    """Else whoever opens the lead does not know what was asked."""
    planned = plan(TICKET, ticket_as="lead")
    (record,) = planned.records
    assert (record.kind, record.key, record.match) == ("lead", "mail-1", {"external_id": "mail-1"})
    note = record.body["note"]
    assert note.startswith("Broken lamp\n\nIt does not switch on.\n\n")
    assert set(SAID) <= set(note.splitlines())
    assert (record.body["name"], record.body["email"]) == ("Ana Garcia", "ana@example.com")
    assert (record.changes or {})["note"] == note
    # A comment's id says nothing to people.
    assert [line for line in told(planned) if line.endswith("dropped")] == ["comments[0].id > dropped"]


def test_a_ticket_as_an_opportunity_needs_a_field_for_its_text() -> None:
    """Else the request arrives as a title without a text: the vendor's opportunities have no description."""
    with pytest.raises(ValueMissing, match=r"custom_fields\.opportunity\.description"):
        plan(TICKET, ticket_as="opportunity")


@pytest.mark.parametrize("status", [TicketStatus.OPEN, TicketStatus.SOLVED])
def test_a_ticket_as_an_opportunity_is_closed_when_it_is_solved(status: TicketStatus) -> None:
    """Else solved requests stay in the list of open work, or open ones leave it."""
    custom = {"opportunity": {"description": "7d1f", "priority": "88aa"}}
    values = {
        "ticket_as": "opportunity",
        "sale_process": "Web shop",
        "ticket_process": "Support",
        "stage": "In",
    }
    planned = plan(replace(TICKET, status=status), custom, **values)
    account, contact, record = planned.records
    assert (account.kind, contact.kind, record.match) == ("account", "contact", {"marker": "mail-1"})
    assert record.body["name"] == "Ticket: Broken lamp [mail-1]"
    assert (record.body["sale_process"], record.body["sale_process_stage"]) == ("Support", "In")
    assert (record.body["date_open"], record.body["date_closed"]) == (
        "2026-03-02T03:00:00+00:00",
        "2026-03-05",
    )
    assert record.body["opportunities_products"] == []
    fields = {item["custom_field_id"]: item["value"] for item in record.body["custom_fields"]}
    assert fields["88aa"] == "high"
    assert fields["7d1f"].startswith("It does not switch on.\n\n")
    assert fields["7d1f"].endswith("\n\nAna: Still dark.")
    changes = record.changes or {}
    assert changes["custom_fields"] == record.body["custom_fields"]
    solved = status is TicketStatus.SOLVED
    assert (changes.get("stage_close"), record.changes_when_new) == ("CLOSE_WON" if solved else None, solved)
    # A comment's id says nothing to people.
    assert [line for line in told(planned) if line.endswith("dropped")] == ["comments[0].id > dropped"]
