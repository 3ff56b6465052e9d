"""Checkpoints: which records a delivery has made, and which of our keys is which record at the vendor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, keep
from worker.ledger.tables import State, StepState, UtcTime, deliveries, links, steps


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

    `risked_at` is when a create left whose outcome nobody knows; `as_sent` says that it was this very step, so
    that what is found is up to date. With `intended` the intent is committed already and the call may leave.
    """

    risked_at: datetime | None
    intended: bool = False
    as_sent: bool = False


Opening = Done | Linked | Busy | Reserved


def _own() -> tuple[ColumnElement[bool], ...]:
    return tuple(steps.c[name] == bindparam(f"of_{name}") for name in ("delivery_id", "kind", "key"))


def _same() -> tuple[ColumnElement[bool], ...]:
    return tuple(links.c[name] == bindparam(f"of_{name}") for name in ("connection", "kind", "key"))


# Built once, because building takes five times as long as running.
_STEP = select(steps.c.state, steps.c.record_id, steps.c.was_there, steps.c.request_digest).where(*_own())
_FORGET = delete(steps).where(*_own())
_DOUBT = (
    update(steps)
    .where(*_own())
    .values(state=StepState.UNKNOWN, request_digest=bindparam("digest"), updated_at=bindparam("now_"))
)
_LINK = select(links).where(*_same()).with_for_update()
_TAKE_OVER = update(links).where(*_same()).values(holder=bindparam("by"), updated_at=bindparam("now_"))
_RISK = update(links).where(*_same()).values(risked_at=bindparam("at_"), updated_at=bindparam("now_"))
_KNOWN = (
    update(links)
    .where(*_same())
    .values(record_id=bindparam("record"), holder=None, risked_at=None, updated_at=bindparam("now_"))
)
_AT_WORK = select(deliveries.c.id).where(
    deliveries.c.id == bindparam("holder"),
    deliveries.c.state == State.SENDING,
    deliveries.c.lease_until >= bindparam("now_", type_=UtcTime),
)


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

    def open(self, step: StepName, at_once: bool = False) -> Opening:
        """Say how the step stands, and reserve its record where nobody has it.

        `at_once` says that a record nobody has heard of may be made without a look-up: then the intent is
        committed together with the reservation.
        """
        with self._changing() as (c, now):
            before = c.execute(_STEP, self._own(step)).one_or_none()
            if before and before.state == StepState.DONE:
                return Done(str(before.record_id), before.was_there)
            mine = {**self._link(step), "holder": self._claim.id, "updated_at": now}
            if self._db.insert_new(c, links, mine | {"risked_at": now if at_once else None}):
                if at_once:
                    self._put(c, step, StepState.INTENDED, None, now)
                return Reserved(None, intended=at_once)
            link = c.execute(_LINK, self._same(step)).one()
            if link.record_id is not None:
                return Linked(link.record_id)
            if link.holder != self._claim.id and self._at_work(c, link.holder, now):
                return Busy(link.holder)
            # Its holder died or waits for its next try: whoever needs the record now goes on with it.
            c.execute(_TAKE_OVER, {**self._same(step), "by": self._claim.id, "now_": now})
            return Reserved(link.risked_at, as_sent=bool(before and before.request_digest == step.digest))

    def intend(self, step: StepName) -> None:
        """Commit that the call is about to leave: from here on the record may exist."""
        with self._changing() as (c, now):
            self._put(c, step, StepState.INTENDED, None, now)
            c.execute(_RISK, {**self._same(step), "at_": now, "now_": now})

    def retract(self, step: StepName) -> None:
        """Commit that nothing happened at the vendor: the step is simply due again."""
        with self._changing() as (c, now):
            c.execute(_FORGET, self._own(step))
            c.execute(_RISK, {**self._same(step), "at_": None, "now_": now})

    def mark_unknown(self, step: StepName, as_sent: bool = True) -> None:
        """Commit that the call left and its outcome is not known; what may be there is `as_sent`, or older."""
        with self._changing() as (c, now):
            c.execute(_DOUBT, {**self._own(step), "digest": step.digest if as_sent else "", "now_": now})

    def finish(self, step: StepName, record_id: str, was_there: bool = False) -> None:
        """Take note of the vendor's id of the record; it is committed with the next transaction."""
        self._done.append((step, record_id, was_there))

    def write(self) -> None:
        """Commit what is finished."""
        with self._changing():
            pass

    def write_into(self, c: Connection, now: datetime) -> None:
        """Write what is finished into somebody's transaction."""
        for step, record_id, was_there in self._done:
            self._put(c, step, StepState.DONE, record_id, now, was_there)
            c.execute(_KNOWN, {**self._same(step), "record": record_id, "now_": now})
        self._done.clear()

    def is_done(self, step: StepName) -> bool:
        """Say whether a step that makes no record was done before."""
        with self._db.read() as c:
            return c.execute(_STEP, self._own(step)).scalar() == StepState.DONE

    def note_done(self, step: StepName, record_id: str) -> None:
        """Commit a step that makes no record: the change of one."""
        with self._changing() as (c, now):
            self._put(c, step, StepState.DONE, record_id, now)

    def parts(self, kind: str, prefix: str) -> list[tuple[str, str]]:
        """Return (key, vendor's id) of the records of `kind` whose keys begin with `prefix`."""
        self.write()
        begins = links.c.key.startswith(prefix, autoescape=True)
        of = (links.c.connection == self._claim.connection, links.c.kind == kind, begins)
        with self._db.read() as c:
            rows = c.execute(select(links.c.key, links.c.record_id).where(*of)).all()
        return [(row.key, row.record_id) for row in rows if row.record_id is not None]

    def forget(self, kind: str, key: str) -> None:
        """Commit that a record is no more, so that one of its key is made anew where it is wanted."""
        with self._changing() as (c, _):
            of_step = (steps.c.delivery_id == self._claim.id, steps.c.kind == kind, steps.c.key == key)
            c.execute(delete(steps).where(*of_step))
            c.execute(
                delete(links).where(
                    links.c.connection == self._claim.connection, links.c.kind == kind, links.c.key == key
                )
            )

    @contextmanager
    def _changing(self) -> Iterator[tuple[Connection, datetime]]:
        with self._db.write() as c:
            now = self._clock()
            keep(c, self._claim, now, self._lasting)
            self.write_into(c, now)
            yield c, now

    def _put(
        self,
        c: Connection,
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
        self._db.put(c, steps, row)

    def _own(self, step: StepName) -> dict[str, str]:
        return {"of_delivery_id": self._claim.id, "of_kind": step.kind, "of_key": step.key}

    def _link(self, step: StepName) -> dict[str, Any]:
        return {"connection": self._claim.connection, "kind": step.kind, "key": step.key}

    def _same(self, step: StepName) -> dict[str, Any]:
        return {f"of_{name}": value for name, value in self._link(step).items()}

    def _at_work(self, c: Connection, delivery_id: str | None, now: datetime) -> bool:
        return c.execute(_AT_WORK, {"holder": delivery_id, "now_": now}).first() is not None
