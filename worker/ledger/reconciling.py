"""What a reconciliation reads of the ledger, page by page; see giving_back.py for what it repairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, or_, select
from sqlalchemy import Connection as Transaction

from worker.ledger.database import Database
from worker.ledger.linked import linked_records
from worker.ledger.tables import UPDATE, State, deliveries, links, steps
from worker.ledger.utc_time import UtcTime

#: Deliveries that are read, and whose records are held, at a time.
PAGE = 200
_Columns = tuple[ColumnElement[str], ColumnElement[str]]
_BY_ANY: _Columns = deliveries.c.connection, deliveries.c.state
#: With a plus, which keeps SQLite from their index: for every page it would sort all that was ever delivered over
#: the connection. PostgreSQL knows no such plus, and by its statistics needs none.
_BY_ID: _Columns = literal_column("+deliveries.connection"), literal_column("+deliveries.state")


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
        query = select(*columns).where(*_within(period, _BY_ID if db.is_sqlite else _BY_ANY))
        query = query.where(deliveries.c.id > after)
        with db.read() as c:
            rows = c.execute(query.order_by(deliveries.c.id).limit(PAGE)).all()
            if not rows:
                return
            page = _with_steps(c, period.connection, rows)
        yield page
        after = rows[-1].id


def knows(db: Database, connection: str, kind: str, record_id: str) -> bool:
    """Say whether any record of ours over the connection has this id at the vendor."""
    linked = (links.c.connection == connection, links.c.kind == kind, links.c.record_id == record_id)
    done = (deliveries.c.connection == connection, steps.c.kind == kind, steps.c.record_id == record_id)
    with db.read() as c:
        return (
            c.execute(select(links.c.key).where(*linked).limit(1)).first() is not None
            or c.execute(select(steps.c.key).join(deliveries).where(*done).limit(1)).first() is not None
        )


def _within(period: Period, by: _Columns = _BY_ANY) -> tuple[ColumnElement[bool], ...]:
    connection, state = by
    return (
        connection == period.connection,
        state == State.DELIVERED,
        deliveries.c.created_at >= period.since,
        deliveries.c.created_at <= period.until,
        deliveries.c.updated_at <= period.settled,
    )


def _with_steps(c: Transaction, connection: str, rows: Sequence[Any]) -> list[Delivered]:
    ids = [row.id for row in rows]
    done: dict[str, list[Any]] = {}
    for step in c.execute(select(steps).where(steps.c.delivery_id.in_(ids)).order_by(steps.c.position)):
        done.setdefault(step.delivery_id, []).append(step)
    linked = linked_records(c, connection, {(step.kind, step.key) for some in done.values() for step in some})
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
