"""The life of a delivery in the ledger, once it is due: claimed by one worker, then closed by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from worker.errors import LeaseLost
from worker.ids import new_id
from worker.ledger.database import Database
from worker.ledger.order import overtaken, turn_away
from worker.ledger.tables import (
    OPEN,
    State,
    UtcTime,
    attempts,
    connections,
    deliveries,
    events,
)


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


def claimable(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition for a delivery that anybody may claim at `now`."""
    return or_(
        and_(deliveries.c.state.in_(OPEN), deliveries.c.due_at <= now),
        and_(deliveries.c.state == State.SENDING, deliveries.c.lease_until < now),
    )


# SQLAlchemy takes five times as long to build a statement as to run it, and each delivery needs these: they are
# built once. Their parameters are named after what they mean, since a column's own name is taken.
_NOW = bindparam("now_", type_=UtcTime)
_CLAIM = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), claimable(_NOW))
    .values(
        state=State.SENDING,
        lease=bindparam("by"),
        lease_until=bindparam("until"),
        handed_until=None,
        updated_at=_NOW,
    )
    .returning(deliveries)
)
_EVENT = (
    select(events, connections.c.held_until, connections.c.reason)
    .select_from(events.outerjoin(connections, connections.c.name == bindparam("over")))
    .where(events.c.id == bindparam("event"))
)
_KEEP = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("delivery"),
        deliveries.c.lease == bindparam("by"),
        deliveries.c.lease_until >= bindparam("now_", type_=UtcTime),
    )
    .values(lease_until=bindparam("until"))
)
_CLOSE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.lease == bindparam("by"))
    .values(
        state=bindparam("next_state"),
        due_at=bindparam("due"),
        error=bindparam("error_name"),
        reason=bindparam("why"),
        attempts=bindparam("spent"),
        tries=bindparam("failures"),
        failing_since=bindparam("since"),
        lease=None,
        lease_until=None,
        updated_at=bindparam("now_"),
        record_id=func.coalesce(bindparam("record"), deliveries.c.record_id),
        mapping_version=func.coalesce(bindparam("mapping"), deliveries.c.mapping_version),
        field_ledger=func.coalesce(bindparam("fields"), deliveries.c.field_ledger),
    )
)
_ATTEMPT = insert(attempts).from_select(
    ["delivery_id", "number", "started_at", "ms", "outcome", "error", "status", "excerpt"],
    select(
        bindparam("delivery", type_=deliveries.c.id.type),
        func.coalesce(func.max(attempts.c.number), 0) + 1,
        bindparam("started", type_=UtcTime),
        bindparam("took", type_=attempts.c.ms.type),
        bindparam("outcome_", type_=attempts.c.outcome.type),
        bindparam("error_name", type_=attempts.c.error.type),
        bindparam("http_status", type_=attempts.c.status.type),
        bindparam("said", type_=attempts.c.excerpt.type),
    ).where(attempts.c.delivery_id == bindparam("delivery", type_=deliveries.c.id.type)),
)


def claim(db: Database, delivery_id: str, now: datetime, lasting: timedelta) -> Claim | None:
    """Take a delivery if it is due and nobody has it; None otherwise, which makes doubled tasks harmless.

    A delivery whose connection is held, whose entity has an earlier unfinished delivery, or whose entity was
    already delivered in a newer version is not claimed: its new state says why.
    """
    lease = new_id()
    taken = {"delivery": delivery_id, "now_": now, "by": lease, "until": now + lasting}
    with db.write() as c:
        row = c.execute(_CLAIM, taken).one_or_none()
        if row is None:
            return None
        event = c.execute(_EVENT, {"event": row.event_id, "over": row.connection}).one()
        if event.held_until and event.held_until > now:
            turn_away(c, row, State.HELD, event.held_until, event.reason)
            return None
        if row.entity is not None and overtaken(c, row, now):
            return None
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


def keep(c: Connection, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease inside the transaction `c`.

    Raises LeaseLost when it is not ours any more, and also when it has only run out: from then on others may
    take the records that this delivery has reserved, though nobody has taken the delivery itself yet.
    """
    mine = {"delivery": claim.id, "by": claim.lease, "now_": now, "until": now + lasting}
    if not c.execute(_KEEP, mine).rowcount:
        raise LeaseLost(claim.id)


def prolong(db: Database, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease. Raises LeaseLost when it is not ours any more."""
    with db.write() as c:
        keep(c, claim, now, lasting)


def close(
    db: Database,
    claim: Claim,
    closing: Closing,
    attempt: Attempt | None,
    now: datetime,
    unwritten: Callable[[Connection, datetime], None] = lambda c, now: None,
) -> None:
    """End a claim: what its steps have not written, the attempt, if there was one, and the next state, together.

    Raises LeaseLost, and writes nothing, when the lease is not ours any more.
    """
    since = claim.failing_since
    if closing.spent and closing.error:
        since = since or claim.started_at
    elif closing.failed_try or closing.state == State.HELD:
        since = None  # away, slowed down or held is not failing: patience begins anew
    values = {
        "delivery": claim.id,
        "by": claim.lease,
        "next_state": closing.state,
        "due": closing.due_at,
        "error_name": closing.error,
        "why": closing.reason,
        "spent": claim.attempts + (1 if closing.spent else 0),
        "failures": claim.tries + 1 if closing.failed_try else 0 if closing.error is None else claim.tries,
        "since": since,
        "now_": now,
        "record": closing.record_id,
        "mapping": closing.mapping_version,
        "fields": closing.field_ledger,
    }
    with db.write() as c:
        if not c.execute(_CLOSE, values).rowcount:
            raise LeaseLost(claim.id)
        unwritten(c, now)
        if attempt:
            _record(c, claim, closing, attempt)


def _record(c: Connection, claim: Claim, closing: Closing, attempt: Attempt) -> None:
    made = {"delivery": claim.id, "started": claim.started_at, "took": attempt.ms, "outcome_": closing.state}
    told = {"error_name": attempt.error, "http_status": attempt.status, "said": attempt.excerpt}
    c.execute(_ATTEMPT, made | told)
