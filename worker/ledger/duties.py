"""Work that one process at a time does: a row with an expiry, so that a dead holder is replaced by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from worker.ledger.database import Database
from worker.ledger.tables import duties


def take(db: Database, name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
    """Take or keep the duty `name` until `now + lasting`; return False while another holder has it."""
    mine = {"name": name, "holder": holder, "until": now + lasting}
    free = or_(duties.c.holder == holder, duties.c.until < now)
    with db.write() as c:
        if db.insert_new(c, duties, mine):
            return True
        took = c.execute(
            update(duties).where(duties.c.name == name, free).values(holder=holder, until=mine["until"])
        )
        return bool(took.rowcount)


def done(db: Database, name: str, holder: str, now: datetime) -> None:
    """Note that the duty was done."""
    with db.write() as c:
        c.execute(update(duties).where(duties.c.name == name, duties.c.holder == holder).values(done_at=now))


def last_done(db: Database, name: str) -> datetime | None:
    """Return when the duty was last done, None if never."""
    with db.read() as c:
        return c.execute(select(duties.c.done_at).where(duties.c.name == name)).scalar_one_or_none()


def holder(db: Database, name: str) -> str | None:
    """Return who has the duty, or had it last; None if nobody ever did."""
    with db.read() as c:
        return c.execute(select(duties.c.holder).where(duties.c.name == name)).scalar_one_or_none()


def leave(db: Database, name: str, holder: str, now: datetime) -> None:
    """Let another holder take the duty at once."""
    with db.write() as c:
        c.execute(update(duties).where(duties.c.name == name, duties.c.holder == holder).values(until=now))
