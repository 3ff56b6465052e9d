"""The door's side of the ledger: store an event and its deliveries, once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from mappings.source import Naming
from worker.errors import LedgerUnavailable
from worker.ids import new_id
from worker.ledger.database import Database
from worker.ledger.duplicates import note_repeat, note_repeats
from worker.ledger.personal import bounded
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.settling import settle, waiting_for
from worker.ledger.tables import State, deliveries, events

#: How long the door's own hand-off has before the sweep takes a new delivery for lost.
HAND_OFF_GRACE = timedelta(seconds=5)
#: Events of one post that are committed at once; others wait for their turn meanwhile.
MOST = 64
NO_TIME = timedelta()


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What the door knows of an event. `reason` says why its deliveries begin in `state`, if not pending.

    `reachable` are the connections over which deliveries may wait that the event settles, `varies` the paths of
    what a repetition may say otherwise (`mappings.reading.repeats`).
    """

    source: str
    naming: Naming
    verdict: str
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    connections: Sequence[str]
    state: State = State.PENDING
    reason: str | None = None
    reachable: Sequence[str] = ()
    varies: frozenset[str] = frozenset()


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


class _Post:
    """An event on its way to a commit.

    Neither stored nor an error when that ended: it, or one beside it, was a duplicate or could not be stored.
    """

    __slots__ = ("ended", "error", "event", "now", "stored")

    def __init__(self, event: NewEvent, now: datetime) -> None:
        self.event, self.now = event, now
        self.ended = False
        self.error: Exception | None = None
        self.stored: Stored | None = None


class _Gathered(threading.local):
    """What one thread is about to commit."""

    def __init__(self) -> None:
        self.posts: list[_Post] = []


class Intake:
    """The door's way into the ledger: events that one thread has in hand together are committed together.

    A commit costs a sync of the disk, whether it holds one event or twenty.
    """

    def __init__(self, db: Database, step_aside: Callable[[], None] = lambda: None) -> None:
        """Call `step_aside` before each commit: meanwhile other requests of this thread may come as far."""
        self._db = db
        self._step_aside = step_aside
        self._gathered = _Gathered()

    def store(self, event: NewEvent, now: datetime) -> Stored:
        """Commit `event` and its deliveries in one transaction, or find that it is a duplicate.

        Raises LedgerUnavailable; then nothing is stored.
        """
        post = _Post(event, now)
        self._gathered.posts.append(post)
        self._step_aside()
        if not post.ended:
            self._commit()
        if post.error is not None:
            raise post.error
        return post.stored or store(self._db, event, now)

    def store_all(self, batch: Sequence[NewEvent], now: datetime) -> list[Stored]:
        """Store the events of one request, as `store` does each; several are committed together.

        Raises LedgerUnavailable; then those before it are stored, and are duplicates when the sender tries again.
        """
        if len(batch) == 1:
            return [self.store(batch[0], now)]
        stored: list[Stored] = []
        for start in range(0, len(batch), MOST):
            self._step_aside()  # each time, or those beside it wait for all of a long post
            stored += self._store_several(batch[start : start + MOST], now)
        return stored

    def _store_several(self, several: Sequence[NewEvent], now: datetime) -> list[Stored]:
        with suppress(IntegrityError):
            return _insert(self._db, [(event, now) for event in several])
        posts = [(_event_row(event, now), event.naming.window, event.varies) for event in several]
        repeats = note_repeats(self._db, posts)
        unknown = [event for event, repeat in zip(several, repeats, strict=True) if repeat is None]
        new = iter(self._store_new(unknown, now))
        return [
            Stored(known.first, duplicate=True, kept=known.kept) if known else next(new) for known in repeats
        ]

    def _store_new(self, several: Sequence[NewEvent], now: datetime) -> list[Stored]:
        with suppress(IntegrityError):
            return _insert(self._db, [(event, now) for event in several]) if several else []
        # Two of them are equal, or another process was faster.
        return [store(self._db, event, now) for event in several]

    def _commit(self) -> None:
        posts, self._gathered.posts = self._gathered.posts, []
        cut_off: Exception | None = LedgerUnavailable("the thread that wrote was ended")
        try:
            for post, stored in zip(posts, _insert(self._db, [(p.event, p.now) for p in posts]), strict=True):
                post.stored = stored
            cut_off = None
        except LedgerUnavailable as error:  # each of them raises it
            cut_off = error
        except Exception:  # noqa: BLE001  (one of them is a duplicate, or cannot be stored: each tries by itself)
            cut_off = None
        finally:
            for post in posts:
                post.ended, post.error = True, cut_off


def store(db: Database, event: NewEvent, now: datetime) -> Stored:
    """Commit one event as `Intake.store` does, by itself."""
    for _ in range(5):
        try:
            return _insert(db, [(event, now)])[0]
        except IntegrityError:
            repeat = note_repeat(db, _event_row(event, now), event.naming.window, event.varies)
            if repeat:
                return Stored(repeat.first, duplicate=True, kept=repeat.kept)
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
