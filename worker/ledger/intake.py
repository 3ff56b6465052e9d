"""The door's side of the ledger: store an event and its deliveries, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.duplicates import note_repeat, note_repeats
from worker.ledger.new_events import Dated, NewEvent, Stored, event_row, insert_new_events

#: Events of one post that are committed at once; others wait for their turn meanwhile.
MOST = 64


class _Post:
    """An event on its way to a commit.

    Neither stored nor an error when that ended: it, or one beside it, could not be stored.
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
            stored += self._store_several([(event, now) for event in batch[start : start + MOST]])
        return stored

    def _store_several(self, several: Sequence[Dated]) -> list[Stored]:
        with suppress(IntegrityError):
            return insert_new_events(self._db, several)
        posts = [(event_row(event, now), event.naming.window, event.varies) for event, now in several]
        repeats = note_repeats(self._db, posts)
        unknown = [one for one, repeat in zip(several, repeats, strict=True) if repeat is None]
        new = iter(self._store_new(unknown))
        return [
            Stored(known.first, duplicate=True, kept=known.kept) if known else next(new) for known in repeats
        ]

    def _store_new(self, several: Sequence[Dated]) -> list[Stored]:
        with suppress(IntegrityError):
            return insert_new_events(self._db, several) if several else []
        # Two of them are equal, or another process was faster.
        return [store(self._db, event, now) for event, now in several]

    def _commit(self) -> None:
        posts, self._gathered.posts = self._gathered.posts, []
        cut_off: Exception | None = LedgerUnavailable("the thread that wrote was ended")
        try:
            stored = self._store_several([(post.event, post.now) for post in posts])
            for post, one in zip(posts, stored, strict=True):
                post.stored = one
            cut_off = None
        except LedgerUnavailable as error:  # each of them raises it
            cut_off = error
        except Exception:  # noqa: BLE001  (one of them cannot be stored: each tries by itself)
            cut_off = None
        finally:
            for post in posts:
                post.ended, post.error = True, cut_off


def store(db: Database, event: NewEvent, now: datetime) -> Stored:
    """Commit one event as `Intake.store` does, by itself."""
    for _ in range(5):
        try:
            return insert_new_events(db, [(event, now)])[0]
        except IntegrityError:
            repeat = note_repeat(db, event_row(event, now), event.naming.window, event.varies)
            if repeat:
                return Stored(repeat.first, duplicate=True, kept=repeat.kept)
    raise LedgerUnavailable("another event took the event's key five times in a row")
