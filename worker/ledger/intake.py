"""The door's side of the ledger: store an event and its deliveries, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from mappings.source import Naming
from worker.errors import LedgerUnavailable
from worker.ids import new_id
from worker.ledger.database import TURN_SECONDS, Database
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import State, deliveries, events
from worker.ledger.together import Piece, Together

#: How long the door's own hand-off has before the sweep takes a new delivery for lost.
HAND_OFF_GRACE = timedelta(seconds=5)
#: How long an event waits for company where there was some the last time: six in one commit cost half of what they
#: cost one by one, and a lonely sender waits for nobody.
LINGER_SECONDS = 0.002
#: Characters of a key that are kept as they are.
LONGEST_KEY = 200


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


class Intake:
    """The door's queue in front of the ledger: events that come at once are committed together.

    A commit costs a sync of the disk, whether it holds one event or twenty. So whoever gets the turn writes all
    that have come by then, and the others find theirs done.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._together: Together[tuple[NewEvent, datetime], Stored] = Together(
            self._write, TURN_SECONDS, LINGER_SECONDS
        )

    def store(self, event: NewEvent, now: datetime) -> Stored:
        """Commit `event` and its deliveries in one transaction, or find that it is a duplicate.

        Raises LedgerUnavailable; then nothing is stored.
        """
        # Where one of those that came together was a duplicate, none was written: each on its own.
        return self._together.do((event, now)) or store(self._db, event, now)

    def _write(self, batch: Sequence[Piece[tuple[NewEvent, datetime], Stored]]) -> None:
        with suppress(IntegrityError):
            stored = _insert(self._db, [piece.wanted for piece in batch])
            for piece, one in zip(batch, stored, strict=True):
                piece.result = one


def store(db: Database, event: NewEvent, now: datetime) -> Stored:
    """Commit one event as `Intake.store` does, by itself."""
    for _ in range(5):
        try:
            return _insert(db, [(event, now)])[0]
        except IntegrityError:
            first = _repeat(db, event, now)
            if first:
                return Stored(first, duplicate=True)
    raise LedgerUnavailable("the event's key changed hands five times in a row")


_EVENT = Prepared(
    insert(events),
    [
        *("id", "source", "type", "dedup_key", "entity", "version", "verdict", "received_at"),
        *("content_type", "headers", "body", "repeats"),
    ],
)
_DELIVERY = Prepared(
    insert(deliveries),
    [
        *("id", "event_id", "connection", "source", "entity", "version", "state", "reason", "attempts"),
        *("tries", "due_at", "handed_until", "created_at", "updated_at"),
    ],
)


def _insert(db: Database, batch: Sequence[tuple[NewEvent, datetime]]) -> list[Stored]:
    event_rows, delivery_rows, stored = [], [], []
    for event, now in batch:
        row = _event_row(event, now)
        rows = [_delivery_row(event, row["id"], connection, now) for connection in event.connections]
        event_rows.append(row)
        delivery_rows += rows
        pending = rows if event.state == State.PENDING else []
        stored.append(Stored(row["id"], False, tuple((r["connection"], r["id"]) for r in pending)))

    def write(t: Transaction) -> None:
        t.run_all(_EVENT, event_rows)
        if delivery_rows:
            t.run_all(_DELIVERY, delivery_rows)

    db.commit(write)
    return stored


def _event_row(event: NewEvent, now: datetime) -> dict[str, Any]:
    naming = event.naming
    return {
        "id": new_id(),
        "source": event.source,
        "type": naming.type,
        "dedup_key": bounded(naming.dedup_key),
        "entity": naming.entity,
        "version": naming.version,
        "verdict": event.verdict,
        "received_at": now,
        "content_type": event.content_type,
        "headers": json.dumps(dict(event.headers)),
        "body": event.body,
        "repeats": 0,
    }


def _delivery_row(event: NewEvent, event_id: str, connection: str, now: datetime) -> dict[str, Any]:
    naming = event.naming
    return {
        "id": new_id(),
        "event_id": event_id,
        "connection": connection,
        "source": event.source,
        "entity": bounded(f"{event.source}:{naming.entity}") if naming.entity else None,
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


def bounded(key: str) -> str:
    """Return `key`, or its digest where it is longer than an index of PostgreSQL takes (a third of a page)."""
    if len(key) <= LONGEST_KEY:
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _repeat(db: Database, event: NewEvent, now: datetime) -> str | None:
    """Note the repetition and return the first event's id, or free the key where its window is over.

    Equal content means the same event only for a while: somebody may order the same again tomorrow. Freeing
    the key and trying again keeps the unique constraint the only judge, also between two processes.
    """
    key, window = bounded(event.naming.dedup_key), event.naming.window
    same = (events.c.source == event.source) & (events.c.dedup_key == key)
    with db.write() as c:
        first = c.execute(select(events.c.id, events.c.received_at).where(same)).one_or_none()
        if first is None:
            return None
        # This very row: by now another process may have freed the key and stored a new event under it.
        same = (events.c.id == first.id) & (events.c.dedup_key == key)
        if window is not None and first.received_at + window < now:
            c.execute(update(events).where(same).values(dedup_key=f"{key}@{first.id}"))
            return None
        c.execute(update(events).where(same).values(repeats=events.c.repeats + 1, repeated_at=now))
        return str(first.id)
