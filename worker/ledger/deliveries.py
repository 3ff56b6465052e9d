"""The life of a delivery in the ledger, once it is due: claimed by one worker, then closed by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    update,
)

from worker.errors import LeaseLost
from worker.ids import new_id
from worker.ledger.attempts import Attempt, record
from worker.ledger.database import Database
from worker.ledger.order import overtaken, turn_away
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import (
    OPEN,
    State,
    UtcTime,
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
    event: Mapping[str, Any]  # see `due_event`


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


# As parts of the text: a list of parameters would be written out anew at every execution.
_OPEN: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in OPEN]


def claimable(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition for a delivery that anybody may claim at `now`."""
    return or_(
        and_(deliveries.c.state.in_(_OPEN), deliveries.c.due_at <= now),
        and_(deliveries.c.state == State.SENDING, deliveries.c.lease_until < now),
    )


# SQLAlchemy takes five times as long to build a statement as to run it, and each delivery needs these: they are
# built once. Their parameters are named after what they mean, since a column's own name is taken.
_NOW = bindparam("now_", type_=UtcTime)
_CLAIM = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), claimable(_NOW))
    .values(
        state=State.SENDING,
        lease=bindparam("by"),
        lease_until=bindparam("until"),
        handed_until=None,
        updated_at=_NOW,
    )
    .returning(
        *(
            deliveries.c[name]
            for name in ("id", "connection", "entity", "version", "attempts", "tries", "failing_since")
        )
    )
)
_DUE_EVENT = Prepared(
    select(events)
    .select_from(deliveries.join(events))
    .where(deliveries.c.id == bindparam("delivery"), claimable(_NOW))
)
_HELD = Prepared(
    select(connections.c.held_until, connections.c.reason).where(
        connections.c.name == bindparam("over"), connections.c.held_until > _NOW
    )
)
_KEEP = Prepared(
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("delivery"),
        deliveries.c.lease == bindparam("by"),
        deliveries.c.lease_until >= bindparam("now_", type_=UtcTime),
    )
    .values(lease_until=bindparam("until"))
)
_CLOSE = Prepared(
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
        field_ledger=func.coalesce(
            bindparam("fields", type_=deliveries.c.field_ledger.type), deliveries.c.field_ledger
        ),
    )
)


def due_event(db: Database, delivery_id: str, now: datetime) -> Mapping[str, Any] | None:
    """Return the event of a delivery that could be claimed at `now`: the columns of `events`, headers decoded.

    None where there is nothing to claim, which makes doubled tasks cheap.
    """
    row = db.look(_DUE_EVENT, {"delivery": delivery_id, "now_": now})
    return None if row is None else {**row._asdict(), "headers": json.loads(row.headers)}


def claim(
    db: Database,
    delivery_id: str,
    now: datetime,
    lasting: timedelta,
    event: Mapping[str, Any] | None = None,
    also: Callable[[Transaction, Claim], None] = lambda t, claim: None,
) -> Claim | None:
    """Take a delivery if it is due and nobody has it; None otherwise, which makes doubled tasks harmless.

    A delivery whose connection is held, whose entity has an earlier unfinished delivery, or whose entity was
    already delivered in a newer version is not claimed: its new state says why. `event` is what `due_event` gave;
    `also` is done in the same transaction.
    """
    told = event or due_event(db, delivery_id, now)
    if told is None:
        return None
    taking = {"delivery": delivery_id, "now_": now, "by": new_id(), "until": now + lasting}

    def take(t: Transaction) -> Claim | None:
        row = t.first(_CLAIM, taking)
        if row is None or _turned_away(t, row, now):
            return None
        lease, since = str(taking["by"]), row.failing_since
        claimed = Claim(row.id, lease, row.connection, row.attempts, row.tries, since, now, told)
        also(t, claimed)
        return claimed

    return db.commit(take)


def _turned_away(t: Transaction, row: Any, now: datetime) -> bool:
    held = t.first(_HELD, {"over": row.connection, "now_": now})
    if held is not None:
        turn_away(t, row, State.HELD, held.held_until, held.reason)
        return True
    return row.entity is not None and overtaken(t, row, now)


def keep(t: Transaction, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease inside the transaction `t`.

    Raises LeaseLost when it is not ours any more, and also when it has only run out: from then on others may
    take the records that this delivery has reserved, though nobody has taken the delivery itself yet.
    """
    mine = {"delivery": claim.id, "by": claim.lease, "now_": now, "until": now + lasting}
    if not t.run(_KEEP, mine):
        raise LeaseLost(claim.id)


def prolong(db: Database, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease. Raises LeaseLost when it is not ours any more."""
    db.commit(lambda t: keep(t, claim, now, lasting))


def close(
    db: Database,
    claim: Claim,
    closing: Closing,
    attempt: Attempt | None,
    now: datetime,
    unwritten: Callable[[Transaction, datetime], None] = lambda t, now: None,
) -> None:
    """End a claim: what its steps have not written, the attempt, if there was one, and the next state, together.

    Raises LeaseLost, and writes nothing, when the lease is not ours any more.
    """
    values = {
        "delivery": claim.id,
        "by": claim.lease,
        "next_state": closing.state,
        "due": closing.due_at,
        "error_name": closing.error,
        "why": closing.reason,
        "spent": claim.attempts + (1 if closing.spent else 0),
        "failures": claim.tries + 1 if closing.failed_try else 0 if closing.error is None else claim.tries,
        "since": _failing_since(claim, closing),
        "now_": now,
        "record": closing.record_id,
        "mapping": closing.mapping_version,
        "fields": closing.field_ledger,
    }

    def end(t: Transaction) -> None:
        if not t.run(_CLOSE, values):
            raise LeaseLost(claim.id)
        unwritten(t, now)
        if attempt:
            record(t, claim.id, claim.started_at, closing.state, attempt)

    db.commit(end)


def _failing_since(claim: Claim, closing: Closing) -> datetime | None:
    if closing.spent and closing.error:
        return claim.failing_since or claim.started_at
    if closing.failed_try or closing.state == State.HELD:
        return None  # away, slowed down or held is not failing: patience begins anew
    return claim.failing_since
