"""What a connection may do now: until when it is held, and when its budget has the next request free."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from worker.ledger.database import Database
from worker.ledger.tables import connections


def hold(db: Database, connection: str, until: datetime, reason: str) -> None:
    """Close `connection` until `until` for all its deliveries; an earlier, longer hold stays."""
    mine = connections.c.name == connection
    with db.write() as c:
        db.insert_new(c, connections, {"name": connection})
        longer = or_(connections.c.held_until.is_(None), connections.c.held_until < until)
        c.execute(update(connections).where(mine, longer).values(held_until=until, reason=reason))


def held_until(db: Database, connection: str) -> datetime | None:
    """Return until when `connection` is closed, None where it never was."""
    with db.read() as c:
        return c.execute(
            select(connections.c.held_until).where(connections.c.name == connection)
        ).scalar_one_or_none()


def next_slot(
    db: Database, connection: str, spacing: timedelta, burst: timedelta, now: datetime
) -> timedelta:
    """Take the next free request of a budget of one per `spacing`; return zero, or how long it is until then.

    Nothing is taken where the answer is not zero. `burst` is how far ahead of the average it may run.
    """
    mine = connections.c.name == connection
    with db.write() as c:
        db.insert_new(c, connections, {"name": connection})
        next_at = c.execute(select(connections.c.next_slot_at).where(mine).with_for_update()).scalar_one()
        slot = max(now, next_at or now)
        if slot - now > burst:
            return slot - now - burst
        c.execute(update(connections).where(mine).values(next_slot_at=slot + spacing))
        return timedelta(0)
