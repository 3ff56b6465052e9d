"""Empties what was kept long enough, by the ages in relay.toml, in small slices beside the deliveries.

It runs on a timer inside every worker process, and a duty in the ledger lets one of them act at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from worker.errors import LedgerUnavailable
from worker.ids import new_id
from worker.ledger import duties, purging
from worker.ledger.database import Database
from worker.ledger.purging import Ages, Slice
from worker.ledger.tables import State
from worker.settings import Retention
from worker.telemetry import log
from worker.timer import Timer

DUTY = "retention"
#: How often a process looks whether a round is due, and how often one is.
EVERY_SECONDS = 60.0
EVERY = timedelta(hours=1)
#: A holder that says nothing for this long is replaced.
DUTY_LASTS = timedelta(minutes=2)
#: Seconds between two slices: whoever else wants to write has them for himself.
PAUSE_SECONDS = 0.05


def ages(retention: Retention, now: datetime) -> Ages:
    """Return since when what must have ended to be emptied, and to be deleted, at `now`."""

    def before(age: timedelta | None) -> datetime | None:
        return None if age is None else now - age

    ended = {
        State.DELIVERED: before(retention.delivered),
        State.SUPERSEDED: before(retention.delivered),
        State.SKIPPED: before(retention.ignored),
        State.FAILED: before(retention.failed),
    }
    known = {state: moment for state, moment in ended.items() if moment is not None}
    return Ages(known, before(retention.ignored), before(retention.remembered))


class Retaining:
    """The rounds of one worker process, and their `timer`; it does nothing where relay.toml names no age."""

    def __init__(self, retention: Retention, db: Database, clock: Callable[[], datetime]) -> None:
        self._retention = retention
        self._db = db
        self._clock = clock
        self._holder = new_id()
        self.timer = Timer("retention", EVERY_SECONDS, self.once, (LedgerUnavailable,))

    def start(self) -> None:
        """Run in the background until the timer is stopped."""
        if self._retention != Retention():
            self.timer.start()

    def once(self) -> Slice:
        """Do a round, if one is due and this process has the duty; return what it came to.

        Raises LedgerUnavailable.
        """
        now, done = self._clock(), Slice()
        last = duties.last_done(self._db, DUTY)
        if (last is not None and now < last + EVERY) or not self._has_duty():
            return done
        for part in purging.purge(self._db, ages(self._retention, now), now):
            done += part
            if self.timer.pause(PAUSE_SECONDS) or not self._has_duty():
                return done
        duties.done(self._db, DUTY, self._holder, self._clock())
        if done.emptied or done.deleted:
            log().info("retention.purged", emptied=done.emptied, deleted=done.deleted)
        return done

    def _has_duty(self) -> bool:
        return duties.take(self._db, DUTY, self._holder, self._clock(), DUTY_LASTS)
