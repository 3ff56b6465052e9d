"""What the ledger knows of a create that another delivery sent, and whose outcome nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import select

from worker.ledger.database import Database
from worker.ledger.linked import linked_records
from worker.ledger.stored_event import StoredEvent, stored_event
from worker.ledger.tables import deliveries, events


def event_of(db: Database, delivery_id: str) -> StoredEvent | None:
    """Return the event of a delivery, None where its row was purged. Raises LedgerUnavailable."""
    query = select(events).select_from(deliveries.join(events)).where(deliveries.c.id == delivery_id)
    with db.read() as c:
        row = c.execute(query).one_or_none()
    return None if row is None else stored_event(row)


def linked(db: Database, connection: str, names: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """Return the vendor's ids of those records of (kind, key) that are linked."""
    with db.read() as c:
        return linked_records(c, connection, names)
