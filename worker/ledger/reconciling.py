"""What a reconciliation reads of the ledger, page by page, and how a record is given back to be made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy import Connection as Transaction

from worker.ledger.audits import note
from worker.ledger.database import Database
from worker.ledger.deliveries import AFRESH
from worker.ledger.payload_locks import lock_payloads
from worker.ledger.tables import State, UtcTime, deliveries, events, links, steps

#: Deliveries that are read, and whose records are held, at a time.
PAGE = 200
#: What the kind of a step that changed a record ends with.
UPDATE = " update"
#: Also due again already, for another record of the same entity.
_GIVEN_BACK = (State.DELIVERED, State.PENDING)


@dataclass(frozen=True, slots=True)
class Period:
    """Deliveries over `connection` that were accepted from `since` to `until` and delivered by `settled`."""

    connection: str
    since: datetime
    until: datetime
    settled: datetime


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery that is delivered; `touched` is when each record of its entity was last made or changed by us."""

    id: str
    event_id: str
    created_at: datetime
    steps: Sequence[Any]
    linked: Mapping[tuple[str, str], str]
    touched: Mapping[tuple[str, str], datetime]


@dataclass(frozen=True, slots=True)
class Lost:
    """A record that is to be made again: its kind, our key, and the vendor's id that is not there."""

    kind: str
    key: str
    id: str


def count(db: Database, period: Period) -> int:
    """Return how many deliveries the period has."""
    with db.read() as c:
        return c.execute(select(func.count()).select_from(deliveries).where(*_within(period))).scalar_one()


def count_recent(db: Database, period: Period) -> int:
    """Return how many more there are that were delivered only after `settled`."""
    recent = deliveries.c.updated_at > period.settled
    query = select(func.count()).select_from(deliveries).where(*_within(period)[:-1], recent)
    with db.read() as c:
        return c.execute(query).scalar_one()


def pages(db: Database, period: Period) -> Iterator[list[Delivered]]:
    """Yield the period's deliveries, the oldest first, each page in a transaction of its own."""
    after = ""
    columns = (deliveries.c.id, deliveries.c.event_id, deliveries.c.entity, deliveries.c.created_at)
    while True:
        query = select(*columns).where(*_within(period), deliveries.c.id > after)
        with db.read() as c:
            rows = c.execute(query.order_by(deliveries.c.id).limit(PAGE)).all()
            if not rows:
                return
            page = _with_steps(c, period.connection, rows)
        yield page
        after = rows[-1].id


def event_of(db: Database, event_id: str) -> Mapping[str, Any]:
    """Return an event as `worker.planning` takes it."""
    with db.read() as c:
        row = c.execute(select(events).where(events.c.id == event_id)).one()
    return {**row._mapping, "headers": json.loads(row.headers)}


def knows(db: Database, connection: str, kind: str, record_id: str) -> bool:
    """Say whether any record of ours over the connection has this id at the vendor."""
    linked = (links.c.connection == connection, links.c.kind == kind, links.c.record_id == record_id)
    done = (deliveries.c.connection == connection, steps.c.kind == kind, steps.c.record_id == record_id)
    with db.read() as c:
        return (
            c.execute(select(links.c.key).where(*linked).limit(1)).first() is not None
            or c.execute(select(steps.c.key).join(deliveries).where(*done).limit(1)).first() is not None
        )


def give_back(
    db: Database, delivery_id: str, lost: Sequence[Lost], operator: str, now: datetime
) -> tuple[str, list[Lost]]:
    """Make the newest delivery of the entity due again, for those of `lost` that it wants; return both.

    Their links lose the id and get a doubt, so that each is looked up before it is made. Nothing is done where
    that delivery is not delivered any more, wants none of them, or has lost its payload. An older delivery would
    be superseded.
    """
    again = {"state": State.PENDING, "due_at": now, **AFRESH}
    with db.write() as c:
        chosen = _locked(c, _newest(c, delivery_id))
        if chosen is None:
            return delivery_id, []
        wanted = [one for one in lost if _forgotten(c, chosen, one, now)]
        if wanted:
            mine = deliveries.c.id == chosen.id
            c.execute(update(deliveries).where(mine).values(**again, updated_at=now))
        for one in wanted:
            note(c, now, operator, "make again", f"{chosen.id}: {one.kind} {one.key}, was {one.id}")
        return chosen.id, wanted


def note_deleted(db: Database, operator: str, subject: str, now: datetime) -> None:
    """Write into the audit that a record was deleted at a vendor."""
    with db.write() as c:
        note(c, now, operator, "delete double", subject)


