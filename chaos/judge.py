"""Counts what was lost, doubled, stuck and parked: by the CRMs' records and the ledger, and by nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.load import Accepted
from chaos.truth import ALONG, OWN, PARTS, SHARED
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
    """The cells of one row, and each finding in words.

    `excused` are parked ones that nothing can look up, `unseen` records that no cell could count.
    """

    accepted: int
    lost: int
    doubled: int
    stuck: int
    parked: int
    excused: int = 0
    unseen: int = 0
    findings: tuple[str, ...] = field(default=())

    @property
    def is_clean(self) -> bool:
        """Whether every cell is zero that has to be, and something was there to be counted."""
        wrong = self.lost or self.doubled or self.stuck or self.unseen or self.parked > self.excused
        return bool(self.accepted) and not wrong


def judge(evidence: Evidence, is_found_again: Callable[[str, str], bool] | None = None) -> Verdict:
    """Return what became of the accepted events.

    `is_found_again` says whether all that a vendor makes of a job can be looked up: then nothing may be parked.
    """
    looked_up = is_found_again or found_again
    lost, stuck = _lost(evidence), _stuck(evidence)
    doubled, parked = [*_doubled_own(evidence), *_doubled_shared(evidence)], _parked(evidence)
    excused = [text for vendor, job, text in parked if not looked_up(vendor, job)]
    columns = {"lost": lost, "doubled": doubled, "stuck": stuck, "parked": [text for *_, text in parked]}
    columns["unseen"] = unseen = _unseen(evidence)
    columns["nothing"] = [] if evidence.accepted else ["no event was accepted, so nothing is proved"]
    return Verdict(
        accepted=len(evidence.accepted),
        lost=len(lost),
        doubled=len(doubled),
        stuck=len(stuck),
        parked=len(parked),
        excused=len(excused),
        unseen=len(unseen),
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
    held, incomplete = _tokens(evidence), _incomplete(evidence)
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
            missing += incomplete.get((vendor, event.post.job, event.post.token.casefold()), [])
            if missing:
                lost.append(
                    f"{event.post.token} ({event.post.job}, events {', '.join(event.ids)}) has no "
                    f"{' and no '.join(missing)} at {connection}"
                )
    return lost


def _incomplete(evidence: Evidence) -> dict[tuple[str, str, str], list[str]]:
    """Return which own records, by vendor, job and token, lack which parts; of doubled ones the fullest."""
    lacking = {}
    for (vendor, job), part in PARTS.items():
        there = Counter(
            str(record["body"].get(part.field))
            for record in evidence.records
            if (record["vendor"], record["kind"]) == (vendor, part.kind)
        )
        fullest: dict[str, int] = {}
        for record in evidence.records:
            if (record["vendor"], record["kind"]) == (vendor, part.of):
                for token in _tokens_in(record):
                    fullest[token] = max(there[str(record["id"])], fullest.get(token, 0))
        for token, number in fullest.items():
            missing = [f"{part.kind} {n}" for n in range(number + 1, part.number + 1)]
            lacking[vendor, job, token] = missing
    return lacking


def _unseen(evidence: Evidence) -> list[str]:
    """Records that no column can count: of a kind that nobody thought of, or with nothing that tells them apart."""
    own = {(vendor, kind) for (vendor, _), kinds in OWN.items() for kind in kinds}
    shared = {(one.vendor, one.kind): one.fields for one in SHARED}
    unseen = []
    for record in evidence.records:
        what = record["vendor"], record["kind"]
        if what in own and _tokens_in(record):
            continue
        if any(record["body"].get(name) for name in shared.get(what, ())) or what in ALONG:
            continue
        unseen.append(f"{record['kind']} {record['id']} at {record['vendor']}: {record['body']}"[:300])
    return unseen


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
        found.update((record["vendor"], record["kind"], token) for token in _tokens_in(record))
    return found


def _tokens_in(record: Mapping[str, Any]) -> set[str]:
    return set(_TOKEN.findall(json.dumps(record["body"], ensure_ascii=False).casefold()))


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
