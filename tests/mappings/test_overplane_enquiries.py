"""Overplane leads and requests for help, written by hand from the vendor's document."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mappings.commands import Address, Comment, OpenTicket, Person, RegisterLead, TicketStatus
from mappings.errors import CannotMap, ValueMissing
from mappings.vendor import Account, FieldRow, Ref
from mappings.vendors import VENDORS
from tests.mappings.test_overplane import VALUES, of_kind, plan, told

OVERPLANE = VENDORS["overplane"]
RECEIVED = {"received_at": "2026-03-02T03:00:00Z"}
LAN = Person(
    name="Nguyễn Lan",
    email="lan@example.com",
    phone="0901234567",
    company="Hồng Nhung",
    address=Address(city="Huế", country="VN"),
)
LEAD = RegisterLead("site-1", LAN, "Please call", "contact-form", attributes={"budget": "900", **RECEIVED})
TICKET = OpenTicket(
    "mail-1",
    "Broken",
    "It broke.",
    replace(LAN, company="", address=None),
    "High",
    "email",
    "1070",
    attributes=RECEIVED,
)


def test_a_lead_becomes_a_lead() -> None:
    """Else somebody who asked for an offer is never called back."""
    planned = plan(LEAD, default_region="VN", owner="sales@corp.example", lead_status="Open")
    (lead,) = planned.records
    title = "Nguyễn Lan: Please call [site-1]"
    assert lead.body == {
        "lead_name": "Nguyễn Lan",
        "company_name": "Hồng Nhung",
        "title": title,
        "email_id": "lan@example.com",
        "mobile_no": "+84901234567",
        "city": "Huế",
        "country": "VN",
        "company": "Example Corp",
        "lead_owner": "sales@corp.example",
        "status": "Open",
        "utm_source": "contact-form",
        "utm_content": "site-1",
    }
    assert (lead.key, lead.shared) == ("site-1", False)
    assert lead.match == {"marker": "site-1", "email": "lan@example.com"}
    assert lead.changes == {"title": title, "utm_content": "site-1"}
    rows = told(planned)
    for row in (
        "message > lead.title mapped",
        "origin > lead.utm_source mapped",
        "person.phone > lead.mobile_no converted",
        "attributes.budget > dropped",
        "attributes.received_at > dropped",
    ):
        assert row in rows


def test_what_the_campaign_says_of_itself_goes_before_the_forms_name() -> None:
    """Else paid visitors count as those of the form, and the campaign seems to bring nobody."""
    came = {"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "spring", "utm_content": "top"}
    (lead,) = plan(replace(LEAD, attributes=came)).records
    sent = {name: lead.body[name] for name in came}
    assert sent == {**came, "utm_content": "site-1"}, "utm_content is where our key is"


def test_an_attribute_can_have_a_field_and_a_country_its_name() -> None:
    """Else what visitors are asked for is thrown away, or a country's code is refused."""
    account = Account(
        "overplane", VALUES | {"countries": {"VN": "Vietnam"}}, {"lead": {"budget": "industry"}}
    )
    (lead,) = OVERPLANE.planners[RegisterLead](LEAD, account).records
    assert (lead.body["industry"], lead.body["country"]) == ("900", "Vietnam")
    for field in ("title", "utm_content"):
        taken = replace(account, custom_fields={"lead": {"budget": field}})
        with pytest.raises(ValueMissing, match=field):
            OVERPLANE.planners[RegisterLead](LEAD, taken)


def test_a_message_that_no_title_holds_is_kept_in_an_issue() -> None:
    """Else a long message is cut in the middle, and nobody knows."""
    long = replace(LEAD, message="word " * 100)
    (cut,) = plan(long).records
    assert len(cut.body["title"]) <= 250
    assert cut.body["title"].endswith(" [site-1]")
    assert "message > lead.title cut" in told(plan(long))
    planned = plan(LEAD, lead_message="issue")
    lead, issue = planned.records
    assert planned.records[planned.about] is lead
    assert issue.body["lead"] == Ref("lead", "site-1")
    assert issue.body["subject"] == "Lead Nguyễn Lan: Please call [site-1]"
    assert issue.body["description"] == "Please call\n\nbudget: 900\nreceived_at: 2026-03-02T03:00:00Z"


