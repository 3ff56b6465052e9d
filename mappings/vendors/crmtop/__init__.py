"""CRMTop: leads; orders as opportunity and order of a customer and a contact; requests as tickets with comments.

Fields are those of the API reference at www.developers.crmtop.vn; see `schemas` for what it leaves open.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from mappings.commands import OpenTicket, OrderStatus, RecordOrder, RegisterLead
from mappings.vendor import Account, JsonText, Plan, Record, Ref, VendorMapping
from mappings.vendors.crmtop import schemas
from mappings.vendors.crmtop.customers import customer_of, name_of, own_id
from mappings.writing.fields import FieldLedger
from mappings.writing.orders import (
    Charge,
    charges,
    order_title,
    priced,
    product_key,
    products_of,
    refuse_foreign,
    tell_charge,
    written_lines,
)
from mappings.writing.parties import Party, account_name, party_of, tell_name, told_phone

#: "2026-02-27T00:00:00+07:00": all samples are in the time that Vietnam keeps all year.
_LOCAL = timezone(timedelta(hours=7))
_LINES = "order.products"


def register_lead(lead: RegisterLead, account: Account) -> Plan:
    """Return the plan of one lead; its notes bear our key, because a lead has no code."""
    ledger = FieldLedger(lead, account, schemas.Values)
    party = party_of(ledger)
    body = ledger.body(
        "lead",
        schemas.Lead,
        id=own_id(ledger, "lead", lead.key),
        fullName=tell_name(ledger, party, "lead.fullName"),
        phone=told_phone(ledger, party, "lead.phone"),
        notes=_noted(ledger, "lead.notes", "message"),
    )
    known: dict[str, str] = {name: body[name] for name in ("email", "phone", "fullName") if name in body}
    return Plan((Record("lead", lead.key, body, {"marker": lead.key, **known}),), ledger.rows())


def record_order(order: RecordOrder, account: Account) -> Plan:
    """Return the plan of one order: its customer, contact and products, the opportunity and the order itself.

    Raises CannotMap where the order's date cannot be read, or its currency is not the connection's.
    """
    ledger = FieldLedger(order, account, schemas.Values)
    refuse_foreign(ledger, order.currency, "order.totalAmount")
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    asked = charges(order)
    customer, contact = customer_of(ledger, party)
    products = _products(ledger, asked)
    opportunity = _opportunity(ledger, order, party)
    bought = _order(ledger, order, party, asked)
    return Plan((customer, contact, *products, opportunity, bought), ledger.rows())


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


def _noted(ledger: FieldLedger, target: str, first: str) -> Callable[[], str]:
    def notes() -> str:
        ledger.tell("key", target, "mapped")
        # The marker goes first: how long such a text may be is not documented, and its end is what is cut.
        return f"[{ledger.command.key}]\n{ledger.remainder(target, first=first)}".rstrip()

    return notes


def _products(ledger: FieldLedger, asked: tuple[Charge, ...]) -> tuple[Record, ...]:
    return tuple(
        Record(
            "product",
            key,
            ledger.body(
                "product",
                schemas.Product,
                id=own_id(ledger, "product", key),
                code=charge.sku,
                name=charge.name,
                retailPrice=charge.unit_price,
            ),
            {"code": charge.sku},
            shared=True,
        )
        for key, charge in products_of(ledger, asked, sku="code", price="retailPrice").items()
    )


def _opportunity(ledger: FieldLedger, order: RecordOrder, party: Party) -> Record:
    ledger.tell("total", "opportunity.amount", "mapped")
    day = ledger.deadline("opportunity.expectedCloseDate", "close_days", "placed_at")
    body = ledger.body(
        "opportunity",
        schemas.Opportunity,
        id=own_id(ledger, "opportunity", order.key),
        name=order_title(ledger, "opportunity.name"),
        customerId=Ref("customer", party.account_key),
        customerName=account_name(ledger, party, "opportunity.customerName"),
        contactId=Ref("contact", party.contact_key),
        contactName=tell_name(ledger, party, "opportunity.contactName"),
        amount=order.total,
        stage=_standing(ledger, order, "stages", "opportunity.stage"),
        expectedCloseDate=datetime.combine(day, time(), _LOCAL).isoformat(),
    )
    changes = _changed(ledger, order, body, "amount currency", "stages")
    return Record("opportunity", order.key, body, {"code": order.key, "marker": order.key}, changes=changes)


def _order(ledger: FieldLedger, order: RecordOrder, party: Party, asked: tuple[Charge, ...]) -> Record:
    title = order_title(ledger, "order.note")
    off = order.discount + sum((line.discount for line in order.lines), Decimal(0))
    ledger.tell("total", "order.totalAmount", "mapped")
    ledger.tell("tax", "order.taxAmount", "mapped")
    ledger.tell("discount", "order.discountAmount", "mapped" if off == order.discount else "converted")
    body = ledger.body(
        "order",
        schemas.Order,
        id=own_id(ledger, "order", order.key),
        customerId=Ref("customer", party.account_key),
        customerName=account_name(ledger, party, "order.customerName"),
        orderDate=ledger.moment("order.orderDate", "placed_at").astimezone(_LOCAL).isoformat(),
        # Sent when they are nought, too: an update must be able to take a discount back.
        totalAmount=order.total,
        taxAmount=order.tax,
        discountAmount=off,
        status=_standing(ledger, order, "order_statuses", "order.status"),
        receiverName=tell_name(ledger, party, "order.receiverName") if party.known else None,
        receiverPhone=told_phone(ledger, party, "order.receiverPhone"),
        receiverAddress=ledger.address("order.receiverAddress"),
        products=_lines(ledger, order, asked),
        note=lambda: f"{title}\n\n{ledger.remainder('order.note', first='reason')}".rstrip(),
    )
    changes = _changed(ledger, order, body, "totalAmount taxAmount discountAmount products", "order_statuses")
    # What no status says yet is at least written down.
    is_said = order.status is OrderStatus.OPEN or "status" in changes
    news = [order.reason, "" if is_said else f"status: {order.status}"]
    if any(news):
        changes["note"] = "\n".join(filter(None, news))
    return Record("order", order.key, body, {"code": order.key, "marker": order.key}, changes=changes)


#: Table of relay.toml → field of the body that it fills, and the value for a status that is not in it.
_STANDING = {"stages": ("stage", "stage"), "order_statuses": ("status", "order_status")}


def _standing(ledger: FieldLedger, order: RecordOrder, table: str, target: str) -> int | None:
    value: int | None = ledger.chosen(table, "status", target, _STANDING[table][1], demanded=False)
    if value is not None and order.status is OrderStatus.OPEN:
        ledger.tell("status", target)
    return value


def _changed(
    ledger: FieldLedger, order: RecordOrder, body: dict[str, Any], always: str, table: str
) -> dict[str, Any]:
    names = always.split()
    # While an order is open its place in the pipeline belongs to the people who work on it, and so it does
    # where relay.toml has no place for what became of the order.
    known = {status.casefold() for status in ledger.values.get(table, {})} - {OrderStatus.OPEN}
    if order.status in known:
        names.append(_STANDING[table][0])
    return {name: body[name] for name in names if name in body}


def _lines(ledger: FieldLedger, order: RecordOrder, asked: tuple[Charge, ...]) -> JsonText | str:
    if ledger.setting("products_format", _LINES) == "text":
        return written_lines(ledger, asked, order.currency, _LINES)
    for charge in asked:
        ledger.tell(f"{charge.source}.sku", _LINES, "mapped")
        tell_charge(ledger, charge, _LINES, order.currency, described=True)
    # What such a line holds is not documented: the words are those that other requests have for the same.
    return JsonText(
        [
            {
                "productId": Ref("product", product_key(charge)),
                "productCode": charge.sku,
                "productName": charge.name,
                "quantity": pieces,
                "price": price,
                "totalAmount": pieces * price,
                "currency": order.currency,
                "note": charge.description,
            }
            for charge in asked
            for pieces, price in priced(charge, order.currency)
        ]
    )


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


CRMTOP = VendorMapping(
    type="crmtop",
    version=1,
    values=schemas.Values,
    secrets=("client_id", "client_secret"),
    planners={RegisterLead: register_lead, RecordOrder: record_order, OpenTicket: open_ticket},
)
