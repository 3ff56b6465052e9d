"""From the receiver to Celery: a bounded queue, and one thread that publishes what is committed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence

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
    published by the sweep, since the ledger knows it.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._waiting: queue.Queue[tuple[str, str]] = queue.Queue(WAITING)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def give(self, deliveries: Sequence[tuple[str, str]]) -> None:
        """Take committed deliveries as (connection, delivery id); returns at once."""
        if self._thread is None:
            self._start()
        try:
            for delivery in deliveries:
                self._waiting.put_nowait(delivery)
        except queue.Full:
            pass

    def _start(self) -> None:
        # At the first request, not when the app is made: gunicorn forks in between, and threads do not fork.
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hand-off", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            batch = self._next()
            try:
                if batch:
                    self._publisher.publish(batch)
            except BrokerDown as error:
                log().warning("handoff.let_go", deliveries=len(batch), why=str(error))
                self._stopping.wait(PAUSE_SECONDS)

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
        """Let the thread end; what it still holds is in the ledger."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(seconds)
