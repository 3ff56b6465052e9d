"""The door's side of the ledger: store an event and its deliveries, once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from mappings.source import Naming
from worker.errors import LedgerUnavailable
from worker.ids import new_id
from worker.ledger.database import Database
from worker.ledger.tables import State, deliveries, events

#: How long the door's own hand-off has before the sweep takes a new delivery for lost.
HAND_OFF_GRACE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What the door knows of an event. `reason` says why its deliveries begin in `state`, if not pending."""

    source: str
    naming: Naming
    verdict: str
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    connections: Sequence[str]
    state: State = State.PENDING
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """`duplicate` is true where the event was known; `event_id` is then the first one's."""

    event_id: str
    duplicate: bool
    deliveries: tuple[tuple[str, str], ...] = ()  # (connection, delivery id)


def store(db: Database, event: NewEvent, now: datetime) -> Stored:
    """Commit `event` and its deliveries in one transaction, or find that it is a duplicate.

    Raises LedgerUnavailable; then nothing is stored.
    """
    for _ in range(3):
        try:
            return _insert(db, event, now)
        except IntegrityError:
            first = _repeat(db, event, now)
            if first:
                return Stored(first, duplicate=True)
    raise LedgerUnavailable("the event's key changed hands three times in a row")


def _insert(db: Database, event: NewEvent, now: datetime) -> Stored:
    event_id, naming = new_id(), event.naming
    rows = [
        {
            "id": new_id(),
            "event_id": event_id,
            "connection": connection,
            "entity": f"{event.source}:{naming.entity}" if naming.entity else None,
            "version": naming.version,
            "state": event.state,
            "reason": event.reason,
            "attempts": 0,
            "tries": 0,
            "due_at": now,
            "handed_until": now + HAND_OFF_GRACE,
            "created_at": now,
            "updated_at": now,
        }
        for connection in event.connections
    ]
    with db.write() as c:
        c.execute(
            insert(events),
            {
                "id": event_id,
                "source": event.source,
                "type": naming.type,
                "dedup_key": naming.dedup_key,
                "entity": naming.entity,
                "version": naming.version,
                "verdict": event.verdict,
                "received_at": now,
                "content_type": event.content_type,
                "headers": json.dumps(dict(event.headers)),
                "body": event.body,
                "repeats": 0,
            },
        )
        if rows:
            c.execute(insert(deliveries), rows)
    pending = rows if event.state == State.PENDING else []
    return Stored(
        event_id,
        duplicate=False,
        deliveries=tuple((str(row["connection"]), str(row["id"])) for row in pending),
    )


def _repeat(db: Database, event: NewEvent, now: datetime) -> str | None:
    """Note the repetition and return the first event's id, or free the key where its window is over.

    Equal content means the same event only for a while: somebody may order the same again tomorrow. Freeing
    the key and trying again keeps the unique constraint the only judge, also between two processes.
    """
    same = (events.c.source == event.source) & (events.c.dedup_key == event.naming.dedup_key)
    window = event.naming.window
    with db.write() as c:
        first = c.execute(select(events.c.id, events.c.received_at).where(same)).one_or_none()
        if first is None:
            return None
        if window is not None and first.received_at + window < now:
            c.execute(update(events).where(same).values(dedup_key=f"{event.naming.dedup_key}@{first.id}"))
            return None
        c.execute(update(events).where(same).values(repeats=events.c.repeats + 1, repeated_at=now))
        return str(first.id)
