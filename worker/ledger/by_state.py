"""Deliveries by their state: read through the index of what is due, which begins with the connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, tuple_

from worker.ledger.database import Database
from worker.ledger.tables import deliveries, events

#: Deliveries that are read at once.
PAGE = 1000
_NEXT_CONNECTION = (
    select(deliveries.c.connection)
    .where(deliveries.c.connection > bindparam("last"))
    .order_by(deliveries.c.connection)
    .limit(1)
)


def connections(c: Connection) -> list[str]:
    """Return the connections that have deliveries, with one step through the index each."""
    found: list[str] = []
    while (name := c.scalar(_NEXT_CONNECTION, {"last": found[-1] if found else ""})) is not None:
        found.append(name)
    return found


def count(db: Database, state: str, connection: str | None = None) -> int:
    """Return how many deliveries in `state` still have their payload."""
    with db.read() as c:
        over = [connection] if connection else connections(c)
        query = select(func.count()).select_from(deliveries.join(events)).where(*_whole(state))
        return int(c.execute(query.where(deliveries.c.connection.in_(over))).scalar_one())


def pages(db: Database, state: str, connection: str | None, since: datetime) -> Iterator[list[str]]:
    """Yield the ids of the deliveries in `state` that still have their payload, the longest due first.

    Of each connection in turn. What has changed after `since` is left out: a delivery that is released and fails
    again at once comes once. Raises LedgerUnavailable.
    """
    with db.read() as c:
        over = [connection] if connection else connections(c)
    for name in over:
        yield from _pages_over(db, name, state, since)


def _pages_over(db: Database, connection: str, state: str, since: datetime) -> Iterator[list[str]]:
    place = (deliveries.c.due_at, deliveries.c.id)
    mine = (deliveries.c.connection == connection, deliveries.c.updated_at <= since, *_whole(state))
    query = select(*place).select_from(deliveries.join(events)).where(*mine).order_by(*place).limit(PAGE)
    rows: list[Any] = []
    while True:
        after = query if not rows else query.where(tuple_(*place) > tuple_(*rows[-1]))
        with db.read() as c:
            rows = list(c.execute(after))
        if not rows:
            return
        yield [row.id for row in rows]


def _whole(state: str) -> tuple[ColumnElement[bool], ...]:
    return deliveries.c.state == state, events.c.purged_at.is_(None)
