"""The end of a worker: what is in flight has its time, and the process is gone before the platform kills it.

The platform (Docker, systemd, a cloud) sends SIGTERM and, after its grace time, SIGKILL. Celery's warm shutdown
waits for every task however long it takes, and its cold one knows nothing of threads (celery#10490).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from worker.telemetry import log

#: The part of the grace after which calls are cut, and the part after which the process ends whatever holds it.
CUT_AFTER, GONE_AFTER = 0.6, 0.9


def end_in_time(
    grace: float, cut: Callable[[], None], leave: Callable[[int], object] = os._exit
) -> threading.Thread:
    """Call `cut` when most of `grace` seconds are over, `leave` when nearly all are; returns at once.

    `cut` ends the calls to the vendors, whose outcome is then recorded as unknown. Should the ledger or the broker
    hold the process beyond that, it ends all the same: leases run out, and the next worker goes on from the
    checkpoints.
    """

    def run() -> None:
        time.sleep(grace * CUT_AFTER)
        cut()
        time.sleep(grace * (GONE_AFTER - CUT_AFTER))
        log().error("worker.left", why=f"not finished after {grace * GONE_AFTER:g} s of {grace:g}")
        leave(1)

    thread = threading.Thread(target=run, name="end-in-time", daemon=True)
    thread.start()
    return thread
