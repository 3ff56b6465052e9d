"""Requests for help at CRMTop: a ticket, and a comment for each thing that was said since."""

from __future__ import annotations

from mappings.commands import OpenTicket
from mappings.vendor import Account, Plan, Record, Ref
from mappings.vendors.crmtop import schemas
from mappings.vendors.crmtop.customers import customer_of, name_of, own_id
from mappings.writing.fields import FieldLedger
from mappings.writing.parties import party_of


def open_ticket(ticket: OpenTicket, account: Account) -> Plan:
    """Return the plan of one ticket and of what was said on it; its description holds what has no field."""
    ledger = FieldLedger(ticket, account, schemas.Values)
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    customer, contact = customer_of(ledger, party)
    comments = _comments(ledger, ticket)
    body = ledger.body(
        "ticket",
        schemas.Ticket,
        Id=own_id(ledger, "ticket", ticket.key),
        Subject=ledger.title("ticket.Subject", "", "subject"),
        TypeName=name_of(ledger.values.get("ticket_type")),
        Priority=ledger.chosen("priorities", "priority", "ticket.Priority", "priority", demanded=False),
        Channel=ledger.chosen("channels", "channel", "ticket.Channel", "channel", demanded=False),
        Status=ledger.chosen("ticket_statuses", "status", "ticket.Status", "ticket_status"),
        CustomerId=Ref("customer", customer.key),
        CustomerName=customer.body["name"],
        ContactId=Ref("contact", contact.key),
        ContactName=contact.body["fullName"],
        Description=lambda: ledger.remainder("ticket.Description", first="description"),
    )
    # Only comments are new where the sender knows no status; then nothing of the ticket itself changes.
    changes = {"status": body["Status"]} if ticket.status else {} if comments else None
    opened = Record("ticket", ticket.key, body, {"code": ticket.key, "marker": ticket.key}, changes=changes)
    return Plan((customer, contact, opened, *comments), ledger.rows(), about=2, spoken=("comment",))


def _comments(ledger: FieldLedger, ticket: OpenTicket) -> tuple[Record, ...]:
    made = []
    for place, comment in enumerate(ticket.comments):
        key = f"{ticket.key}.{comment.id}"
        for field, target in (("id", "Message"), ("author", "UserName"), ("text", "Message")):
            ledger.tell(f"comments[{place}].{field}", f"comment.{target}", "mapped")
        body = ledger.body(
            "comment",
            schemas.Comment,
            TicketId=Ref("ticket", ticket.key),
            UserName=comment.author,
            Message=f"[{key}]\n{comment.text}",
        )
        made.append(Record("comment", key, body, {"marker": key}))
    return tuple(made)
