"""Releasing a duplicate that was none: it becomes an event of its own. `search.release` is for deliveries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from mappings.source import Naming
from worker.ledger.audits import note
from worker.ledger.database import Database
from worker.ledger.new_events import NewEvent, delivery_row
from worker.ledger.tables import deliveries, events
from worker.ledger.verdicts import Verdict

#: Gives the connections that an event of a source and a type goes to.
Routing = Callable[[str, str], Sequence[str]]


def release_duplicate(db: Database, event_id: str, route: Routing, operator: str, now: datetime) -> bool:
    """Make a kept duplicate an event like any other, with deliveries; return whether that was done.

    It is not done where `event_id` is no duplicate (any more), where its payload was purged, and where no route
    takes it. The event keeps its entity: where that is the first one's, it becomes a change of the same record. It
    keeps its version, too: a newer one that was delivered meanwhile still supersedes it.
    """
    with db.write() as c:
        whole = events.c.purged_at.is_(None)
        mine = (events.c.id == event_id) & (events.c.verdict == Verdict.DUPLICATE) & whole
        row = c.execute(select(events).where(mine)).one_or_none()
        if row is None:
            return False
        connections = route(row.source, row.type)
        # Only one of two who release it at once changes the verdict.
        if (
            not connections
            or not c.execute(update(events).where(mine).values(verdict=Verdict.ROUTED)).rowcount
        ):
            return False
        naming = Naming(row.type, row.dedup_key, row.entity, row.version)
        event = NewEvent(row.source, naming, Verdict.ROUTED, row.content_type, {}, row.body, connections)
        # Nobody has a task for these, so the sweep takes them at once.
        rows = [{**delivery_row(event, row.id, name, now), "handed_until": None} for name in connections]
        c.execute(insert(deliveries), rows)
        note(c, now, operator, "release", event_id)
        return True
