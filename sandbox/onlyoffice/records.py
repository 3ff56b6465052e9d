"""Keeps ONLYOFFICE's records: their ids, how they are found and what searches look into."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sandbox.fields import Json
from sandbox.store import Query, Record
from sandbox.vendor import Desk

# Persons and companies are contacts and share one run of ids.
FIRST_ID: Mapping[str, int] = {
    "person": 10001,
    "company": 10001,
    "contact_info": 20001,
    "opportunity": 30001,
    "case": 40001,
    "task": 50001,
    "history": 60001,
    "tag": 70001,
    "invoice_item": 80001,
    "invoice": 90001,
    "invoice_line": 95001,
}
KINDS = tuple(FIRST_ID)
CONTACTS = ("person", "company")
# What each kind's filterValue looks into.
SEARCHED: Mapping[str, tuple[str, ...]] = {
    "person": ("firstName", "lastName", "about"),
    "company": ("companyName", "about"),
    "contact_info": ("data",),
    "opportunity": ("title", "description"),
    "case": ("title",),
    "task": ("title", "description"),
    "history": ("content",),
    "invoice_item": ("title", "description", "sku"),
    "invoice": ("number", "description", "purchaseOrderNumber"),
}


def add(desk: Desk, kind: str, body: Json, state: Json) -> Record:
    """Store a new record under the next id of its kind."""
    counter = "contact" if kind in CONTACTS else kind
    record_id = desk.store.next_number(desk.vendor, counter, FIRST_ID[kind])
    return desk.store.add(desk.vendor, kind, str(record_id), body, state, searchable(kind, state))


def change(desk: Desk, old: Record, body: Json, state: Json) -> Record:
    """Replace what is known of a record."""
    return desk.store.change(old, body, state, searchable(old.kind, state))


def words_of(kind: str, state: Json) -> str:
    """Return what a record says in the fields that filterValue looks into."""
    return "\n".join(str(state.get(name) or "") for name in SEARCHED.get(kind, ()))


def searchable(kind: str, state: Json) -> str:
    """Return the text that is stored for searches: the words, then a mark for each contact that takes part."""
    return words_of(kind, state) + "".join(member_mark(member) for member in state.get("members", ()))


def member_mark(contact_id: int) -> str:
    """Return the mark by which the searchable text tells that a contact takes part."""
    return f"\x1f{contact_id}\x1f"


def stored(desk: Desk, kind: str, record_id: int) -> Record | None:
    """Return the record with this id, or None; the kind "contact" means a person or a company."""
    kinds = CONTACTS if kind == "contact" else (kind,)
    found = (desk.store.get(desk.vendor, one, str(record_id)) for one in kinds)
    return next((record for record in found if record is not None), None)


def of(desk: Desk, kind: str, **equal: object) -> list[Record]:
    """Return the records of a kind whose fields equal the given values."""
    return desk.store.find(desk.vendor, kind, Query({name: [value] for name, value in equal.items()}))


def time_text(milliseconds: int) -> str:
    """Write a time in milliseconds since the epoch as the server answers times."""
    made = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{made:%Y-%m-%dT%H:%M:%S}.{made.microsecond:06d}0Z"
