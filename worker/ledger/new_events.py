"""New events and the deliveries with which they begin their way: the rows, and their one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from mappings.source import Naming
from worker.ids import new_id
from worker.ledger.database import Database
from worker.ledger.personal import bounded
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.settling import settle, waiting_for
from worker.ledger.tables import State, deliveries, events
from worker.ledger.verdicts import Verdict

#: How long the door's own hand-off has before the sweep takes a new delivery for lost.
HAND_OFF_GRACE = timedelta(seconds=5)
NO_TIME = timedelta()


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What the door knows of an event. `reason` says why its deliveries begin in `state`, if not pending.

    `reachable` are the connections over which deliveries may wait that the event settles, `varies` the paths of
    what a repetition may say otherwise (`mappings.reading.repeats`).
    """

    source: str
    naming: Naming
    verdict: Verdict
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    connections: Sequence[str]
    state: State = State.PENDING
    reason: str | None = None
    reachable: Sequence[str] = ()
    varies: frozenset[str] = frozenset()


#: An event and when it was received.
Dated = tuple[NewEvent, datetime]


@dataclass(frozen=True, slots=True)
class Stored:
    """`duplicate` is true where the event was known; `event_id` is then the first one's.

    `deliveries` are those that are due. A duplicate that says something else than the first is stored as well: as
    `kept`.
    """

    event_id: str
    duplicate: bool
    deliveries: tuple[tuple[str, str], ...] = ()  # (connection, delivery id)
    kept: str | None = None


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


def insert_new_events(db: Database, batch: Sequence[Dated]) -> list[Stored]:
    """Insert events and their deliveries in one transaction; what the ledger refuses undoes all of them.

    Raises IntegrityError where a key is known, LedgerUnavailable.
    """
    event_rows, delivery_rows, stored = [], [], []
    for event, now in batch:
        row = event_row(event, now)
        rows = [delivery_row(event, row["id"], connection, now) for connection in event.connections]
        event_rows.append(row)
        delivery_rows += rows
        pending = rows if event.state == State.PENDING and not event.naming.settle else []
        stored.append(Stored(row["id"], False, tuple((r["connection"], r["id"]) for r in pending)))

    def write(t: Transaction) -> None:
        # By key: two transactions that insert the same keys in different orders wait for each other.
        t.run_all(_EVENT, sorted(event_rows, key=lambda row: (row["source"], row["dedup_key"])))
        if delivery_rows:
            t.run_all(_DELIVERY, delivery_rows)
        for (event, now), one in zip(batch, stored, strict=True):
            settle(t, event.source, event.naming, event.reachable, one.event_id, now)

    db.commit(write)
    return stored


def event_row(event: NewEvent, now: datetime) -> dict[str, Any]:
    """Return the row of `events` for what was received at `now`."""
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


def delivery_row(event: NewEvent, event_id: str, connection: str, now: datetime) -> dict[str, Any]:
    """Return the row of `deliveries` with which an event begins its way over `connection`."""
    naming = event.naming
    return {
        "id": new_id(),
        "event_id": event_id,
        "connection": connection,
        "source": event.source,
        "entity": bounded(f"{event.source}:{naming.entity}") if naming.entity else None,
        "version": naming.version,
        "state": event.state,
        "reason": event.reason or waiting_for(naming),
        "attempts": 0,
        "tries": 0,
        "due_at": now + (naming.settle or NO_TIME),
        "handed_until": now + HAND_OFF_GRACE,
        "created_at": now,
        "updated_at": now,
    }
