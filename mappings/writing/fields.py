"""The field ledger: hands out the fields of a command and remembers what became of each one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields as members
from dataclasses import is_dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from marshmallow import Schema, ValidationError

from mappings.commands import Command, Person
from mappings.errors import CannotMap, ValueMissing
from mappings.instances import instance
from mappings.vendor import Account, CheckedValues, FieldRow

#: Which field of each command holds the person it is about.
_PERSON = {"RegisterLead": "person", "RecordOrder": "customer", "OpenTicket": "requester"}


class FieldLedger:
    """One command on its way into bodies: each read of a field leaves a row, so does each field never read.

    In the paths that its methods take, `person.` means whomever the command is about, whatever the command
    calls them; the rows hold the command's own word (`customer.email`). A field counts as having a value
    unless it is empty text, an amount of zero or nothing at all.
    """

    def __init__(self, command: Command, account: Account, values: type[Schema]) -> None:
        """Check `account.values` against the schema `values`; raise ValueMissing where they do not fit."""
        self.command = command
        self.account = account
        self.values = _checked(account, values)
        self._who = _PERSON[type(command).__name__]
        self._leaves = dict(_leaves(command, ""))
        self._rows: dict[FieldRow, None] = {}

    @property
    def person(self) -> Person:
        """Whom the command is about; a Person without a word where it names nobody."""
        return getattr(self.command, self._who) or Person()

    def peek(self, path: str) -> Any:
        """Return the command's value at `path` without a row, empty text where it has none."""
        return self._leaves.get(self._real(path), "")

    def tell(self, path: str, target: str, outcome: str = "converted") -> None:
        """Put down that the field at `path` went to `target`; nothing, where the field has no value."""
        if self._real(path) in self._leaves:
            self._rows[FieldRow(self._real(path), target, outcome)] = None

    def take(self, path: str, target: str) -> Any:
        """Return the value at `path`, a command's or `values.…`, and put down that it went to `target`."""
        if path.startswith("values."):
            return self.setting(path.removeprefix("values."), target)
        self.tell(path, target, "mapped")
        return self.peek(path)

    def setting(self, key: str, target: str) -> Any:
        """Return what relay.toml says for `key`, None where it is silent, as the default of `target`."""
        value = self.values.get(key)
        if value is not None:
            self._rows[FieldRow(f"values.{key}", target, "defaulted")] = None
        return value

    def chosen(self, table: str, path: str, target: str, otherwise: str, demanded: bool = True) -> Any:
        """Return what the table `values.<table>` of relay.toml gives for the text at `path`, in any case.

        `values.<otherwise>` stands for texts that are not in it; where that is not set, raises ValueMissing if
        the vendor has `demanded` it, else returns None.
        """
        choices = {ours.casefold(): theirs for ours, theirs in self.values.get(table, {}).items()}
        word = str(self.peek(path)).casefold()
        if word in choices:
            self.tell(path, target)
            self.setting(table, target)
            return choices[word]
        value = self.setting(otherwise, target)
        if value is None and demanded:
            raise ValueMissing(f"values.{otherwise}", f"the vendor demands it as {target}")
        return value

    def title(self, target: str, opening: str, path: str) -> str:
        """Return a title that ends in the command's key as a marker, at most `values.title_length` long.

        The marker is how a record is found again at a vendor that keeps no key of ours, so the text gives
        way to it: `opening`, then the field at `path` on one line, cut where the marker begins.
        """
        marker = f" [{self.command.key}]"
        whole = opening + " ".join(str(self.peek(path)).split())
        kept = whole[: max(0, self.values["title_length"] - len(marker))]
        changed = "mapped" if whole.endswith(str(self.peek(path))) else "converted"
        self.tell(path, target, changed if kept == whole else "cut")
        self.tell("key", target, "mapped")
        return kept.rstrip(" :") + marker

    def moment(self, target: str, *paths: str) -> datetime:
        """Return the first of `paths` that is a date (ISO 8601, or as in an e-mail), in UTC unless it says.

        Raises CannotMap where none is: a mapping has no clock to fall back on.
        """
        for path in paths:
            found = _moment(str(self.peek(path)))
            if found:
                self.tell(path, target)
                return found
        raise CannotMap(paths[0], f"no date here, nor anywhere in {', '.join(paths)}")

    def deadline(self, target: str, days: str, *paths: str) -> date:
        """Return the day that lies `values.<days>` days after the date at `paths`; raises like `moment`."""
        return (self.moment(target, *paths) + timedelta(days=self.setting(days, target))).date()

    def address(self, target: str) -> str:
        """Return the person's postal address on one line."""
        parts = [f"person.address.{part}" for part in ("street", "city", "region", "postcode", "country")]
        for part in parts:
            self.tell(part, target)
        return ", ".join(self.peek(part) for part in parts if self.peek(part))

    def custom(self, kind: str) -> list[tuple[str, str]]:
        """Return (their field, text) for each attribute with a place in `custom_fields.<kind>` of relay.toml.

        Fields that all commands share, `consent` for one, can be placed by their path in the same way.
        """
        found = []
        for ours, theirs in self.account.custom_fields.get(kind, {}).items():
            path = ours if self.peek(ours) else f"attributes.{ours}"
            if self.peek(path):
                found.append((theirs, str(self.take(path, f"{kind}.custom_fields"))))
        return found

    def remainder(self, target: str, first: str) -> str:
        """Return the field `first`, then, a line each, all that has found no place yet, then what was said since.

        Call it last.
        """
        opening, said, lines = str(self.take(first, target)), self._comments(target), []
        for path in self._unread():
            self.tell(path, target)
            lines.append(
                f"{path.removeprefix('attributes.').removeprefix(self._who + '.')}: {self.peek(path)}"
            )
        return "\n\n".join(part for part in (opening, "\n".join(lines), *said) if part)

    def _comments(self, target: str) -> list[str]:
        """Return the comments that have found no place yet as `who: what`; their ids mean nothing to people."""
        said, unread = [], self._unread()
        for place, comment in enumerate(getattr(self.command, "comments", ())):
            if f"comments[{place}].text" not in unread:
                continue
            for part in ("author", "text"):
                self.tell(f"comments[{place}].{part}", target)
            self.tell(f"comments[{place}].id", "", "dropped")
            said.append(": ".join(part for part in (comment.author, comment.text) if part))
        return said

    def body(self, kind: str, schema_type: type[Schema], **computed: Any) -> dict[str, Any]:
        """Return the body of a `kind` record: each field from `computed`, else from its source.

        A computed value that is a function is called after all other fields have been read. Raises
        ValueMissing where relay.toml lacks what the vendor demands, CannotMap where the schema refuses.
        """
        schema = instance(schema_type)
        found = {name: value for name, value in computed.items() if not callable(value)}
        for name, field in schema.fields.items():
            source = field.metadata.get("source")
            if name in computed or not source:
                continue
            found[name] = self.take(source, f"{kind}.{name}")
            if found[name] is None and field.required:
                raise ValueMissing(source, f"the vendor demands {name} for every {kind}")
        found |= {name: value() for name, value in computed.items() if callable(value)}
        try:
            checked = schema.load({name: value for name, value in found.items() if value not in (None, "")})
        except ValidationError as fault:
            name, why = next(iter(fault.messages_dict.items()))
            raise CannotMap(f"{kind}.{name}", str(why)) from fault
        return dict(schema.dump(checked))

    def rows(self) -> tuple[FieldRow, ...]:
        """Return the ledger in the command's order, what was never read as `dropped`, then the values."""
        places = {path: place for place, path in enumerate(self._leaves)}
        dropped = [FieldRow(path, "", "dropped") for path in self._unread()]
        return tuple(sorted([*self._rows, *dropped], key=lambda row: places.get(row.source, len(places))))

    def _unread(self) -> list[str]:
        read = {row.source for row in self._rows}
        return [path for path in self._leaves if path not in read]

    def _real(self, path: str) -> str:
        return f"{self._who}.{path.removeprefix('person.')}" if path.startswith("person.") else path


def _checked(account: Account, schema: type[Schema]) -> Mapping[str, Any]:
    if isinstance(account.values, CheckedValues):
        return account.values
    try:
        return CheckedValues(instance(schema).load(account.values))
    except ValidationError as fault:
        key, why = next(iter(fault.messages_dict.items()))
        raise ValueMissing(f"values.{key}", str(why)) from fault


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if is_dataclass(value):
        for member in members(value):
            yield from _leaves(getattr(value, member.name), f"{path}.{member.name}" if path else member.name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{path}[{place}]")
    elif value and str(value).strip():
        yield path, value


def _moment(written: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(written)
        except (ValueError, TypeError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
