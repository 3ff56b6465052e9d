"""Leads and requests for help at Overplane, as objects of their own or as opportunities."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mappings.commands import OpenTicket, RegisterLead
from mappings.vendor import Account, Plan, Record, Ref
from mappings.vendors.overplane import schemas
from mappings.vendors.overplane.opportunities import (
    country,
    customer_of,
    items_of,
    line_of,
    opportunity_of,
    party_name,
    placed,
    utm_source,
)
from mappings.writing.fields import SENT_AT, FieldLedger
from mappings.writing.orders import Charge
from mappings.writing.parties import Party, party_of, tell_name, told_phone


def register_lead(lead: RegisterLead, account: Account) -> Plan:
    """Return the plan of one lead. Raises CannotMap if it is to be an opportunity and has no date."""
    ledger = FieldLedger(lead, account, schemas.Values)
    party = party_of(ledger)
    if ledger.values["lead_as"] == "opportunity":
        opening = f"Lead {tell_name(ledger, party, 'opportunity.title')}: "
        return _as_opportunity(ledger, party, opening, "message", "lead", "close_days")
    records: tuple[Record, ...] = (_lead(ledger, party),)
    if ledger.values["lead_message"] == "issue":
        subject = f"Lead {tell_name(ledger, party, 'issue.subject')}: "
        records += (_issue(ledger, subject, "message", lead=Ref("lead", lead.key)),)
    return Plan(records, ledger.rows(), about=0)


def open_ticket(ticket: OpenTicket, account: Account) -> Plan:
    """Return the plan of one request for help; all that was said is in its description, kept up to date."""
    ledger = FieldLedger(ticket, account, schemas.Values)
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    if ledger.values["tickets"] == "opportunity":
        return _as_opportunity(ledger, party, "Ticket: ", "subject", "ticket", "ticket_days")
    whose: dict[str, Any] = {"customer_name": tell_name(ledger, party, "issue.customer_name")}
    customers: tuple[Record, ...] = ()
    if ledger.values["ticket_customer"]:
        customers = (customer_of(ledger, party),)
        whose = {"customer": party_name(ledger, party)}
    return Plan((*customers, _issue(ledger, "", "subject", **whose)), ledger.rows())


def _lead(ledger: FieldLedger, party: Party) -> Record:
    name = tell_name(ledger, party, "lead.lead_name")
    # The only text that a lead has room for is its title.
    title = ledger.title("lead.title", f"{name}: ", "message")
    body = ledger.body(
        "lead",
        schemas.Lead,
        **placed(
            ledger,
            "lead",
            lead_name=name,
            title=title,
            mobile_no=told_phone(ledger, party, "lead.mobile_no"),
            country=country(ledger, "lead.country"),
            utm_source=utm_source(ledger, "lead.utm_source"),
        ),
    )
    # For a lead that the account had before: it refuses a second one for the same e-mail.
    changes = {"title": title, "utm_content": ledger.command.key}
    email = str(ledger.peek("person.email"))
    match = {"marker": ledger.command.key, **({"email": email} if email else {})}
    return Record("lead", ledger.command.key, body, match, changes=changes)


def _issue(ledger: FieldLedger, opening: str, path: str, **whose: Any) -> Record:
    first = "message" if path == "message" else "description"
    body = ledger.body(
        "issue",
        schemas.Issue,
        **placed(
            ledger,
            "issue",
            **whose,
            subject=ledger.title("issue.subject", opening, path),
            status=_status(ledger, "issue.status"),
            priority=ledger.chosen("priorities", "priority", "issue.priority", "priority", demanded=False),
            description=lambda: ledger.remainder("issue.description", first),
        ),
    )
    changes = {name: value for name, value in body.items() if name in ("status", "priority", "description")}
    return Record("issue", ledger.command.key, body, {"marker": ledger.command.key}, changes=changes)


def _as_opportunity(ledger: FieldLedger, party: Party, opening: str, path: str, word: str, days: str) -> Plan:
    """Return an opportunity without an amount, with one line for all that was said: it has no field for it."""
    customer = customer_of(ledger, party)
    body = opportunity_of(
        ledger,
        party,
        title=ledger.title("opportunity.title", opening, path),
        status=_status(ledger, "opportunity.status"),
        sales_stage=ledger.setting("stage", "opportunity.sales_stage"),
        probability=ledger.setting("lead_probability", "opportunity.probability"),
        opportunity_type=ledger.setting(f"{word}_opportunity_type", "opportunity.opportunity_type"),
        transaction_date=ledger.moment("opportunity.transaction_date", *SENT_AT).date().isoformat(),
        expected_closing=ledger.deadline("opportunity.expected_closing", days, *SENT_AT).isoformat(),
    )
    changes = {name: value for name, value in body.items() if name in ("title", "status")}
    key = ledger.command.key
    opportunity = Record("opportunity", key, body, {"marker": key}, changes=changes)
    nothing = Decimal(0)
    said = ledger.remainder("opportunity_item.description", "message" if word == "lead" else "description")
    charge = Charge("", "MESSAGE", "Message", Decimal(1), nothing, nothing, said)
    line = line_of(ledger, charge, 1, 1, nothing)
    return Plan((customer, *items_of(ledger, (charge,)), opportunity, line), ledger.rows(), about=-2)


def _status(ledger: FieldLedger, target: str) -> str:
    """Return the account's word for where a ticket stands, empty where the sender does not say."""
    word = ledger.values["ticket_statuses"].get(str(ledger.peek("status")), "")
    if word:
        ledger.tell("status", target)
        ledger.setting("ticket_statuses", target)
    return str(word)
