"""Whom a command is about, as contacts of ONLYOFFICE: a company, a person of it, and how to reach them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mappings.formats.keys import slug
from mappings.vendor import Named, Record, Ref
from mappings.vendors.onlyoffice import schemas
from mappings.writing.fields import FieldLedger
from mappings.writing.parties import Party, company_name, parted_name, told_phone


@dataclass(frozen=True, slots=True)
class Customer:
    """The records of whom a command is about; `person` is among `records`, `members` are person and company."""

    person: Record
    records: tuple[Record, ...]
    members: tuple[Ref, ...]


def customer_of(ledger: FieldLedger, party: Party) -> Customer:
    """Return the contacts of the ledger's command: a company only where it names one."""
    company = (_company(ledger, party),) if party.company else ()
    person = _person(ledger, party)
    infos = (
        _info(ledger, party, schemas.EMAIL, str(ledger.take("person.email", "contact_info.data"))),
        _info(ledger, party, schemas.PHONE, told_phone(ledger, party, "contact_info.data")),
    )
    return Customer(
        person,
        (*company, person, *(info for info in infos if info)),
        tuple(Ref(record.kind, record.key) for record in (person, *company)),
    )


def custom_fields(ledger: FieldLedger, kind: str) -> list[dict[str, Any]] | None:
    """Return the custom fields of a `kind` record, which relay.toml calls by id or by label."""
    found: list[dict[str, Any]] = []
    for theirs, value in ledger.custom(kind):
        label = Named(f"{kind} fields", theirs, f"custom_fields.{kind}")
        found.append({"key": int(theirs) if theirs.isdecimal() else label, "value": value})
    return found or None


def add_on(
    ledger: FieldLedger, party: Party, kind: str, schema: Any, path: Mapping[str, Any], name: str
) -> Record:
    """Return a record that only says something more of the party's person."""
    body = {**path, **ledger.body(kind, schema)}
    key = f"{kind}-{slug(f'{party.contact_key}.{name}')}"
    return Record(kind, key, body, {"person": party.contact_key}, shared=party.contact_shared)


def _company(ledger: FieldLedger, party: Party) -> Record:
    name = company_name(ledger, party, "company.companyName")
    body = ledger.body(
        "company",
        schemas.CompanyBody,
        companyName=name,
        customFieldList=custom_fields(ledger, "company"),
    )
    return Record("company", party.account_key, body, {"name": name}, shared=party.account_shared)


def _person(ledger: FieldLedger, party: Party) -> Record:
    first, last = parted_name(ledger, party, "person.firstName", "person.lastName")
    body = ledger.body(
        "person",
        schemas.PersonBody,
        firstName=first,
        lastName=last,
        companyId=Ref("company", party.account_key) if party.company else None,
        # E-mail and phone come with later calls. Until then nothing else tells whether this person was made.
        about=f"CRM Relay [{party.contact_key}]",
        customFieldList=custom_fields(ledger, "person"),
    )
    email = str(ledger.peek("person.email"))
    reached = {"email": email} if email else {"phone": party.phone}
    match = {**reached, "name": f"{first} {last}".strip(), "marker": party.contact_key}
    return Record("person", party.contact_key, body, match, shared=party.contact_shared)


def _info(ledger: FieldLedger, party: Party, kind: int, data: str) -> Record | None:
    if not data:
        return None
    body = ledger.body("contact_info", schemas.ContactInfoBody, infoType=kind, data=data, isPrimary=True)
    return Record(
        "contact_info",
        f"info-{slug(f'{party.contact_key}.{data.casefold()}')}",
        {"id": Ref("person", party.contact_key), **body},
        {"data": data},
        shared=party.contact_shared,
    )
