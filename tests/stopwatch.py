"""How long something took of the time in which this machine ran."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from types import TracebackType

#: Seconds between two looks whether the machine still runs, and the most that is counted from one to the next.
LOOK = 0.25


class Stopwatch:
    """Seconds of a block without those for which the processors or the disk stood still.

    A shared machine may let a process wait for half a minute: what was measured then says nothing of the code.
    So a second thread looks on, and of what passes between two looks, LOOK seconds are counted at most. With each
    look it writes to the disk, for which a stored event waits as well.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._over = threading.Event()
        self._lost = 0.0
        self._looking = threading.Thread(target=self._look)

    def __enter__(self) -> Stopwatch:
        self._began = time.monotonic()
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._looking.join()
        self.seconds = time.monotonic() - self._began - self._lost

    def _look(self) -> None:
        with tempfile.TemporaryFile() as file:
            before, is_over = self._began, False
            while not is_over:
                if not (is_over := self._over.wait(LOOK)):
                    file.write(b".")
                    file.flush()
                    os.fsync(file.fileno())
                now = time.monotonic()
                self._lost += max(0.0, now - before - LOOK)
                before = now
