"""Runs one row: stand up, load, harm, settle, judge."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from chaos.events import Post
from chaos.fault import Fault
from chaos.judge import ENDS, Evidence, Verdict, judge
from chaos.load import Load, Outcome
from chaos.processes import DidNotRun
from chaos.stand import Stand
from worker.errors import LedgerUnavailable
from worker.ledger import search

ALL = 10_000_000
#: Seconds between two looks at who died and how far the deliveries are.
TICK = 0.2
#: How often everything must be found at its end before it is believed: a hand-off may be on its way.
QUIET_LOOKS = 3

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How much load a row gets: `seconds` of it, `events` in all, at `rate` per second, and seconds to `settle`.

    `make` makes its events, if not the fault's own.
    """

    seconds: float
    events: int
    rate: float
    settle: float
    make: Callable[[int], Post] | None = None

    @classmethod
    def of(cls, fault: Fault, seconds: float | None = None, full: bool = False) -> Size:
        """Return the fault's own, for other `seconds`, or that of the full run."""
        if full and fault.full_events:
            events, rate = fault.full_events, fault.full_rate
            return cls(events / rate, events, rate, fault.full_settle, fault.full_make)
        length = seconds or fault.seconds
        return cls(length, max(1, round(fault.rate * length)), fault.rate, fault.settle)


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a row. `why` says why it was not run, `broke` how it broke down; then there is no verdict.

    `seconds` is how long the row took, `slowest` how long the sender waited that waited longest for its 200.
    """

    name: str
    title: str
    seed: int
    verdict: Verdict | None = None
    why: str = ""
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    slowest: float = 0.0
    broke: str = ""

    @property
    def was_run(self) -> bool:
        """Whether it was begun: a row that broke down after that has failed."""
        return not self.why

    @property
    def is_clean(self) -> bool:
        """Whether it ran and nothing was found."""
        return self.verdict is not None and self.verdict.is_clean and not self.findings


def run(fault: Fault, folder: Path, seed: int, size: Size, tell: Tell, keep: bool = False) -> Row:
    """Run one row in `folder` and return it; what ran is ended.

    The folder is kept where something was found, or where the caller wants to `keep` it.
    """
    began, row = time.monotonic(), Row(fault.name, fault.title, seed)
    missing = fault.missing()
    if missing:
        return replace(row, why=missing)
    folder.mkdir(parents=True)
    try:
        with fault.building(folder) as build:
            stand = Stand(folder, build)
            try:
                row = _run(fault, stand, row, size, tell)
            finally:
                stand.close()
    except (DidNotRun, LedgerUnavailable) as error:
        return replace(row, broke=f"{error}", seconds=time.monotonic() - began)
    if row.is_clean and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return replace(row, seconds=time.monotonic() - began)


def _run(fault: Fault, stand: Stand, row: Row, size: Size, tell: Tell) -> Row:
    stand.start()
    chance = random.Random(f"{row.seed} {fault.name}")
    load = stand.load = Load(stand.url, size.make or fault.make, size.events, size.rate)
    harm = fault.harm(stand, chance, size.seconds)
    wait = next(harm, None)
    load.start()
    tell(f"load: {size.events} events, {size.rate:g} per second")
    while wait is not None:
        _pass(stand, wait)
        wait = next(harm, None)
    while not load.is_over():
        _pass(stand, TICK)
    load.close()
    tell(f"{len(load.outcome.accepted)} accepted, {load.outcome.repeats} posts repeated; settling")
    settled = _settle(stand, size.settle, tell)
    outcome = load.outcome
    verdict = judge(evidence_of(stand, outcome))
    findings = [
        *_of_the_senders(load),
        *of_the_harm(stand.strikes, stand.notes),
        *(fault.check(stand) if fault.check else ()),
    ]
    if not verdict.is_clean:
        stand.notes.append(f"last words: {stand.last_words()}")
    used = {name: process.cpu_seconds() for name, process in stand.processes.items()}
    stand.notes.append("CPU seconds: " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in used.items()))
    stand.notes.append(f"settled in {settled:.0f} s")
    slowest = max((event.seconds for event in outcome.accepted), default=0.0)
    stand.notes.append(f"the longest wait of a sender {slowest:.1f} s")
    notes = tuple(stand.notes)
    return replace(row, verdict=verdict, findings=tuple(findings), notes=notes, slowest=slowest)


def _pass(stand: Stand, seconds: float) -> None:
    """Let time pass, while what died is started again."""
    until = time.monotonic() + seconds
    while True:
        stand.tick()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(TICK, left))


def _settle(stand: Stand, at_most: float, tell: Tell) -> float:
    """Wait until every delivery is at its end, or the time is over; return the seconds that it took."""
    began, quiet, shown = time.monotonic(), 0, 0.0
    while quiet < QUIET_LOOKS and time.monotonic() - began < at_most:
        # Counting takes its time where there is much: no more than a twentieth of what the workers have.
        looked = time.monotonic()
        states = stand.states()
        _pass(stand, max(2 * TICK, 20 * (time.monotonic() - looked)))
        quiet = quiet + 1 if states and states.keys() <= set(ENDS) else 0
        if time.monotonic() - shown > 15:
            shown = time.monotonic()
            tell(f"{states}")
    return time.monotonic() - began


def evidence_of(stand: Stand, outcome: Outcome) -> Evidence:
    """Collect what the judge looks at."""
    sources = stand.settings.sources
    return Evidence(
        accepted=outcome.accepted,
        deliveries=search.list_deliveries(stand.db, limit=ALL),
        records=stand.records(),
        connections={name: stand.settings.connections_of(name) for name in sources},
        vendors={name: connection.vendor for name, connection in stand.settings.connections.items()},
    )


def of_the_harm(struck: Mapping[str, int], notes: list[str]) -> list[str]:
    """Return what the harm should have struck and did not: then the row's zeros say nothing. Add to `notes`."""
    said = ", ".join(f"{number} {what}" for what, number in struck.items())
    notes.insert(0, f"struck: {said or 'nothing'}")
    never = [f"the fault never struck: 0 {what}" for what, number in struck.items() if number <= 0]
    return never if struck else ["the fault never struck anything that was counted"]


def _of_the_senders(load: Load) -> list[str]:
    """Return what no sender may meet: a refusal of what was right, no answer for minutes, a sender that died."""
    outcome = load.outcome
    sent = len(outcome.accepted) + len(outcome.refused) + len(outcome.unanswered)
    dead = [f"{load.number - sent} events were never sent to their end"] if sent < load.number else []
    unanswered = [post.token for post in outcome.unanswered]
    silent = (
        [f"{len(unanswered)} events were never answered: {', '.join(unanswered[:5])}"] if unanswered else []
    )
    return [*(f"refused: {text}" for text in outcome.refused[:5]), *silent, *dead]
