"""The account and the contact of an OplaCRM opportunity, and telephone numbers in the vendor's parts."""

from __future__ import annotations

from mappings.formats.phones import split
from mappings.vendor import Record
from mappings.vendors.oplacrm import schemas
from mappings.writing.fields import FieldLedger
from mappings.writing.parties import Party, account_name, parted_name


def customer_of(ledger: FieldLedger, party: Party) -> tuple[Record, Record]:
    """Return the account and the contact that the ledger's command is about."""
    return _account(ledger, party), _contact(ledger, party)


def _account(ledger: FieldLedger, party: Party) -> Record:
    # A colleague's e-mail and phone are not the company's: only a private customer's are the account's own.
    private = not party.company
    body = ledger.body(
        "account",
        schemas.Account,
        name=account_name(ledger, party, "account.name"),
        long_name=account_name(ledger, party, "account.long_name"),
        external_id=party.account_key,
        email=ledger.take("person.email", "account.email") if private else "",
        phone=_phone(ledger, party, "account.phone") if private else None,
        address=ledger.address("account.address"),
    )
    return Record(
        "account", party.account_key, body, {"external_id": party.account_key}, shared=party.account_shared
    )


def _contact(ledger: FieldLedger, party: Party) -> Record:
    # Both are required, and whether an empty text passes for a name is not documented.
    first, last = parted_name(ledger, party, "contact.first_name", "contact.last_name")
    body = ledger.body(
        "contact",
        schemas.Contact,
        first_name=first,
        last_name=last,
        external_id=party.contact_key,
        account_external_id=party.account_key,
        phone_work=_phone(ledger, party, "contact.phone_work"),
        address=ledger.address("contact.address"),
    )
    return Record(
        "contact", party.contact_key, body, {"external_id": party.contact_key}, shared=party.contact_shared
    )


def _phone(ledger: FieldLedger, party: Party, target: str) -> dict[str, str] | None:
    parts = split(party.phone)
    ledger.tell("person.phone", target, "converted" if parts else "mapped")
    if parts:
        return {"call_code": parts[0], "country_code": parts[1], "phone": parts[2]}
    return {"phone": party.phone} if party.phone else None


def lead_phone(ledger: FieldLedger, party: Party) -> dict[str, str] | None:
    """Return the phone as a lead has it: its `country_code` is what must be dialled."""
    shape = ledger.values["lead_phone_shape"]
    parts = split(party.phone)
    ledger.tell("person.phone", "lead.phone", "converted" if parts else "mapped")
    if parts:
        return {"country_code": parts[0], shape: parts[2]}
    return {shape: party.phone} if party.phone else None
