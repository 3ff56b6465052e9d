"""What an operator lets go on its way after all: a duplicate that was none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from mappings.source import Naming
from worker.ids import new_id
from worker.ledger.database import Database
from worker.ledger.duplicates import DUPLICATE
from worker.ledger.intake import NewEvent, delivery_row
from worker.ledger.tables import audit, deliveries, events

#: Gives the connections that an event of a source and a type goes to.
Routing = Callable[[str, str], Sequence[str]]


def release_duplicate(db: Database, event_id: str, route: Routing, operator: str, now: datetime) -> bool:
    """Make a kept duplicate an event like any other, with deliveries; return False where there is no such thing.

    That is so where `event_id` is no duplicate, or none any more, where its payload was purged, and where no route
    takes it.
    It keeps its entity, so where that is the first one's it becomes a change of the same record, and its version,
    so a newer one that was delivered meanwhile still supersedes it. Without an entity it stands for itself.
    """
    with db.write() as c:
        whole = events.c.purged_at.is_(None)
        mine = (events.c.id == event_id) & (events.c.verdict == DUPLICATE) & whole
        row = c.execute(select(events).where(mine)).one_or_none()
        if row is None:
            return False
        connections = route(row.source, row.type)
        # Only one of two who release it at once changes the verdict.
        if not connections or not c.execute(update(events).where(mine).values(verdict="routed")).rowcount:
            return False
        naming = Naming(row.type, row.dedup_key, row.entity, row.version)
        event = NewEvent(row.source, naming, "routed", row.content_type, {}, row.body, connections)
        # Nobody has a task for these, so the sweep takes them at once.
        rows = [{**delivery_row(event, row.id, name, now), "handed_until": None} for name in connections]
        c.execute(insert(deliveries), rows)
        trace = {"id": new_id(), "at": now, "operator": operator, "action": "release", "subject": event_id}
        c.execute(insert(audit), trace)
        return True
