"""Checkpoints: which records a delivery has made, and which of our keys is which record at the vendor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, keep
from worker.ledger.tables import State, StepState, deliveries, links, steps


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
    """The record is ours to make. `risked_at` is when a create left whose outcome nobody knows."""

    risked_at: datetime | None


Opening = Done | Linked | Busy | Reserved


class Checkpoints:
    """The steps of one claim. Every change prolongs the lease and raises LeaseLost when it is not ours."""

    def __init__(self, db: Database, claim: Claim, clock: Callable[[], datetime], lasting: timedelta) -> None:
        self._db = db
        self._claim = claim
        self._clock = clock
        self._lasting = lasting

    def open(self, step: StepName) -> Opening:
        """Say how the step stands, and reserve its record where nobody has it."""
        with self._db.write() as c:
            keep(c, self._claim, self._clock(), self._lasting)
            before = c.execute(select(steps).where(*self._own(step))).one_or_none()
            if before and before.state == StepState.DONE:
                return Done(str(before.record_id), before.was_there)
            now = self._clock()
            mine = {**self._link(step), "holder": self._claim.id, "updated_at": now}
            if self._db.insert_new(c, links, mine):
                return Reserved(None)
            link = c.execute(select(links).where(*self._same(step)).with_for_update()).one()
            if link.record_id is not None:
                return Linked(link.record_id)
            if link.holder != self._claim.id and _at_work(c, link.holder, now):
                return Busy(link.holder)
            # Its holder died or waits for its next try: whoever needs the record now goes on with it.
            c.execute(update(links).where(*self._same(step)).values(holder=self._claim.id, updated_at=now))
            return Reserved(link.risked_at)

    def intend(self, step: StepName) -> None:
        """Commit that the call is about to leave: from here on the record may exist."""
        with self._db.write() as c:
            now = self._clock()
            keep(c, self._claim, now, self._lasting)
            self._put(c, step, StepState.INTENDED, None, now)
            c.execute(update(links).where(*self._same(step)).values(risked_at=now, updated_at=now))

    def retract(self, step: StepName) -> None:
        """Commit that nothing happened at the vendor: the step is simply due again."""
        with self._db.write() as c:
            now = self._clock()
            keep(c, self._claim, now, self._lasting)
            c.execute(delete(steps).where(*self._own(step)))
            c.execute(update(links).where(*self._same(step)).values(risked_at=None, updated_at=now))

    def mark_unknown(self, step: StepName) -> None:
        """Commit that the call left and its outcome is not known."""
        with self._db.write() as c:
            now = self._clock()
            keep(c, self._claim, now, self._lasting)
            c.execute(update(steps).where(*self._own(step)).values(state=StepState.UNKNOWN, updated_at=now))

    def finish(self, step: StepName, record_id: str, was_there: bool = False) -> None:
        """Commit the vendor's id of the record."""
        with self._db.write() as c:
            now = self._clock()
            keep(c, self._claim, now, self._lasting)
            self._put(c, step, StepState.DONE, record_id, now, was_there)
            values = {"record_id": record_id, "holder": None, "risked_at": None, "updated_at": now}
            c.execute(update(links).where(*self._same(step)).values(values))

    def is_done(self, step: StepName) -> bool:
        """Say whether a step that makes no record was done before."""
        with self._db.read() as c:
            return c.execute(select(steps.c.state).where(*self._own(step))).scalar() == StepState.DONE

    def note_done(self, step: StepName, record_id: str) -> None:
        """Commit a step that makes no record: the change of one."""
        with self._db.write() as c:
            now = self._clock()
            keep(c, self._claim, now, self._lasting)
            self._put(c, step, StepState.DONE, record_id, now)

    def _put(
        self,
        c: Connection,
        step: StepName,
        state: StepState,
        record_id: str | None,
        now: datetime,
        was_there: bool = False,
    ) -> None:
        values = {
            "state": state,
            "record_id": record_id,
            "was_there": was_there,
            "request_digest": step.digest,
            "updated_at": now,
        }
        if not c.execute(update(steps).where(*self._own(step)).values(values)).rowcount:
            own = {
                "delivery_id": self._claim.id,
                "kind": step.kind,
                "key": step.key,
                "position": step.position,
            }
            c.execute(steps.insert(), {**own, **values})

    def _own(self, step: StepName) -> tuple[Any, ...]:
        return (steps.c.delivery_id == self._claim.id, steps.c.kind == step.kind, steps.c.key == step.key)

    def _link(self, step: StepName) -> dict[str, str]:
        return {"connection": self._claim.connection, "kind": step.kind, "key": step.key}

    def _same(self, step: StepName) -> tuple[Any, ...]:
        return tuple(links.c[name] == value for name, value in self._link(step).items())


def _at_work(c: Connection, delivery_id: str | None, now: datetime) -> bool:
    holder = select(deliveries.c.id).where(
        deliveries.c.id == delivery_id, deliveries.c.state == State.SENDING, deliveries.c.lease_until >= now
    )
    return c.execute(holder).first() is not None
