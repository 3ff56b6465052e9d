"""Finding a record that may be there already, in the ways that the vendors allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mappings.vendor import Record, Ref
from worker.errors import Rejected
from worker.vendors.vendor import Caller, Item

#: How far the vendor's clock may be off from ours when a list is read back to a point in time.
CLOCK_SKEW = timedelta(hours=1)

Same = Callable[[Item, Record], bool]


@dataclass(frozen=True, slots=True)
class LookUp:
    """A look-up by reading a list: `operation` gives the candidates, `same` says which one it is.

    `ask` fills the operation's parameters, each from `match.…` or `body.…` of the record or `values.…` of
    relay.toml, and `always` with fixed values. `newest_first` names the field with the time of creation in a
    list that has the newest first: it is read no further back than the record can be. `whole` names the operation
    that reads one candidate in full, for lists of which is not known whether they show the fields that it `tells`
    by.
    """

    operation: str
    same: Same
    ask: Mapping[str, str] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=dict)
    newest_first: str = ""
    id: str = "id"
    whole: str = ""
    tells: tuple[str, ...] = ()

    def __call__(self, api: Caller, record: Record, since: datetime | None) -> str | None:
        """Return the record's id, None where a look-up to the end has not found it."""
        for item in self.items(api, self.asked(api, record), since):
            if item.get(self.id) is not None and self.is_one(api, item, record):
                return str(item[self.id])
        return None

    @property
    def is_of_record(self) -> bool:
        """Whether something of the record must be known to ask for the list."""
        return any(not path.startswith("values.") for path in self.ask.values())

    def parents(self, record: Record) -> frozenset[tuple[str, str]]:
        """Return kind and key of the records below which the list is, as the record's body refers to them."""
        names = [path.partition(".")[2] for path in self.ask.values() if path.startswith("body.")]
        refs = (record.body.get(name) for name in names)
        return frozenset((ref.kind, ref.key) for ref in refs if isinstance(ref, Ref))

    def asked(self, api: Caller, record: Record) -> Mapping[str, Any]:
        """Return the parameters of the list in which the record would be."""
        return {**self.always, **{name: asked_of(api, record, path) for name, path in self.ask.items()}}

    def items(self, api: Caller, asked: Mapping[str, Any], since: datetime | None) -> Iterator[Item]:
        """Yield the list's items; of one that has the newest first, none made before `since`."""
        return self._recent(api.each(self.operation, asked), since)

    def is_one(self, api: Caller, item: Item, record: Record) -> bool:
        """Say whether the item is the record, reading it whole where the list does not tell."""
        if self.same(item, record):
            return True
        if not self.whole or all(item.get(name) for name in self.tells):
            return False
        try:
            return self.same(api.call(self.whole, {"id": item[self.id]}) or {}, record)
        except Rejected as error:
            if error.status in (404, 410):  # deleted since, and not yet gone from the list
                return False
            raise

    def of(self, record: Record) -> LookUp:
        """Return the way to look the record up: this one."""
        return self

    def _recent(self, items: Iterator[Item], since: datetime | None) -> Iterator[Item]:
        for item in items:
            if self.newest_first and since is not None:
                made_at = _moment(item.get(self.newest_first))
                if made_at is not None and made_at < since - CLOCK_SKEW:
                    return
            yield item


@dataclass(frozen=True, slots=True)
class FirstOf:
    """Several ways to find a record, of which those count that its `match` has something for.

    `ways` maps a name in `match` to the look-up by it.
    """

    ways: Mapping[str, LookUp]

    def __call__(self, api: Caller, record: Record, since: datetime | None) -> str | None:
        """Return the id that the first fitting way finds."""
        way = self.of(record)
        if way is None:
            raise KeyError(f"{record.kind}: nothing to look it up by in {sorted(record.match)}")
        return way(api, record, since)

    def of(self, record: Record) -> LookUp | None:
        """Return the first way that the record's `match` has something for."""
        return next((way for name, way in self.ways.items() if record.match.get(name)), None)


@dataclass(frozen=True, slots=True)
class InTurn:
    """Several ways to find a record, one after the other: those that its `match` has something for.

    For a record that is not yet findable by what it is known by, because that comes with a later call.
    """

    ways: Mapping[str, LookUp]

    def __call__(self, api: Caller, record: Record, since: datetime | None) -> str | None:
        """Return the id that the first way finds that finds one."""
        found = (way(api, record, since) for name, way in self.ways.items() if record.match.get(name))
        return next((record_id for record_id in found if record_id is not None), None)


def equal(**fields: str) -> Same:
    """Return whether the item's fields hold what `match` says; `fields` are theirs = the name in `match`.

    Searches find parts of words and ignore case; we want this very record, though somebody may have typed it
    in other letters.
    """

    def same(item: Item, record: Record) -> bool:
        return all(plain(item.get(theirs)) == plain(record.match[ours]) for theirs, ours in fields.items())

    return same


def exact(**fields: str) -> Same:
    """Like `equal`, but to the letter: for keys of ours and of shops, in which case may be all the difference."""

    def same(item: Item, record: Record) -> bool:
        return all(str(item.get(theirs)) == record.match[ours] for theirs, ours in fields.items())

    return same


def either(*ways: Same) -> Same:
    """Return whether one of `ways` says that it is the record."""
    return lambda item, record: any(same(item, record) for same in ways)


def marked(*fields: str) -> Same:
    """Return whether one of the item's `fields` contains our key in brackets (`match["marker"]`).

    Without `fields` any of them may, for items of which no document tells the fields.
    """

    def same(item: Item, record: Record) -> bool:
        return any(f"[{record.match['marker']}]" in str(item.get(name) or "") for name in fields or item)

    return same


def plain(value: Any) -> str:
    """Return a text as it is compared: in lower case, with single spaces."""
    return " ".join(str("" if value is None else value).split()).casefold()


def asked_of(api: Caller, record: Record, path: str) -> Any:
    """Return what `path` stands for: `match.…` and `body.…` of the record, `values.…` of relay.toml.

    Of a list in the body the first counts.
    """
    place, _, name = path.partition(".")
    if place == "values":
        return api.setting(name)
    value = (record.match if place == "match" else record.body).get(name)
    return value[0] if isinstance(value, list) else value


def _moment(written: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
