"""ONLYOFFICE: leads as persons with an event, orders as opportunities, requests as cases with event and task.

The vendor has neither leads nor tickets nor lines of an opportunity. What an opportunity or a person has no
field for stands in its description or in an event of its history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.commands import OpenTicket, OrderStatus, RecordOrder, RegisterLead, TicketStatus
from mappings.vendor import Account, Named, Plan, Record, Ref, VendorMapping
from mappings.vendors.onlyoffice import schemas
from mappings.vendors.onlyoffice.invoices import invoice_of
from mappings.vendors.onlyoffice.parties import Customer, add_on, custom_fields, customer_of
from mappings.writing.fields import FieldLedger
from mappings.writing.orders import Charge, charges, order_title, written_lines
from mappings.writing.parties import party_of

#: Where a command that has no date of its own may still have one.
_RECEIVED = "attributes.received_at"
_DATES = ("attributes.date", "attributes.opened_at", _RECEIVED)
#: The value of relay.toml for the stage of an order, and what the vendor calls the probability of success.
_STAGES: Mapping[OrderStatus, tuple[str, int | None]] = {
    OrderStatus.OPEN: ("stage", None),
    OrderStatus.PAID: ("stage_won", 100),
    OrderStatus.CANCELLED: ("stage_lost", 0),
    OrderStatus.REFUNDED: ("stage_lost", 0),
}
_DESCRIPTION = "opportunity.description"


def register_lead(lead: RegisterLead, account: Account) -> Plan:
    """Return the plan of one lead: its person, marked as a lead, and an event with what they said."""
    ledger = FieldLedger(lead, account, schemas.Values)
    party = party_of(ledger)
    customer = customer_of(ledger, party)
    person = Ref("person", party.contact_key)
    marks = []
    if ledger.values["lead_tag"]:
        path = {"entityType": "contact", "entityid": person}
        marks.append(add_on(ledger, party, "tag", schemas.TagBody, path, ledger.values["lead_tag"]))
    if ledger.values.get("contact_status") is not None:
        marks.append(
            add_on(ledger, party, "contact_status", schemas.ContactStatusBody, {"id": person}, "status")
        )
    ledger.tell("key", "history.content", "mapped")
    created = _received(ledger)
    said = ledger.remainder("history.content", first="message")
    match = {"person": party.contact_key}
    event = _event(ledger, lead.key, said, match=match, contactId=person, created=created)
    records = (*customer.records, *marks, event)
    return Plan(records, ledger.rows(), about=records.index(customer.person))


def record_order(order: RecordOrder, account: Account) -> Plan:
    """Return the plan of one order: its customer, the opportunity that it is, and an invoice where wanted.

    Raises CannotMap where the order's date cannot be read or an invoice cannot hold its amounts, ValueMissing
    where relay.toml has no stage for it.
    """
    ledger = FieldLedger(order, account, schemas.Values)
    customer = customer_of(ledger, party_of(ledger, stand_in=ledger.values["anonymous_customer"]))
    asked = charges(order)
    events: tuple[Record, ...] = ()
    if order.reason:
        text = f"Order {order.status}: {ledger.take('reason', 'history.content')}"
        events = (_event(ledger, f"{order.key}.{order.status}", text, of=("opportunity", order.key)),)
    # Nobody is to pay for what is lost; an invoice that was made before stays.
    invoiced = ledger.values["lines"] == "invoice" and _STAGES[order.status][0] != "stage_lost"
    invoice = invoice_of(ledger, order, asked, customer.person) if invoiced else ()
    opportunity = _opportunity(ledger, order, customer, asked)
    return Plan(
        (*customer.records, opportunity, *invoice, *events), ledger.rows(), about=len(customer.records)
    )


def open_ticket(ticket: OpenTicket, account: Account) -> Plan:
    """Return the plan of one ticket: a case, an event with the text, a task with its deadline, the comments.

    Raises CannotMap where no date is known that the deadline could follow.
    """
    ledger = FieldLedger(ticket, account, schemas.Values)
    customer = customer_of(ledger, party_of(ledger, stand_in=ledger.values["anonymous_customer"]))
    case = Ref("case", ticket.key)
    closed = {} if ticket.status is None else {"closed": ticket.status is TicketStatus.SOLVED}
    ledger.tell("status", "case.isClosed")
    task = ledger.body(
        "task",
        schemas.TaskBody,
        title=ledger.title("task.title", "", "subject"),
        deadline=ledger.deadline("task.deadline", "ticket_days", *_DATES).isoformat(),
        entityType="case",
        entityId=case,
        contactId=customer.members[0],
    )
    body = ledger.body(
        "case",
        schemas.CaseBody,
        title=ledger.title("case.title", "", "subject"),
        members=list(customer.members),
        customFieldList=custom_fields(ledger, "case"),
    )
    comments = _comments(ledger, ticket)
    created = _received(ledger)
    said = ledger.remainder("history.content", first="description")
    records = (
        *customer.records,
        _living("case", ticket.key, body, closed),
        _event(ledger, ticket.key, said, of=("case", ticket.key), created=created),
        _living("task", ticket.key, task, closed),
        *comments,
    )
    return Plan(records, ledger.rows(), about=len(customer.records), spoken=("history",))


def _received(ledger: FieldLedger) -> str | None:
    if not ledger.peek(_RECEIVED):
        return None
    return ledger.moment("history.created", _RECEIVED).replace(microsecond=0).isoformat()


def _living(kind: str, key: str, body: dict[str, Any], closed: dict[str, bool]) -> Record:
    # A create cannot say that it is closed already.
    return Record(
        kind, key, body, {"marker": key}, changes=closed, changes_when_new=closed.get("closed", False)
    )


def _comments(ledger: FieldLedger, ticket: OpenTicket) -> tuple[Record, ...]:
    made = []
    for place, comment in enumerate(ticket.comments):
        for name in ("id", "author", "text"):
            ledger.tell(f"comments[{place}].{name}", "history.content", "mapped")
        text = f"{comment.author}:\n{comment.text}" if comment.author else comment.text
        made.append(_event(ledger, f"{ticket.key}.{comment.id}", text, of=("case", ticket.key)))
    return tuple(made)


def _event(
    ledger: FieldLedger,
    key: str,
    text: str,
    of: tuple[str, str] | None = None,
    match: dict[str, str] | None = None,
    **fields: Any,
) -> Record:
    if of is not None:
        fields |= {"entityType": of[0], "entityId": Ref(*of)}
    content = f"{text}\n\n[{key}]".strip()
    body = ledger.body("history", schemas.HistoryBody, content=content, **fields)
    return Record("history", key, body, {"marker": key, **(match or {})})


def _opportunity(
    ledger: FieldLedger, order: RecordOrder, customer: Customer, asked: tuple[Charge, ...]
) -> Record:
    key, closing = _STAGES[order.status]
    stage = ledger.chosen("stages", "status", "opportunity.stageid", key)
    ledger.tell("status", "opportunity.stageid")
    ledger.tell("total", "opportunity.bidValue", "mapped")
    by_name = Named("stage chances", stage.name, stage.key) if isinstance(stage, Named) else None
    lines = written_lines(ledger, asked, order.currency, _DESCRIPTION)
    body = ledger.body(
        "opportunity",
        schemas.OpportunityBody,
        title=order_title(ledger, "opportunity.title"),
        contactid=customer.members[0],
        members=list(customer.members),
        bidType=0,
        bidValue=order.total,
        bidCurrencyAbbr=ledger.take("currency", "opportunity.bidCurrencyAbbr")
        or ledger.setting("currency", "opportunity.bidCurrencyAbbr"),
        stageid=stage,
        successProbability=by_name if closing is None else closing,
        actualCloseDate=None if key == "stage" else _day_of(ledger),
        expectedCloseDate=ledger.deadline(
            "opportunity.expectedCloseDate", "close_days", "placed_at"
        ).isoformat(),
        customFieldList=custom_fields(ledger, "opportunity"),
        description=lambda: "\n\n".join(
            part for part in (lines, ledger.remainder(_DESCRIPTION, first="attributes.note")) if part
        ),
    )
    # Where people have moved an open order to is left alone.
    changed = ("description", "bidValue", "bidCurrencyAbbr", *(() if key == "stage" else ("stageid",)))
    changes = {name: body[name] for name in changed if name in body}
    # The search is for words anywhere in a title: without its brackets the key "shop-1" would find "shop-10".
    match = {"marker": order.key, "bracketed": f"[{order.key}]"}
    return Record("opportunity", order.key, body, match, changes=changes)


def _day_of(ledger: FieldLedger) -> str:
    return ledger.moment("opportunity.actualCloseDate", "placed_at").date().isoformat()


ONLYOFFICE = VendorMapping(
    type="onlyoffice",
    version=1,
    values=schemas.Values,
    secrets=("email", "password"),
    planners={RegisterLead: register_lead, RecordOrder: record_order, OpenTicket: open_ticket},
)
