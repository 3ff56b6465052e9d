"""The life of a delivery in the ledger: due → handed over → claimed → closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from worker.errors import LeaseLost
from worker.ids import new_id
from worker.ledger.database import Database
from worker.ledger.tables import OPEN, UNFINISHED, State, attempts, connections, deliveries, events

#: A delivery that waits for an earlier one of its entity looks again this often.
BLOCKED_DELAY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours until `lease` runs out, with its event."""

    id: str
    lease: str
    connection: str
    attempts: int
    tries: int
    failing_since: datetime | None
    started_at: datetime
    event: Mapping[str, Any]  # the columns of `events`, headers decoded


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is kept of one try: its length in milliseconds, the vendor's status, a masked excerpt."""

    ms: int
    error: str | None = None
    status: int | None = None
    excerpt: str | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """How a claim ends: the next state and when the delivery is due again."""

    state: State
    due_at: datetime
    error: str | None = None
    reason: str | None = None
    spent: bool = False
    failed_try: bool = False
    record_id: str | None = None
    mapping_version: int | None = None
    field_ledger: str | None = None


def _claimable(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(deliveries.c.state.in_(OPEN), deliveries.c.due_at <= now),
        and_(deliveries.c.state == State.SENDING, deliveries.c.lease_until < now),
    )


def hand_over(db: Database, connection: str, limit: int, now: datetime, lasting: timedelta) -> list[str]:
    """Return deliveries of `connection` that are due and have no live task, oldest first, at most `limit`.

    They count as handed over for `lasting`: whoever asks again within it does not get them.
    """
    not_handed = or_(deliveries.c.handed_until.is_(None), deliveries.c.handed_until < now)
    query = (
        select(deliveries.c.id)
        .where(deliveries.c.connection == connection, _claimable(now), not_handed)
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
    )
    with db.read() as c:
        if c.execute(query.limit(1)).first() is None:
            return []
    with db.write() as c:
        ids = list(c.scalars(query.with_for_update(skip_locked=True)))
        if ids:
            c.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(handed_until=now + lasting))
        return ids


def claim(db: Database, delivery_id: str, now: datetime, lasting: timedelta) -> Claim | None:
    """Take a delivery if it is due and nobody has it; None otherwise, which makes doubled tasks harmless.

    A delivery whose connection is held, whose entity has an earlier unfinished delivery, or whose entity was
    already delivered in a newer version is not claimed: its new state says why.
    """
    lease = new_id()
    with db.write() as c:
        row = c.execute(
            update(deliveries)
            .where(deliveries.c.id == delivery_id, _claimable(now))
            .values(
                state=State.SENDING, lease=lease, lease_until=now + lasting, handed_until=None, updated_at=now
            )
            .returning(deliveries)
        ).one_or_none()
        if row is None or _turned_away(c, row, now):
            return None
        event = c.execute(select(events).where(events.c.id == row.event_id)).one()
    return Claim(
        id=row.id,
        lease=lease,
        connection=row.connection,
        attempts=row.attempts,
        tries=row.tries,
        failing_since=row.failing_since,
        started_at=now,
        event={**event._mapping, "headers": json.loads(event.headers)},
    )


def _turned_away(c: Connection, row: Any, now: datetime) -> bool:
    held = c.execute(select(connections).where(connections.c.name == row.connection)).one_or_none()
    if held and held.held_until and held.held_until > now:
        _set(c, row, State.HELD, held.held_until, held.reason)
        return True
    if row.entity is None:
        return False
    same = (deliveries.c.connection == row.connection, deliveries.c.entity == row.entity)
    earlier = c.execute(
        select(deliveries.c.id)
        .where(*same, deliveries.c.id < row.id, deliveries.c.state.in_(UNFINISHED))
        .limit(1)
    ).scalar()
    if earlier:
        _set(c, row, State.BLOCKED, now + BLOCKED_DELAY, f"waits for delivery {earlier} of the same entity")
        return True
    newer = (
        row.version
        and c.execute(
            select(deliveries.c.id)
            .where(*same, deliveries.c.state == State.DELIVERED, deliveries.c.version > row.version)
            .limit(1)
        ).scalar()
    )
    if newer:
        _set(c, row, State.SUPERSEDED, now, f"delivery {newer} brought a newer version of the same entity")
        return True
    return False


def _set(c: Connection, row: Any, state: State, due_at: datetime, reason: str | None) -> None:
    c.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(state=state, due_at=due_at, reason=reason, lease=None, lease_until=None)
    )


def keep(c: Connection, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease inside the transaction `c`.

    Raises LeaseLost when it is not ours any more, and also when it has only run out: from then on others may
    take the records that this delivery has reserved, though nobody has taken the delivery itself yet.
    """
    mine = (
        (deliveries.c.id == claim.id)
        & (deliveries.c.lease == claim.lease)
        & (deliveries.c.lease_until >= now)
    )
    if not c.execute(update(deliveries).where(mine).values(lease_until=now + lasting)).rowcount:
        raise LeaseLost(claim.id)


def prolong(db: Database, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease. Raises LeaseLost when it is not ours any more."""
    with db.write() as c:
        keep(c, claim, now, lasting)


def close(db: Database, claim: Claim, closing: Closing, attempt: Attempt | None, now: datetime) -> None:
    """End a claim: record the attempt, if there was one, and the delivery's next state, together.

    Raises LeaseLost, and writes nothing, when the lease is not ours any more.
    """
    values: dict[str, Any] = {
        "state": closing.state,
        "due_at": closing.due_at,
        "error": closing.error,
        "reason": closing.reason,
        "attempts": claim.attempts + (1 if closing.spent else 0),
        "tries": claim.tries + 1 if closing.failed_try else 0 if closing.error is None else claim.tries,
        "lease": None,
        "lease_until": None,
        "updated_at": now,
    }
    if closing.spent and closing.error and claim.failing_since is None:
        values["failing_since"] = claim.started_at
    for name in ("record_id", "mapping_version", "field_ledger"):
        if getattr(closing, name) is not None:
            values[name] = getattr(closing, name)
    with db.write() as c:
        mine = (deliveries.c.id == claim.id) & (deliveries.c.lease == claim.lease)
        if not c.execute(update(deliveries).where(mine).values(values)).rowcount:
            raise LeaseLost(claim.id)
        if attempt:
            _record(c, claim, closing, attempt)


def _record(c: Connection, claim: Claim, closing: Closing, attempt: Attempt) -> None:
    last = (
        select(attempts.c.number).where(attempts.c.delivery_id == claim.id).order_by(attempts.c.number.desc())
    )
    c.execute(
        insert(attempts),
        {
            "delivery_id": claim.id,
            "number": (c.execute(last.limit(1)).scalar() or 0) + 1,
            "started_at": claim.started_at,
            "ms": attempt.ms,
            "outcome": closing.state,
            "error": attempt.error,
            "status": attempt.status,
            "excerpt": attempt.excerpt,
        },
    )
