"""What a vendor mapping must declare: which records a command wants, and what became of each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from marshmallow import Schema

from mappings.commands import CommandType


@dataclass(frozen=True, slots=True)
class Ref:
    """Stands in a body for the vendor's id of another record, which is known only when that one exists.

    With a `field` it stands for what the vendor shows in that: an earlier event, or people, may have written it
    otherwise.
    """

    kind: str
    key: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """Stands in a body for the vendor's id of an entry of one of its lists, which relay.toml calls by name.

    `list` is our word for the list ("stages"), `key` is where relay.toml says it ("values.stage").
    """

    list: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class JsonText:
    """Stands in a body for a text: `value` as JSON, written once the ids in it are known."""

    value: Any


@dataclass(frozen=True, slots=True)
class Record:
    """A record that should exist at the vendor.

    `key` is our name of it, the same in every delivery. `body` creates it. `match` is what the vendor lets us
    recognise it by. A `shared` record may be there already, or be wanted by another delivery at this moment
    (a customer's account, a product). `changes` brings an existing one up to date; with `changes_when_new`
    also one that was just made, where the vendor's create cannot say all of it. `expect` are fields that the
    vendor works out itself and that must come to this once the whole plan is carried out.
    """

    kind: str
    key: str
    body: Mapping[str, Any]
    match: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False
    changes: Mapping[str, Any] | None = None
    changes_when_new: bool = False
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """What became of one field: `mapped`, `converted`, `defaulted`, `cut` or `dropped`."""

    source: str
    target: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The records that a command wants, in the order in which they must be made, and its field ledger.

    `about` is the place of the record that the command is about. `parts` are kinds of which the plan holds all
    that the command's record has: one that an earlier event made and this plan has not is taken away. `spoken`
    are kinds of what was said about it, which a newer state does not undo. The keys of both begin with the
    command's key and a dot.
    """

    records: tuple[Record, ...]
    fields: tuple[FieldRow, ...]
    about: int = -1
    parts: tuple[str, ...] = ()
    spoken: tuple[str, ...] = ()


def spoken_records(plan: Plan) -> tuple[Record, ...]:
    """Return the records of what was said: they stay true, whatever newer state was delivered."""
    own = f"{plan.records[plan.about].key}." if plan.records else ""
    return tuple(r for r in plan.records if r.kind in plan.spoken and r.key.startswith(own))


def only_spoken(plan: Plan) -> Plan:
    """Return the plan that adds what was said, and brings nothing else to an older state."""
    kept = spoken_records(plan)
    about = plan.records[plan.about]
    records = tuple(
        record
        if record in kept
        else replace(record, changes={} if record is about else None, changes_when_new=False, expect={})
        for record in plan.records
    )
    return Plan(records, tuple(row for row in plan.fields if row.source.startswith("comments[")), plan.about)


class CheckedValues(dict[str, Any]):
    """Values that their vendor's schema has checked and completed; checking them again would be waste."""


@dataclass(frozen=True, slots=True)
class Account:
    """What relay.toml says about a connection that a mapping may use: never a secret, never an address."""

    connection: str
    values: Mapping[str, Any] = field(default_factory=dict)
    custom_fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


Planner = Callable[[Any, Account], Plan]
SchemaType = type[Schema]


@dataclass(frozen=True, slots=True)
class VendorMapping:
    """A vendor: what its table in relay.toml holds, and how it hears each command.

    `values` describes `[connections.X.values]`; `secrets` are the credentials that the vendor asks for, each
    named in relay.toml as `<secret>_env`. `version` is kept with every delivery that it mapped. `more_room` names
    the key that gives a lead's consent a place where there is none by default, `lost_in` the tables of values
    without whose entries for `cancelled` and `refunded` an order stands open that is lost when it is made.
    """

    type: str
    version: int
    values: SchemaType
    secrets: tuple[str, ...]
    planners: Mapping[CommandType, Planner]
    more_room: str = ""
    lost_in: tuple[str, ...] = ()
