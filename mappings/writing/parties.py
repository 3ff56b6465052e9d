"""The people and companies of a command: how they are told apart, and what they are called at a vendor."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mappings.commands import Person
from mappings.errors import CannotMap
from mappings.formats.keys import slug
from mappings.formats.phones import to_e164
from mappings.writing.fields import FieldLedger


def contact_key(person: Person) -> str | None:
    """Return what `person` is known by: the e-mail, else the phone where it is E.164, else None."""
    email = person.email.strip().casefold()
    if email:
        return slug(email)
    return person.phone if re.fullmatch(r"\+[0-9]{6,15}", person.phone) else None


def account_key(person: Person) -> str | None:
    """Return what the company of `person` is known by: its name in lower case, else its `contact_key`."""
    company = " ".join(person.company.casefold().split())
    return slug(company) if company else contact_key(person)


@dataclass(frozen=True, slots=True)
class Party:
    """The account and the contact that a command wants at a vendor.

    `name` is what to call the person, `company` is empty for a private one, `phone` is E.164 where it parses.
    A record that is not `shared` belongs to this command alone, because nothing tells its person from others.
    Of a stand-in for nobody in particular, `known` is false.
    """

    name: str
    company: str
    phone: str
    account_key: str
    contact_key: str
    account_shared: bool
    contact_shared: bool
    known: bool


def party_of(ledger: FieldLedger, stand_in: str = "") -> Party:
    """Return the party of the ledger's command, or the one named `stand_in` where the command names nobody.

    Phones without a country code are read as numbers of `values.default_region`. Raises CannotMap where there
    is neither a person nor a stand-in.
    """
    region = ledger.values.get("default_region")
    person = replace(ledger.person, phone=to_e164(ledger.person.phone, region) if ledger.person.phone else "")
    name = _called(person) or stand_in
    if not name:
        raise CannotMap("person", "no name, no company, no e-mail and no phone")
    # All orders of nobody in particular share one stand-in, or the CRM would fill with its copies.
    known = contact_key(person) if _called(person) else slug(name.casefold())
    account = account_key(person) or known
    own = slug(ledger.command.key)
    return Party(
        name=name,
        company=person.company,
        phone=person.phone,
        account_key=f"acct-{account or own}",
        contact_key=f"cont-{known or own}",
        account_shared=account is not None,
        contact_shared=known is not None,
        known=bool(_called(person)),
    )


def _called(person: Person) -> str:
    full = " ".join(part for part in (person.first_name, person.last_name) if part)
    return person.name or full or person.company or person.email or person.phone


def tell_name(ledger: FieldLedger, party: Party, target: str) -> str:
    """Return what to call the party's person, and put down which fields that came from."""
    person = ledger.person
    if not _called(person):
        ledger.setting("anonymous_customer", target)
        return party.name
    for part in ("name", "first_name", "last_name"):
        written_so = getattr(person, part)
        if written_so and written_so in party.name:
            ledger.tell(f"person.{part}", target, "mapped")
    for part in ("company", "email", "phone"):
        if party.name == getattr(person, part) and not (person.name or person.first_name or person.last_name):
            ledger.tell(f"person.{part}", target, "converted")
            break
    return party.name


def mark_of(ledger: FieldLedger, party: Party) -> str:
    """Return what tells a private person from a namesake in the name of their company; empty where nothing does.

    It is the same in all events of that person, who may be called otherwise in each.
    """
    if party.company or not (party.known and party.account_shared):
        return ""
    # In lower case, as in the key: the next order may spell the address otherwise.
    return str(ledger.peek("person.email")).strip().casefold() or party.phone


def company_name(ledger: FieldLedger, party: Party, target: str) -> str:
    """Return the company's name; a private person's bears what tells them from a namesake, in brackets."""
    if party.company:
        return str(ledger.take("person.company", target))
    name = tell_name(ledger, party, target)
    if not party.known:
        return name
    path = next((path for path in ("person.email", "person.phone") if ledger.peek(path)), "key")
    # In lower case, as in the key: the next order may spell the address otherwise.
    mark = party.phone if path == "person.phone" else str(ledger.peek(path)).strip().casefold()
    ledger.tell(path, target, "mapped" if mark == ledger.peek(path) else "converted")
    return name if mark == name.casefold() else f"{name} ({mark})"


def account_name(ledger: FieldLedger, party: Party, target: str) -> str:
    """Return the company's name, a private person's own where there is none: a key tells namesakes apart."""
    return str(ledger.take("person.company", target)) or tell_name(ledger, party, target)


def parted_name(ledger: FieldLedger, party: Party, first_target: str, last_target: str) -> tuple[str, str]:
    """Return name and surname for a vendor that demands both; `values.no_surname` for people of one word.

    The sender's own parts where it gives both. Else the last word is the surname: wrong for a Spanish name
    with two surnames ("Ana | García López") and for a Vietnamese one, whose family name comes first ("Nguyễn
    Thị | Lan"), but the whole still reads as its owner wrote it.
    """
    first, last = ledger.peek("person.first_name"), ledger.peek("person.last_name")
    if first and last:
        return ledger.take("person.first_name", first_target), ledger.take("person.last_name", last_target)
    *others, final = tell_name(ledger, party, first_target).split()
    if not others:
        return final, str(ledger.setting("no_surname", last_target))
    for path in ("person.name", "person.company"):
        if ledger.peek(path) == party.name:
            ledger.tell(path, last_target)
            break
    return " ".join(others), final


def told_phone(ledger: FieldLedger, party: Party, target: str) -> str:
    """Return the phone, E.164 where it parses, and put down where it went."""
    ledger.tell(
        "person.phone", target, "mapped" if party.phone == ledger.peek("person.phone") else "converted"
    )
    return party.phone
