"""centiaCRM: leads and orders as opportunities, requests as tickets, each for a company and a contact of it.

Fields and formats are those of the vendor's API documentation, version 1. Nothing but a product can be
changed once it exists, so no record has `changes`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from mappings.commands import OpenTicket, RecordOrder, RegisterLead
from mappings.vendor import Account, Plan, Record, Ref, VendorMapping
from mappings.vendors.centiacrm import schemas
from mappings.vendors.centiacrm.lines import lines_of, taxed
from mappings.writing.fields import SENT_AT, FieldLedger
from mappings.writing.orders import Charge, charges, lost_in_words, order_title, products_of, refuse_foreign
from mappings.writing.parties import (
    Party,
    company_name,
    mark_of,
    parted_name,
    party_of,
    tell_name,
    told_phone,
)

#: A street that ends in its number, as Spanish addresses do: "Av. Juárez 1", "Calle 5 #12-B".
_HOUSE = re.compile(r"(.*[^\s,#])[\s,]+#?([0-9]+[-\w]{0,6})\Z")


def register_lead(lead: RegisterLead, account: Account) -> Plan:
    """Return the plan of one lead: an opportunity worth nothing yet. Raises CannotMap if it has no date."""
    ledger = FieldLedger(lead, account, schemas.Values)
    party = party_of(ledger)
    customer = _customer(ledger, party)
    opening = f"Lead {tell_name(ledger, party, 'opportunity.title')}: "
    opportunity = _opportunity(
        ledger,
        customer,
        comment="message",
        title=ledger.title("opportunity.title", opening, "message"),
        value=Decimal(0),
        estimated_end_at=_short_day(ledger, *SENT_AT),
    )
    return Plan((*customer, opportunity), ledger.rows())


def record_order(order: RecordOrder, account: Account) -> Plan:
    """Return the plan of one order: its customer, its products, and the opportunity that it is.

    Raises CannotMap where the order's date cannot be read, or its currency is not the connection's.
    """
    ledger = FieldLedger(order, account, schemas.Values)
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    refuse_foreign(ledger, order.currency, "opportunity.value")
    asked = charges(order, taxed=lambda line: ledger.values["want_tax"] and taxed(line, order.currency))
    customer = _customer(ledger, party)
    products = _products(ledger, asked)
    lines = lines_of(ledger, asked, order.currency)
    ledger.tell("total", "opportunity.value", "mapped")
    lost = lost_in_words(ledger, order, "stages")
    if lost:
        ledger.tell("status", "opportunity.title")
    opportunity = _opportunity(
        ledger,
        customer,
        comment="reason",
        title=order_title(ledger, "opportunity.title", lost),
        value=order.total,
        estimated_end_at=_short_day(ledger, "placed_at"),
        stage_id=ledger.chosen("stages", "status", "opportunity.stage_id", "stage"),
        want_products=bool(lines),
        want_tax=any(line["tax"] for line in lines),
        products=lines or None,
    )
    return Plan((*customer, *products, opportunity), ledger.rows())


def open_ticket(ticket: OpenTicket, account: Account) -> Plan:
    """Return the plan of one ticket; what has no field of its own is written into its description.

    Raises CannotMap where no date is known that its due day could follow, ValueMissing where relay.toml lacks
    an id that only tickets need.
    """
    ledger = FieldLedger(ticket, account, schemas.Values)
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    company, contact = _customer(ledger, party)
    body = ledger.body(
        "ticket",
        schemas.Ticket,
        title=ledger.title("ticket.title", "", "subject"),
        company_id=Ref("company", company.key),
        contact_id=Ref("contact", contact.key),
        priority_id=ledger.chosen("priorities", "priority", "ticket.priority_id", "priority"),
        estimated_end_at=ledger.deadline("ticket.estimated_end_at", "ticket_days", *SENT_AT).isoformat(),
        description=lambda: ledger.remainder("ticket.description", first="description"),
    )
    return Plan((company, contact, Record("ticket", ticket.key, body, {"marker": ticket.key})), ledger.rows())


def _customer(ledger: FieldLedger, party: Party) -> tuple[Record, Record]:
    name = company_name(ledger, party, "company.name")
    company = ledger.body(
        "company",
        schemas.Company,
        name=name,
        # A colleague's phone is not the company's: only a private customer's is.
        phone=None if party.company else told_phone(ledger, party, "company.phone"),
        shipping_address=_address(ledger, "company.shipping_address"),
    )
    first, surname = parted_name(ledger, party, "contact.name", "contact.surname")
    contact = ledger.body(
        "contact",
        schemas.Contact,
        company_id=Ref("company", party.account_key),
        name=first,
        surname=surname,
        phone_mobile=told_phone(ledger, party, "contact.phone_mobile"),
        shipping_address=_address(ledger, "contact.shipping_address"),
    )
    key = party.contact_key
    if party.company and party.contact_shared:
        # A contact belongs to one company, and what is for another one is refused with it. No slug has a slash.
        key = f"{key}/{party.account_key}"
    match = {"email": ledger.peek("person.email")} if ledger.peek("person.email") else {"phone": party.phone}
    mark = mark_of(ledger, party)
    named = {"name": name, "mark": mark} if mark else {"name": name}
    return (
        Record("company", party.account_key, company, named, shared=party.account_shared),
        Record(
            "contact",
            key,
            contact,
            match if any(match.values()) else {"name": f"{first} {surname}"},
            shared=party.contact_shared,
        ),
    )


def _address(ledger: FieldLedger, target: str) -> dict[str, Any] | None:
    # Codes of our own guess would be refused or, worse, taken, and so would be half an address.
    country = ledger.values.get("countries", {}).get(ledger.peek("person.address.country"))
    state = ledger.values.get("states", {}).get(ledger.peek("person.address.region"))
    parts = {"street": "street", "zip": "postcode", "city": "city"}
    if not country or not state or not all(ledger.peek(f"person.address.{part}") for part in parts.values()):
        return None
    for path, key in (("country", "countries"), ("region", "states")):
        ledger.tell(f"person.address.{path}", target)
        ledger.setting(key, target)
    whole = {theirs: ledger.take(f"person.address.{ours}", target) for theirs, ours in parts.items()}
    parted = _HOUSE.match(whole["street"])
    street, number = parted.groups() if parted else (whole["street"], ledger.values["no_house_number"])
    return {**whole, "country": country, "state": state, "street": street, "number": number}


def _products(ledger: FieldLedger, asked: tuple[Charge, ...]) -> tuple[Record, ...]:
    return tuple(
        Record(
            "product",
            key,
            ledger.body(
                "product", schemas.Product, name=charge.name, value=charge.unit_price, sku=charge.sku
            ),
            {"sku": charge.sku},
            shared=True,
        )
        for key, charge in products_of(ledger, asked, sku="sku", price="value").items()
    )


def _opportunity(
    ledger: FieldLedger, customer: tuple[Record, Record], comment: str, **computed: Any
) -> Record:
    if ledger.values["notify"]:
        # The comment is only ever seen in the notification, so without one nothing would be kept by it.
        computed["comment"] = lambda: ledger.remainder("opportunity.comment", first=comment)
    body = ledger.body(
        "opportunity",
        schemas.Opportunity,
        company_id=Ref("company", customer[0].key),
        contact_id=Ref("contact", customer[1].key),
        **computed,
    )
    return Record("opportunity", ledger.command.key, body, {"marker": ledger.command.key})


def _short_day(ledger: FieldLedger, *paths: str) -> str:
    return ledger.deadline("opportunity.estimated_end_at", "close_days", *paths).strftime("%d/%m/%y")


CENTIACRM = VendorMapping(
    type="centiacrm",
    version=4,
    values=schemas.Values,
    secrets=("email", "password"),
    planners={RegisterLead: register_lead, RecordOrder: record_order, OpenTicket: open_ticket},
    lost_in=("stages",),
    more_room="values.notify = true, which writes it into the notification to the owner; no field keeps it",
)
