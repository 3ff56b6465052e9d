"""Checkpoints: which records a delivery has made, and which of our keys is which record at the vendor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, keep
from worker.ledger.prepared import Transaction
from worker.ledger.returned_persons import is_back
from worker.ledger.step_statements import (
    AT_WORK,
    DOUBT,
    FORGET,
    GONE,
    KNOWN,
    LINK,
    RESERVED,
    RISK,
    STEP,
    TAKE_OVER,
    parts,
)
from worker.ledger.tables import StepState, links, steps

T = TypeVar("T")
_NO_RISK = {"risked_at": None, "risked_by": None}


@dataclass(frozen=True, slots=True)
class StepName:
    """Which step: the record's kind and our key of it; `position` is its place in the plan."""

    kind: str
    key: str
    position: int
    digest: str  # SHA-256 of the request, so that a changed mapping can be told from a repetition


@dataclass(frozen=True, slots=True)
class Done:
    """The step was done before; `was_there` if another event of the same entity had made the record."""

    record_id: str
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """The record exists: another delivery, or an earlier event of the same entity, made it."""

    record_id: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another delivery is making this record at this moment."""

    holder: str


@dataclass(frozen=True, slots=True)
class Reserved:
    """The record is ours to make.

    `risked_at` is when a create left whose outcome nobody knows, `risked_by` the other delivery that sent it;
    `as_sent` says it was this very step, so what is found is up to date. With `intended` the call may leave.
    """

    risked_at: datetime | None
    intended: bool = False
    as_sent: bool = False
    risked_by: str | None = None


Opening = Done | Linked | Busy | Reserved


class Checkpoints:
    """The steps of one claim. Every change prolongs the lease and raises LeaseLost when it is not ours.

    A step that is done is written with the next transaction, whichever it is: the opening of the next step, or
    the closing of the delivery. Nothing is called in between, so what dies there is found by a look-up.
    """

    def __init__(self, db: Database, claim: Claim, clock: Callable[[], datetime], lasting: timedelta) -> None:
        self._db = db
        self._claim = claim
        self._clock = clock
        self._lasting = lasting
        self._done: list[tuple[StepName, str, bool]] = []
        self._ahead: tuple[StepName, Opening] | None = None
        self._reserve = db.new(links, RESERVED)
        self._write_step = db.putting(steps)

    def open(self, step: StepName, at_once: bool = False) -> Opening:
        """Say how the step stands, and reserve its record where nobody has it.

        `at_once`: one that nobody has heard of may be made without a look-up, so the intent is committed, too.
        """
        return self._changing(lambda t, now: self._opened(t, now, step, at_once))

    def open_ahead(self, t: Transaction, step: StepName, at_once: bool) -> None:
        """Open the first step inside `t`, which takes the claim: one commit less for every delivery."""
        self._ahead = step, self._opened(t, self._clock(), step, at_once)

    @property
    def is_ahead(self) -> bool:
        """Whether a step was opened that nobody has taken up yet."""
        return self._ahead is not None

    def take_ahead(self) -> tuple[StepName, Opening] | None:
        """Return what `open_ahead` has opened, once."""
        ahead, self._ahead = self._ahead, None
        return ahead

    def _opened(self, t: Transaction, now: datetime, step: StepName, at_once: bool) -> Opening:
        before = t.first(STEP, self._own(step))
        if before and before.state == StepState.DONE:
            return Done(str(before.record_id), before.was_there)
        risk = {"risked_at": now, "risked_by": self._claim.id} if at_once else _NO_RISK
        reservation = {**self._link(step), **risk, "holder": self._claim.id, "updated_at": now}
        if t.first(self._reserve, reservation) is not None and not is_back(t, self._link(step), at_once):
            if at_once:
                self._put(t, step, StepState.INTENDED, None, now)
            return Reserved(None, intended=at_once)
        link = t.first(LINK, self._same(step))
        if link.record_id is not None:
            return Linked(link.record_id)
        if link.holder != self._claim.id and t.first(AT_WORK, {"holder": link.holder, "now_": now}):
            return Busy(link.holder)
        # Its holder died or waits for its next try: whoever needs the record now goes on with it.
        t.run(TAKE_OVER, {**self._same(step), "by": self._claim.id, "now_": now})
        if link.risked_at is not None and before is None:
            # The doubt is this delivery's from now on: whoever releases it may say that the record was not made.
            self._put(t, replace(step, digest=""), StepState.UNKNOWN, None, now)
        risked_by = None if link.risked_by == self._claim.id else link.risked_by
        as_sent = bool(before and before.request_digest == step.digest)
        return Reserved(link.risked_at, as_sent=as_sent, risked_by=risked_by)

    def intend(self, step: StepName) -> None:
        """Commit that the call is about to leave: from here on the record may exist."""

        def write(t: Transaction, now: datetime) -> None:
            self._put(t, step, StepState.INTENDED, None, now)
            t.run(RISK, {**self._same(step), "at_": now, "by": self._claim.id, "now_": now})

        self._changing(write)

    def retract(self, step: StepName) -> None:
        """Commit that nothing happened at the vendor: the step is simply due again."""

        def write(t: Transaction, now: datetime) -> None:
            t.run(FORGET, self._own(step))
            t.run(RISK, {**self._same(step), "at_": None, "by": None, "now_": now})

        self._changing(write)

    def mark_unknown(self, step: StepName, as_sent: bool = True) -> None:
        """Commit that the call left and its outcome is not known; what may be there is `as_sent`, or older."""
        digest = step.digest if as_sent else ""
        self._changing(lambda t, now: t.run(DOUBT, {**self._own(step), "digest": digest, "now_": now}))

    def finish(self, step: StepName, record_id: str, was_there: bool = False) -> None:
        """Take note of the vendor's id of the record; it is committed with the next transaction."""
        self._done.append((step, record_id, was_there))

    def write(self) -> None:
        """Commit what is finished."""
        self._changing(lambda t, now: None)

    def write_into(self, t: Transaction, now: datetime) -> None:
        """Write what is finished into somebody's transaction."""
        for step, record_id, was_there in self._done:
            self._put(t, step, StepState.DONE, record_id, now, was_there)
            t.run(KNOWN, {**self._same(step), "record": record_id, "now_": now})
        self._done.clear()

    def is_done(self, step: StepName) -> bool:
        """Say whether a step that makes no record was done before."""
        return (found := self._db.look(STEP, self._own(step))) is not None and found.state == StepState.DONE

    def note_done(self, step: StepName, record_id: str) -> None:
        """Commit a step that makes no record: the change of one."""
        self._changing(lambda t, now: self._put(t, step, StepState.DONE, record_id, now))

    def parts(self, kind: str, prefix: str) -> list[tuple[str, str]]:
        """Return (key, vendor's id) of the records of `kind` whose keys begin with `prefix`."""
        self.write()
        query = parts(self._claim.connection, kind, prefix, self._db.is_sqlite)
        with self._db.read() as c:
            return [(row.key, row.record_id) for row in c.execute(query)]

    def done_at(self, kind: str, key: str) -> datetime | None:
        """Return since when this delivery knows the record, None where that is not committed yet."""
        found = self._db.look(STEP, {"of_delivery_id": self._claim.id, "of_kind": kind, "of_key": key})
        return found.updated_at if found is not None and found.state == StepState.DONE else None

    def forget(self, kind: str, key: str, record_id: str) -> None:
        """Commit that this record is no more, so that one of its key is made anew where it is wanted."""
        name = {"of_kind": kind, "of_key": key}

        def write(t: Transaction, now: datetime) -> None:
            t.run(FORGET, {**name, "of_delivery_id": self._claim.id})
            t.run(GONE, {**name, "of_connection": self._claim.connection, "record": record_id})

        self._changing(write)

    def _changing(self, work: Callable[[Transaction, datetime], T]) -> T:
        def change(t: Transaction) -> T:
            now = self._clock()
            keep(t, self._claim, now, self._lasting)
            self.write_into(t, now)
            return work(t, now)

        return self._db.commit(change)

    def _put(
        self,
        t: Transaction,
        step: StepName,
        state: StepState,
        record_id: str | None,
        now: datetime,
        was_there: bool = False,
    ) -> None:
        row = {
            "delivery_id": self._claim.id,
            "kind": step.kind,
            "key": step.key,
            "position": step.position,
            "state": state,
            "record_id": record_id,
            "was_there": was_there,
            "request_digest": step.digest,
            "updated_at": now,
        }
        t.run(self._write_step, row)

    def _own(self, step: StepName) -> dict[str, str]:
        return {"of_delivery_id": self._claim.id, "of_kind": step.kind, "of_key": step.key}

    def _link(self, step: StepName) -> dict[str, Any]:
        return {"connection": self._claim.connection, "kind": step.kind, "key": step.key}

    def _same(self, step: StepName) -> dict[str, Any]:
        return {f"of_{name}": value for name, value in self._link(step).items()}