def test_a_lead_may_be_an_opportunity() -> None:
    """Else an account whose plan has no leads gets none of what the forms bring."""
    planned = plan(LEAD, lead_as="opportunity", lead_opportunity_type="Sales")
    customer, opportunity, line = planned.records
    assert planned.records[planned.about] is opportunity
    assert (customer.body["customer_name"], opportunity.body["opportunity_from"]) == (
        "Hồng Nhung",
        "Customer",
    )
    assert opportunity.body["title"] == "Lead Nguyễn Lan: Please call [site-1]"
    assert opportunity.body["opportunity_type"] == "Sales"
    assert opportunity.body["probability"] == Decimal(10)
    assert opportunity.body["transaction_date"] == "2026-03-02"
    assert opportunity.body["expected_closing"] == "2026-04-01"
    assert "opportunity_amount" not in opportunity.body
    assert (line.body["item_name"], line.body["rate"]) == ("Message", 0)
    assert line.body["description"] == "Please call\n\nbudget: 900 [site-1.1]"
    assert opportunity.expect == {}
    with pytest.raises(CannotMap, match=r"attributes\.date"):
        plan(replace(LEAD, attributes={}), lead_as="opportunity")


def test_a_request_becomes_an_issue_with_all_that_was_said() -> None:
    """Else whoever answers does not know what was asked, or by whom."""
    planned = plan(TICKET, issue_type="Question", priorities={"high": "Urgent"})
    (issue,) = planned.records
    assert issue.body == {
        "subject": "Broken [mail-1]",
        "description": "It broke.\n\nphone: 0901234567\nchannel: email\norder_number: 1070"
        "\nreceived_at: 2026-03-02T03:00:00Z",
        "raised_by": "lan@example.com",
        "customer_name": "Nguyễn Lan",
        "priority": "Urgent",
        "issue_type": "Question",
        "company": "Example Corp",
    }
    assert (issue.match, issue.shared) == ({"marker": "mail-1"}, False)
    assert FieldRow("priority", "issue.priority", "converted") in planned.fields
    assert not [row for row in planned.fields if row.outcome == "dropped"]
    assert "priority: High" in plan(TICKET).records[0].body["description"], "a word that the account lacks"


def test_what_is_said_later_and_where_it_stands_reach_the_issue() -> None:
    """Else a request is closed at the help desk and open in the CRM, and its answers are nowhere."""
    said = (Comment("1", "Minh", "A new one is on its way."), Comment("2", "", "Thanks."))
    again = replace(TICKET, status=TicketStatus.SOLVED, comments=said)
    planned = plan(again, priority="Medium")
    (issue,) = planned.records
    text = issue.body["description"]
    assert text.endswith("\n\nMinh: A new one is on its way.\n\nThanks.")
    assert issue.changes == {"status": "Closed", "priority": "Medium", "description": text}
    assert FieldRow("comments[0].text", "issue.description", "converted") in planned.fields
    assert FieldRow("comments[0].id", "", "dropped") in planned.fields
    words = {"open": "Open", "pending": "On Hold", "solved": "Resolved"}
    assert plan(again, ticket_statuses=words).records[0].body["status"] == "Resolved"
    assert "status" not in plan(TICKET).records[0].body


@pytest.mark.parametrize("party_name_is", ["id", "name"])
def test_a_request_may_belong_to_a_customer(party_name_is: str) -> None:
    """Else the customer's page in the CRM does not show what they complained about."""
    customer, issue = plan(TICKET, ticket_customer=True, party_name_is=party_name_is).records
    field = "customer_name" if party_name_is == "name" else ""
    assert issue.body["customer"] == Ref("customer", "acct-lan@example.com", field)
    assert customer.shared


def test_a_request_may_be_an_opportunity() -> None:
    """Else an account without issues gets no requests at all."""
    comment = Comment("1", "Minh", "On its way.")
    asked: dict[str, Any] = {"tickets": "opportunity", "ticket_opportunity_type": "Support"}
    planned = plan(replace(TICKET, status=TicketStatus.PENDING, comments=(comment,)), **asked)
    (opportunity,) = of_kind(planned, "opportunity")
    assert opportunity.body["title"] == "Ticket: Broken [mail-1]"
    assert opportunity.body["opportunity_type"] == "Support"
    assert opportunity.body["expected_closing"] == "2026-03-05"
    assert opportunity.changes == {"title": "Ticket: Broken [mail-1]", "status": "Replied"}
    (line,) = of_kind(planned, "opportunity_item")
    assert line.body["description"].startswith("It broke.\n\npriority: High")
    assert line.body["description"].endswith("Minh: On its way. [mail-1.1]")
    assert line.changes is not None
    assert line.changes["description"] == line.body["description"]
    items = of_kind(plan(TICKET, **asked, items="create", item_group="Services", stock_uom="Nos"), "item")
    assert [(item.body["item_code"], item.body["is_stock_item"]) for item in items] == [("MESSAGE", False)]
