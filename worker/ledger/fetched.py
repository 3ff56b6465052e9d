"""What a thin event lacked, kept with it: read once for all its deliveries."""

from __future__ import annotations

from sqlalchemy import update

from worker.ledger.database import Database
from worker.ledger.tables import events


def keep_fetched(db: Database, event_id: str, written: str) -> None:
    """Commit what was fetched for an event, as JSON."""
    with db.write() as c:
        c.execute(update(events).where(events.c.id == event_id).values(fetched=written))
