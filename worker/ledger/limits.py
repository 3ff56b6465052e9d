"""What a connection may do now: until when it is held, and what its budget has left."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import or_, select, update

from worker.allowance import Allowance, TurnedAway, Used, spend
from worker.ledger.database import Database
from worker.ledger.tables import connections

_USED = {
    "next_at": connections.c.next_slot_at,
    **{
        name: connections.c[name]
        for name in (
            *("next_create_at", "next_lookup_at", "creates_waited_at", "lookups_waited_at"),
            *("day", "day_used"),
        )
    },
}
_SELECT = [column.label(name) for name, column in _USED.items()]


def hold(db: Database, connection: str, until: datetime, reason: str) -> None:
    """Close `connection` until `until` for all its deliveries; an earlier, longer hold stays."""
    mine = connections.c.name == connection
    with db.write() as c:
        db.insert_new(c, connections, {"name": connection})
        longer = or_(connections.c.held_until.is_(None), connections.c.held_until < until)
        c.execute(update(connections).where(mine, longer).values(held_until=until, reason=reason))


def take(
    db: Database, connection: str, allowance: Allowance, changes: bool, now: datetime
) -> TurnedAway | None:
    """Take one request from the connection's budget; say until when there is none, and then take nothing."""
    mine = connections.c.name == connection
    with db.write() as c:
        db.insert_new(c, connections, {"name": connection})
        row = c.execute(select(*_SELECT).where(mine).with_for_update()).one()
        before = Used(**row._mapping)
        used, away = spend(before, allowance, changes, now)
        if used != before:
            values = {_USED[name].name: value for name, value in asdict(used).items()}
            c.execute(update(connections).where(mine).values(**values))
        return away


def used(db: Database, connection: str) -> Used:
    """Return what the connection's budget was used for."""
    with db.read() as c:
        row = c.execute(select(*_SELECT).where(connections.c.name == connection)).one_or_none()
    return Used() if row is None else Used(**row._mapping)
