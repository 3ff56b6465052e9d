"""What a worker process does again and again in the background, until it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from worker.telemetry import log

#: Seconds of grace after a round that failed.
AFTER_FAILURE = 1.0


class Timer:
    """A thread that calls `once` every so many seconds, whatever becomes of it, and `leaving` at its end.

    Errors of the types `expected` are told in one line: the next round may go well.
    """

    def __init__(
        self,
        name: str,
        seconds: float,
        once: Callable[[], object],
        expected: tuple[type[Exception], ...],
        leaving: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._seconds = seconds
        self._once = once
        self._expected = expected
        self._leaving = leaving
        self._stopping = threading.Event()

    def start(self) -> None:
        """Run in the background until `stop`."""
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """End at the next tick, or at the end of a round's present `pause`."""
        self._stopping.set()

    def pause(self, seconds: float) -> bool:
        """Wait inside a round; return at once, and True, where the timer is stopped."""
        return self._stopping.wait(seconds)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._once()
            except self._expected as error:
                log().warning(f"{self._name}.failed", why=str(error))
                self._stopping.wait(AFTER_FAILURE)
            except Exception:  # noqa: BLE001
                log().exception(f"{self._name}.crashed")
                self._stopping.wait(AFTER_FAILURE)
        try:
            self._leaving()
        except self._expected as error:
            log().warning(f"{self._name}.failed", why=str(error))