def _within(period: Period) -> tuple[ColumnElement[bool], ...]:
    return (
        deliveries.c.connection == period.connection,
        deliveries.c.state == State.DELIVERED,
        deliveries.c.created_at >= period.since,
        deliveries.c.created_at <= period.until,
        deliveries.c.updated_at <= period.settled,
    )


def _with_steps(c: Transaction, connection: str, rows: Sequence[Any]) -> list[Delivered]:
    ids = [row.id for row in rows]
    done: dict[str, list[Any]] = {}
    for step in c.execute(select(steps).where(steps.c.delivery_id.in_(ids)).order_by(steps.c.position)):
        done.setdefault(step.delivery_id, []).append(step)
    same = (links.c.kind == steps.c.kind) & (links.c.key == steps.c.key)
    query = select(links.c.kind, links.c.key, links.c.record_id).join(steps, same)
    linked = {
        (row.kind, row.key): row.record_id
        for row in c.execute(query.where(links.c.connection == connection, steps.c.delivery_id.in_(ids)))
        if row.record_id is not None
    }
    touched = _touched(c, connection, sorted({row.entity for row in rows if row.entity is not None}))
    return [
        Delivered(
            row.id, row.event_id, row.created_at, done.get(row.id, []), linked, touched.get(row.entity, {})
        )
        for row in rows
    ]


def _touched(
    c: Transaction, connection: str, entities: Sequence[str]
) -> dict[str, dict[tuple[str, str], datetime]]:
    last = func.max(steps.c.updated_at, type_=UtcTime).label("last")
    query = (
        select(deliveries.c.entity, steps.c.kind, steps.c.key, last)
        .join(steps)
        .where(deliveries.c.connection == connection, deliveries.c.entity.in_(entities))
        # A step that only found what was there has not touched it.
        .where(or_(steps.c.was_there.is_(False), steps.c.kind.endswith(UPDATE, autoescape=True)))
        .group_by(deliveries.c.entity, steps.c.kind, steps.c.key)
    )
    found: dict[str, dict[tuple[str, str], datetime]] = {}
    for row in c.execute(query):
        of_entity, name = found.setdefault(row.entity, {}), (row.kind.removesuffix(UPDATE), row.key)
        of_entity[name] = max(row.last, of_entity.get(name, row.last))
    return found


def _newest(c: Transaction, delivery_id: str) -> Any:
    """Return the delivery of the entity that none supersedes; None where its payload is purged."""
    columns = [deliveries.c[name] for name in ("id", "event_id", "connection", "entity", "version")]
    query = select(*columns, events.c.purged_at).join(events).where(deliveries.c.state.in_(_GIVEN_BACK))
    mine = c.execute(query.where(deliveries.c.id == delivery_id)).one_or_none()
    if mine is None:
        return None
    rows = [mine]
    if mine.entity is not None:
        same = (deliveries.c.connection == mine.connection) & (deliveries.c.entity == mine.entity)
        rows = list(c.execute(query.where(same)).all())
    newest = next((row for row in rows if not any(_supersedes(other, row) for other in rows)), None)
    return None if newest is None or newest.purged_at else newest


def _locked(c: Transaction, chosen: Any) -> Any:
    """Return the chosen delivery once nobody else can change it; None where it is not the one any more."""
    if chosen is None:
        return None
    lock_payloads(c, [chosen.event_id])
    now_is = _newest(c, chosen.id)
    return now_is if now_is is not None and now_is.id == chosen.id else None


def _supersedes(other: Any, row: Any) -> bool:
    """Say whether a claim of `row` would be turned away for `other`; see `worker.ledger.order`."""
    if row.version and other.version:
        return bool(other.version > row.version)
    return bool(other.id > row.id)


def _forgotten(c: Transaction, chosen: Any, lost: Lost, now: datetime) -> bool:
    """Take the record's steps out of the delivery and its id out of the link; False where nothing is to be done."""
    mine = (steps.c.delivery_id == chosen.id) & (steps.c.key == lost.key)
    made = mine & (steps.c.kind == lost.kind)
    if c.execute(select(steps.c.key).where(made)).first() is None:
        return False
    link = (
        (links.c.connection == chosen.connection)
        & (links.c.kind == lost.kind)
        & (links.c.key == lost.key)
        & (links.c.record_id == lost.id)
    )
    # When it was made is when the create left: a look-up does not have to wait for the vendor's search.
    doubt = {"record_id": None, "holder": None, "risked_at": links.c.updated_at, "updated_at": now}
    if not c.execute(update(links).where(link).values(**doubt)).rowcount:
        return False
    c.execute(delete(steps).where(mine, steps.c.kind.in_([lost.kind, lost.kind + UPDATE])))
    return True
