"""An event as whoever maps it reads it from the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from worker.ledger.database import Database
from worker.ledger.tables import events


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What `events` holds of one event, its payload decrypted and its headers read from their JSON.

    `received_at` is in UTC. `fetched` is JSON, None where nothing was fetched. Since `purged_at` body, headers and
    what was fetched are empty.
    """

    id: str
    source: str
    type: str
    entity: str | None
    version: str | None
    received_at: datetime
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    fetched: str | None = None
    purged_at: datetime | None = None


def event_of(db: Database, event_id: str) -> StoredEvent:
    """Return the event with this id, which is there. Raises LedgerUnavailable."""
    with db.read() as c:
        return stored_event(c.execute(select(events).where(events.c.id == event_id)).one())


def stored_event(row: Any) -> StoredEvent:
    """Return a row of `events` that has all of its columns."""
    return StoredEvent(
        id=row.id,
        source=row.source,
        type=row.type,
        entity=row.entity,
        version=row.version,
        received_at=row.received_at,
        content_type=row.content_type,
        headers=json.loads(row.headers),
        body=row.body,
        fetched=row.fetched,
        purged_at=row.purged_at,
    )
