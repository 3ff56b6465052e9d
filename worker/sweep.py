"""Publishes what is due and has no live task: retries, lost hand-offs, deliveries of dead workers.

It runs on a timer inside every worker process, and a duty in the ledger lets one of them act at a time: there
is no scheduler process to lose, and two at once would do no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from worker.alerts import tell_change
from worker.breaker import Drained
from worker.errors import LedgerUnavailable
from worker.ids import new_id
from worker.ledger import breakers, due, duties
from worker.ledger.database import Database
from worker.publisher import BrokerDown, Publisher, capacity
from worker.settings import ConnectionSettings, Settings
from worker.telemetry import log
from worker.timer import Timer

DUTY = "sweep"
EVERY_SECONDS = 0.5
#: A holder that says nothing for this long is replaced.
DUTY_LASTS = timedelta(seconds=5)
#: How long a published task has before it is taken for lost, where the queue is empty …
HANDED_FOR = timedelta(seconds=15)
#: … and how much longer where it is not: the task may be one of those that wait.
SURELY_LOST = timedelta(seconds=60)


class Sweep:
    """The sweep of one worker process, and its `timer`."""

    def __init__(
        self, settings: Settings, db: Database, publisher: Publisher, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._db = db
        self._publisher = publisher
        self._clock = clock
        self._holder = new_id()
        self._turn = 0
        expected = (LedgerUnavailable, BrokerDown)
        self.timer = Timer("sweep", EVERY_SECONDS, self.once, expected, self._leave)

    def _leave(self) -> None:
        # What this process puts back as it stops would otherwise wait until its duty has run out.
        duties.leave(self._db, DUTY, self._holder, self._clock())

    def once(self) -> int:
        """Publish what is due, if this process has the duty; return how many deliveries that were.

        Raises LedgerUnavailable and BrokerDown.
        """
        if not duties.take(self._db, DUTY, self._holder, self._clock(), DUTY_LASTS):
            return 0
        published = sum(self._connection(connection) for connection in self._settings.connections.values())
        duties.done(self._db, DUTY, self._holder, self._clock())
        return published

    def _connection(self, connection: ConnectionSettings) -> int:
        now = self._clock()
        most = breakers.room(self._db, connection.name, now, connection.terms)
        if most == 0:
            return 0
        # Measured at the broker, not remembered: after a flush the queue is empty and everything is published
        # again at once, while tasks that still wait in it are given their time.
        depth = self._publisher.depth(connection.queue)
        room = (capacity(connection) if most is None else min(most, capacity(connection))) - depth
        if room <= 0:
            return 0
        lost_before = now if depth == 0 else now - SURELY_LOST
        self._turn += 1
        ids = due.hand_over(self._db, connection.name, room, now, HANDED_FOR, lost_before, self._turn)
        if ids:
            self._publisher.publish((connection.name, delivery_id) for delivery_id in ids)
            log().info("sweep.published", connection=connection.name, deliveries=len(ids))
        elif most is not None:
            self._drained(connection, now)
        return len(ids)

    def _drained(self, connection: ConnectionSettings, now: datetime) -> None:
        """End the release of a connection whose backlog is gone, though it was too short for all of its rounds."""
        if due.is_drained(self._db, connection.name):
            told = breakers.tell(self._db, connection.name, Drained(), now, connection.terms)
            tell_change(self._db, connection.name, told, connection.give_up_after)
