"""From the receiver to Celery: a bounded queue, and one thread that publishes what is committed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence

from worker.errors import LedgerUnavailable
from worker.publisher import BATCH, BrokerDown, Publisher
from worker.telemetry import log

#: Deliveries that may wait for the broker in memory; beyond that they wait for the sweep, in the ledger.
WAITING = 20_000
#: How long the thread waits for company after the first: a batch costs half of what its tasks cost one by one.
LINGER_SECONDS = 0.05
#: How long the thread leaves a broker alone that failed.
PAUSE_SECONDS = 1.0


class HandOff:
    """Takes deliveries without ever waiting, publishes them in the background, and lets go when it cannot.

    No request stands in front of the broker: a frozen Redis would hold it for ever. What is let go here is
    published by the sweep, since the ledger knows it; so is what comes while a queue is long, and `let_go` is
    told the ids of those, so that the sweep need not wait for a task of theirs.
    """

    def __init__(self, publisher: Publisher, let_go: Callable[[Sequence[str]], None]) -> None:
        self._publisher = publisher
        self._let_go = let_go
        self._waiting: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def give(self, deliveries: Sequence[tuple[str, str]]) -> None:
        """Take committed deliveries as (connection, delivery id); returns at once."""
        if self._thread is None:
            self._start()
        # Not queue.Queue, which takes a lock of Python's for it: a few more than WAITING do no harm.
        if self._waiting.qsize() < WAITING:
            for delivery in deliveries:
                self._waiting.put(delivery)

    def _start(self) -> None:
        # At the first request, not when the app is made: gunicorn forks in between, and threads do not fork.
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hand-off", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._waiting.empty()):
            batch = self._next()
            try:
                if batch:
                    self._hand_over(batch)
            except (BrokerDown, LedgerUnavailable) as error:
                log().warning("handoff.let_go", deliveries=len(batch), why=str(error))
                if self._stopping.wait(PAUSE_SECONDS):
                    return

    def _hand_over(self, batch: list[tuple[str, str]]) -> None:
        room = {name: self._publisher.room(name) for name in {name for name, _ in batch}}
        now, later = [], []
        for name, delivery_id in batch:
            room[name] -= 1
            if room[name] >= 0:
                now.append((name, delivery_id))
            else:
                later.append(delivery_id)
        self._publisher.publish(now)
        if later:
            self._let_go(later)

    def _next(self) -> list[tuple[str, str]]:
        batch: list[tuple[str, str]] = []
        try:
            batch.append(self._waiting.get(timeout=0.5))
            time.sleep(LINGER_SECONDS)
            while len(batch) < BATCH:
                batch.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return batch

    def stop(self, seconds: float = 2.0) -> None:
        """Let the thread publish what it holds and end; what it does not manage is in the ledger."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)
