"""What a thin event lacked, kept with it: read once for all its deliveries."""

from __future__ import annotations

from sqlalchemy import update

from worker.ledger.database import Database
from worker.ledger.tables import events


def keep_fetched(db: Database, event_id: str, written: str) -> None:
    """Commit what was fetched for an event, as JSON; nothing where the event was emptied meanwhile."""
    # A sender that takes longer than the lease: by then the person may have been forgotten.
    mine = (events.c.id == event_id) & events.c.purged_at.is_(None)
    with db.write() as c:
        c.execute(update(events).where(mine).values(fetched=written))
