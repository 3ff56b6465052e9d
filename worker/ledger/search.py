"""The operator's questions: what came, where it stands, and release it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from worker.ledger.audits import note
from worker.ledger.by_state import connections
from worker.ledger.database import Database
from worker.ledger.deliveries import AFRESH
from worker.ledger.payload_locks import lock_payloads
from worker.ledger.tables import State, StepState, attempts, deliveries, events, links, steps
from worker.ledger.verdicts import IS_SINGLED_OUT, Verdict

#: States from which an operator may release a delivery; see `is_releasable` for pending ones. A delivered one is
#: not among them: its steps are done.
RELEASABLE = (
    State.FAILED,
    State.SKIPPED,
    State.SUPERSEDED,
    State.HELD,
    State.WAITING,
    State.UNKNOWN,
    State.BLOCKED,
)

#: So many rows are sorted in no time.
FEW = 10_000

_EVENT = (
    events.c.id,
    events.c.source,
    events.c.type,
    events.c.entity,
    events.c.version,
    events.c.verdict,
    events.c.received_at,
    events.c.repeats,
    events.c.duplicate_of,
    events.c.purged_at,
)
_DELIVERY = (
    deliveries.c.id,
    deliveries.c.event_id,
    events.c.source,
    events.c.type,
    deliveries.c.connection,
    deliveries.c.state,
    deliveries.c.attempts,
    deliveries.c.error,
    deliveries.c.reason,
    deliveries.c.record_id,
    deliveries.c.due_at,
    deliveries.c.created_at,
    deliveries.c.updated_at,
    events.c.purged_at,
)


def list_events(
    db: Database, source: str | None = None, limit: int = 100, verdict: str | None = None
) -> list[Mapping[str, Any]]:
    """Return the newest events first, at most `limit`."""
    query = select(*_EVENT).order_by(events.c.id.desc()).limit(limit)
    if verdict:
        query = query.where(events.c.verdict == verdict)
    is_few = verdict not in (None, Verdict.ROUTED)
    if is_few:
        query = query.where(text(IS_SINGLED_OUT))  # so that their index is used
    with db.read() as c:
        if source:
            query = query.where(_name_of(db, c, events.c.source, source, is_few) == source)
        return [dict(row._mapping) for row in c.execute(query)]


def show_event(db: Database, event_id: str) -> Mapping[str, Any] | None:
    """Return one event as received, with its deliveries and its duplicates; None where there is none.

    A body that is no UTF-8 shows with replacement characters.
    """
    whole = (*_EVENT, events.c.repeated_at, events.c.dedup_key, events.c.content_type, events.c.headers)
    with db.read() as c:
        row = c.execute(select(*whole, events.c.body).where(events.c.id == event_id)).one_or_none()
        if row is None:
            return None
        linked = select(*_EVENT).where(events.c.duplicate_of == event_id).order_by(events.c.id)
        sent = select(*_DELIVERY).join(events).where(events.c.id == event_id).order_by(deliveries.c.id)
        return {
            **row._mapping,
            "headers": json.loads(row.headers),
            "body": bytes(row.body).decode("utf-8", "replace"),
            "deliveries": [dict(r._mapping) for r in c.execute(sent)],
            "duplicates": [dict(r._mapping) for r in c.execute(linked)],
        }


def list_deliveries(
    db: Database,
    state: str | None = None,
    connection: str | None = None,
    event_id: str | None = None,
    limit: int = 100,
) -> list[Mapping[str, Any]]:
    """Return the newest deliveries first, at most `limit`."""
    query: Select[Any] = select(*_DELIVERY).join(events).order_by(deliveries.c.id.desc()).limit(limit)
    is_common = state in (None, State.DELIVERED)
    for column, value in ((deliveries.c.state, state), (deliveries.c.event_id, event_id)):
        if value:
            query = query.where(column == value)
    with db.read() as c:
        if connection and is_common:
            query = query.where(_name_of(db, c, deliveries.c.connection, connection) == connection)
        elif not (is_common or event_id):
            # The few in a state are found by its index, which begins with the connection; then they are sorted.
            query = query.where(deliveries.c.connection.in_([connection] if connection else connections(c)))
        elif connection:
            query = query.where(deliveries.c.connection == connection)
        return [dict(row._mapping) for row in c.execute(query)]


def _name_of(
    db: Database, c: Connection, column: Column[str], name: str, is_found: bool = False
) -> ColumnElement[str]:
    """Return `column` as SQLite should see it in a question for the newest rows of `name`.

    With a plus, which keeps it from the column's index: for the newest few of many rows it would sort them all.
    Not where `name` has few rows, unless these are found otherwise.
    """
    if not db.is_sqlite:
        return column
    many = select(column).where(column == name).limit(1).offset(FEW)
    if not is_found and c.execute(many).first() is None:
        return column
    return literal_column(f"+{column.table.name}.{column.name}")


def show_delivery(db: Database, delivery_id: str) -> Mapping[str, Any] | None:
    """Return one delivery with its steps, attempts and field ledger; None where there is none."""
    with db.read() as c:
        query = (
            select(*_DELIVERY, deliveries.c.field_ledger).join(events).where(deliveries.c.id == delivery_id)
        )
        row = c.execute(query).one_or_none()
        if row is None:
            return None
        done = select(steps).where(steps.c.delivery_id == delivery_id).order_by(steps.c.position)
        tried = select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
        return {
            **row._mapping,
            "field_ledger": json.loads(row.field_ledger or "[]"),
            "steps": [dict(r._mapping) for r in c.execute(done)],
            "history": [dict(r._mapping) for r in c.execute(tried)],
        }


def count_states(db: Database) -> dict[str, int]:
    """Return how many deliveries are in each state."""
    query = select(deliveries.c.state, func.count().label("number")).group_by(deliveries.c.state)
    with db.read() as c:
        return {row.state: row.number for row in c.execute(query)}


def is_releasable(delivery: Mapping[str, Any], now: datetime) -> bool:
    """Say whether `release` takes a delivery: one that is pending only while it waits for its time."""
    waits = delivery["state"] == State.PENDING and delivery["due_at"] > now
    return delivery["state"] in RELEASABLE or waits


def release(db: Database, delivery_id: str, operator: str, now: datetime, not_made: bool = False) -> bool:
    """Make a delivery due again; return False where its state, or a payload that was purged, forbids it.

    `not_made` is the operator's word that a record whose creation is in doubt is not at the vendor.
    """
    whole = deliveries.c.event_id.in_(select(events.c.id).where(events.c.purged_at.is_(None)))
    allowed = or_(
        deliveries.c.state.in_(RELEASABLE),
        and_(deliveries.c.state == State.PENDING, deliveries.c.due_at > now),
    )
    mine = (deliveries.c.id == delivery_id) & allowed & whole
    again = {"state": State.PENDING, "due_at": now, **AFRESH}
    with db.write() as c:
        event_id = c.scalar(select(deliveries.c.event_id).where(deliveries.c.id == delivery_id))
        if event_id is None:
            return False
        lock_payloads(c, [event_id])  # a purge that is emptying it now ends first, or finds it released
        if not c.execute(update(deliveries).where(mine).values(**again, updated_at=now)).rowcount:
            return False
        if not_made:
            _settle(c, delivery_id, now)
        action = "release, not made" if not_made else "release"
        note(c, now, operator, action, delivery_id)
        return True


def _settle(c: Connection, delivery_id: str, now: datetime) -> None:
    """Take back the doubts of a delivery: it may make what it was about to make, without a look-up."""
    doubtful = (steps.c.delivery_id == delivery_id) & (steps.c.state != StepState.DONE)
    over = select(deliveries.c.connection).where(deliveries.c.id == delivery_id).scalar_subquery()
    for row in c.execute(select(steps.c.kind, steps.c.key).where(doubtful)).all():
        # By their names: no index leads to what a delivery holds, and all links would be read.
        named = (links.c.connection == over) & (links.c.kind == row.kind) & (links.c.key == row.key)
        held = named & (links.c.holder == delivery_id)
        c.execute(update(links).where(held).values(risked_at=None, risked_by=None, updated_at=now))
    c.execute(delete(steps).where(doubtful))
