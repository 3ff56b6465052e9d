"""The customers of CRMTop and their contacts, and how a record that people typed by hand is recognised."""

from __future__ import annotations

from typing import Any

from mappings.formats.keys import named_uuid
from mappings.formats.phones import split
from mappings.vendor import Named, Record, Ref
from mappings.vendors.crmtop import schemas
from mappings.writing.fields import FieldLedger
from mappings.writing.parties import Party, account_name, tell_name, told_phone


def own_id(ledger: FieldLedger, kind: str, key: str) -> str | None:
    """Return the id that we give a record ourselves, None unless relay.toml says that the vendor keeps it."""
    return named_uuid(f"{kind}:{key}") if ledger.values["client_ids"] else None


def name_of(value: Any) -> str | None:
    """Return what relay.toml calls an entry of a list, which travels next to its id; None for a bare id."""
    return value.name if isinstance(value, Named) else None


def customer_of(ledger: FieldLedger, party: Party) -> tuple[Record, Record]:
    """Return the customer and its contact: ours by their code, those that people typed by what reaches them."""
    # A colleague's e-mail and phone are not the company's: only a private customer's are the customer's own.
    private = not party.company
    name = account_name(ledger, party, "customer.name")
    customer = ledger.body(
        "customer",
        schemas.Customer,
        id=own_id(ledger, "customer", party.account_key),
        code=party.account_key,
        name=name,
        type=ledger.setting("person_type" if private else "company_type", "customer.type"),
        groupName=name_of(ledger.values.get("customer_group")),
        email=ledger.take("person.email", "customer.email") if private else None,
        phone=told_phone(ledger, party, "customer.phone") if private else None,
        address=ledger.address("customer.address"),
    )
    contact = ledger.body(
        "contact",
        schemas.Contact,
        id=own_id(ledger, "contact", party.contact_key),
        code=party.contact_key,
        customerId=Ref("customer", party.account_key),
        customerName=name,
        fullName=tell_name(ledger, party, "contact.fullName"),
        phone=told_phone(ledger, party, "contact.phone"),
        address=ledger.address("contact.address"),
    )
    match = {"code": party.account_key, **({} if private else {"name": name})}
    return (
        Record("customer", party.account_key, customer, match | _reached(customer), party.account_shared),
        Record(
            "contact",
            party.contact_key,
            contact,
            {"code": party.contact_key} | _reached(contact),
            party.contact_shared,
        ),
    )


def _reached(body: dict[str, Any]) -> dict[str, str]:
    parts = split(body.get("phone", ""))
    digits = {"phone": body["phone"], "digits": parts[2]} if parts else {}
    return {**({"email": body["email"]} if "email" in body else {}), **digits}
