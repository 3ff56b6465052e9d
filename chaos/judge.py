"""Counts what was lost, doubled, stuck and parked: by the CRMs' records and the ledger, and by nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.load import Accepted
from chaos.truth import OWN, SHARED
from relay.capabilities import capabilities
from worker.ledger.tables import State
from worker.vendors import VENDORS

#: What a delivery may end as. `failed` is one of them and waits for a person.
ENDS = frozenset({State.DELIVERED, State.FAILED, State.SKIPPED, State.SUPERSEDED})
#: How many findings of each column are told in words.
TOLD = 5
_TOKEN = re.compile(r"k\d{6}k")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run left behind.

    `deliveries` are rows of the ledger's search, `records` what the sandbox holds, `connections` says where the
    events of a source go, `vendors` which CRM a connection is.
    """

    accepted: Sequence[Accepted]
    deliveries: Sequence[Mapping[str, Any]]
    records: Sequence[Mapping[str, Any]]
    connections: Mapping[str, Sequence[str]]
    vendors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The cells of one row, and each finding in words. `excused` are parked ones that nothing can look up."""

    accepted: int
    lost: int
    doubled: int
    stuck: int
    parked: int
    excused: int = 0
    findings: tuple[str, ...] = field(default=())

    @property
    def is_clean(self) -> bool:
        """Whether every cell is zero that has to be."""
        return not (self.lost or self.doubled or self.stuck or self.parked > self.excused)


def judge(evidence: Evidence, is_found_again: Callable[[str, str], bool] | None = None) -> Verdict:
    """Return what became of the accepted events.

    `is_found_again` says whether all that a vendor makes of a job can be looked up: then nothing may be parked.
    """
    looked_up = is_found_again or found_again
    lost, stuck = _lost(evidence), _stuck(evidence)
    doubled, parked = [*_doubled_own(evidence), *_doubled_shared(evidence)], _parked(evidence)
    excused = [text for vendor, job, text in parked if not looked_up(vendor, job)]
    columns = {"lost": lost, "doubled": doubled, "stuck": stuck, "parked": [text for *_, text in parked]}
    return Verdict(
        accepted=len(evidence.accepted),
        lost=len(lost),
        doubled=len(doubled),
        stuck=len(stuck),
        parked=len(parked),
        excused=len(excused),
        findings=tuple(f"{name}: {text}" for name, texts in columns.items() for text in texts[:TOLD]),
    )


def found_again(vendor: str, job: str) -> bool:
    """Say whether every kind that `vendor` makes of a `job` can be looked up, or repeated without harm."""
    rows = [row for row in capabilities() if row["vendor"] == vendor and row["job"] == job]
    kinds = {record["kind"] for row in rows for record in row["records"]}
    known = VENDORS[vendor].kinds
    return all(known[kind].find is not None or known[kind].repeatable for kind in kinds)


def _lost(evidence: Evidence) -> list[str]:
    """Events without a record at a CRM of their route, where no delivery is left that an operator would see."""
    held = _tokens(evidence)
    visible = {
        (row["event_id"], row["connection"])
        for row in evidence.deliveries
        if row["state"] not in (State.DELIVERED, State.SKIPPED, State.SUPERSEDED)
    }
    lost = []
    for event in evidence.accepted:
        for connection in evidence.connections[event.post.source]:
            if any((id_, connection) in visible for id_ in event.ids):
                continue
            vendor = evidence.vendors[connection]
            missing = [
                kind
                for kind in OWN[vendor, event.post.job]
                if not held[vendor, kind, event.post.token.casefold()]
            ]
            if missing:
                lost.append(
                    f"{event.post.token} ({event.post.job}, events {', '.join(event.ids)}) has no "
                    f"{' and no '.join(missing)} at {connection}"
                )
    return lost


def _doubled_own(evidence: Evidence) -> list[str]:
    kinds = {(vendor, kind) for (vendor, _), names in OWN.items() for kind in names}
    return [
        f"{token} has {number} times {kind} at {vendor}"
        for (vendor, kind, token), number in sorted(_tokens(evidence).items())
        if (vendor, kind) in kinds
        for _ in range(number - 1)
    ]


def _tokens(evidence: Evidence) -> Counter[tuple[str, str, str]]:
    """Count the records of each vendor and kind that hold a token."""
    found: Counter[tuple[str, str, str]] = Counter()
    for record in evidence.records:
        text = json.dumps(record["body"], ensure_ascii=False).casefold()
        found.update((record["vendor"], record["kind"], token) for token in set(_TOKEN.findall(text)))
    return found


def _doubled_shared(evidence: Evidence) -> list[str]:
    doubled = []
    for shared in SHARED:
        things = Counter(
            tuple(str(record["body"].get(name, "")).casefold() for name in shared.fields)
            for record in evidence.records
            if (record["vendor"], record["kind"]) == (shared.vendor, shared.kind)
        )
        doubled += [
            f"{shared.vendor} has {number} times the {shared.kind} {' '.join(thing)}"
            for thing, number in sorted(things.items())
            for _ in range(number - 1)
        ]
    return doubled


def _stuck(evidence: Evidence) -> list[str]:
    """Deliveries that are not at their end, whichever event they are of."""
    return [
        f"delivery {row['id']} over {row['connection']} is {row['state']}: {row['error']} {row['reason']}"
        for row in evidence.deliveries
        if row["state"] not in ENDS
    ]


def _parked(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Return (vendor, job, text) of each delivery that waits for a person."""
    jobs = {id_: event.post.job for event in evidence.accepted for id_ in event.ids}
    return [
        (
            evidence.vendors[row["connection"]],
            jobs.get(row["event_id"], ""),
            f"delivery {row['id']} over {row['connection']}: {row['error']} {row['reason']}",
        )
        for row in evidence.deliveries
        if row["state"] == State.FAILED
    ]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which `share` of `values` are; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
