"""Requests for help at OplaCRM, which has no tickets: a lead or an opportunity, as relay.toml decides."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from mappings.commands import OpenTicket, TicketStatus
from mappings.errors import ValueMissing
from mappings.vendor import Account, Plan, Record
from mappings.vendors.oplacrm import schemas
from mappings.vendors.oplacrm.customers import customer_of
from mappings.vendors.oplacrm.leads import lead_of
from mappings.writing.fields import FieldLedger
from mappings.writing.parties import Party, party_of

#: Where a request that has no date of its own may still have one.
_DATES = ("attributes.date", "attributes.opened_at", "attributes.received_at")


def open_ticket(ticket: OpenTicket, account: Account) -> Plan:
    """Return the plan of one request. Raises ValueMissing until relay.toml says what it shall become."""
    ledger = FieldLedger(ticket, account, schemas.Values)
    wanted = ledger.values.get("ticket_as")
    if wanted is None:
        raise ValueMissing("values.ticket_as", 'the vendor has no tickets: set it to "lead" or "opportunity"')
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    if wanted == "lead":
        return Plan((lead_of(ledger, party, lambda: _note(ledger)),), ledger.rows())
    return Plan((*customer_of(ledger, party), _opportunity(ledger, ticket, party)), ledger.rows())


def _note(ledger: FieldLedger) -> str:
    subject = str(ledger.take("subject", "lead.note"))
    return "\n\n".join(part for part in (subject, ledger.remainder("lead.note", first="description")) if part)


def _opportunity(ledger: FieldLedger, ticket: OpenTicket, party: Party) -> Record:
    solved = ticket.status is TicketStatus.SOLVED
    if solved:
        ledger.tell("status", "opportunity.stage_close")
    same: dict[str, Any] = {
        "name": ledger.title("opportunity.name", "Ticket: ", "subject"),
        "date_closed": ledger.deadline("opportunity.date_closed", "ticket_days", *_DATES).isoformat(),
        "sale_process_stage": _setting(ledger, "stage", "opportunity.sale_process_stage"),
    }
    body = ledger.body(
        "opportunity",
        schemas.Opportunity,
        account_external_id=party.account_key,
        contacts_external_ids=[party.contact_key],
        date_open=ledger.moment("opportunity.date_open", *_DATES).astimezone(UTC).isoformat(),
        sale_process=_setting(ledger, "process", "opportunity.sale_process"),
        custom_fields=lambda: _custom_fields(ledger),
        **same,
    )
    changes = ledger.body(
        "opportunity",
        schemas.OpportunityChanges,
        stage_close="CLOSE_WON" if solved else None,
        close_reason=ledger.setting("close_reason_won", "opportunity.close_reason") if solved else None,
        custom_fields=body["custom_fields"],
        **same,
    )
    return Record(
        "opportunity",
        ticket.key,
        body,
        {"marker": ticket.key},
        changes=changes,
        changes_when_new="stage_close" in changes,
    )


def _custom_fields(ledger: FieldLedger) -> list[dict[str, str]]:
    """Return the custom fields, one of which holds all that was said and has no field of its own."""
    text_field = ledger.account.custom_fields.get("opportunity", {}).get("description")
    if not text_field:
        raise ValueMissing(
            "custom_fields.opportunity.description",
            "an opportunity has no field for a request's text: name the id of a custom field",
        )
    found = dict(ledger.custom("opportunity"))
    found[text_field] = ledger.remainder("opportunity.custom_fields", first="description")
    return [{"custom_field_id": theirs, "value": value} for theirs, value in found.items()]


def _setting(ledger: FieldLedger, word: str, target: str) -> Any:
    """Return what requests have of their own, else what orders have."""
    own = ledger.setting(f"ticket_{word}", target)
    return own or ledger.setting("sale_process" if word == "process" else word, target)
