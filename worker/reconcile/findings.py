"""What a reconciliation finds, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Verdict = Literal["missing", "doubled", "changed", "not known"]
#: The columns of the summary, in this order; `there` are records that a successful read showed.
COLUMNS = ("delivered", "there", "missing", "doubled", "changed", "not known")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that holds something else than we sent."""

    field: str
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One record that is not as it should be, with the delivery that stands for it.

    `others` are the ids of further records with its key, `fields` what people have changed, `why` the error of
    a read that failed. Of a double that may be deleted, `younger` is its id.
    """

    verdict: Verdict
    kind: str
    key: str
    record_id: str
    delivery: str
    others: tuple[str, ...] = ()
    younger: str = ""
    fields: tuple[Difference, ...] = ()
    why: str = ""


@dataclass(slots=True)
class Tally:
    """The counts so far, and how far the ledger was read.

    `uncompared` says of kinds why nothing can be read, `unseen` which of their fields no answer shows. `purged`
    are deliveries whose event has lost its payload, `remapped` records for which relay.toml or a mapping now says
    something else than was sent: of both only existence is compared. `recent` deliveries are left for the next
    time, because a search may not show yet what was made a moment ago.
    """

    deliveries: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    uncompared: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, set[str]] = field(default_factory=dict)
    purged: int = 0
    remapped: int = 0
    recent: int = 0
    mark: datetime | None = None
    stopped: str = ""

    def add(self, kind: str, column: str, number: int = 1) -> None:
        """Count one more."""
        self.counts.setdefault(kind, Counter())[column] += number

    def merge(self, other: Tally) -> None:
        """Add the counts of a page that was read to its end."""
        self.deliveries += other.deliveries
        self.purged += other.purged
        self.remapped += other.remapped
        self.mark = other.mark
        self.uncompared |= other.uncompared
        for kind, counter in other.counts.items():
            self.counts.setdefault(kind, Counter()).update(counter)
        for kind, names in other.unseen.items():
            self.unseen.setdefault(kind, set()).update(names)

    def total(self, column: str) -> int:
        """Return a column's sum over all kinds."""
        return sum(counter[column] for counter in self.counts.values())

    @property
    def is_clean(self) -> bool:
        """Whether everything was read and is as it should be."""
        return not self.stopped and not any(self.total(column) for column in COLUMNS[2:])

    def rows(self) -> list[Mapping[str, Any]]:
        """Return a row for each kind."""
        return [
            {"kind": kind, **{column: counter[column] for column in COLUMNS}}
            for kind, counter in sorted(self.counts.items())
        ]
