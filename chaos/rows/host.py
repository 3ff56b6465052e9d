"""Rows that strike a worker's host: its clock, and its line to the ledger and the broker."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.fault import Fault, faketime, needs_faketime, needs_postgresql, plain
from chaos.stand import Build, Stand

HOUR = 3600
_CLOCK = "clock-of-worker1"


@contextmanager
def _with_a_clock_of_its_own(folder: Path) -> Iterator[Build]:
    clock = folder / _CLOCK
    clock.write_text("+0\n", "ascii")
    yield Build(
        worker_1={
            "LD_PRELOAD": str(faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            # A clock that is set moves the time of day, never the monotonic one.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
    )


def _set_back(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    yield seconds / 3
    (stand.folder / _CLOCK).write_text(f"-{HOUR}\n", "ascii")
    yield seconds / 3
    stand.moments["behind"] = time.time() - _seen_by_worker_1(stand)
    (stand.folder / _CLOCK).write_text("+0\n", "ascii")


def _seen_by_worker_1(stand: Stand) -> float:
    """Return the time that a process with worker 1's environment sees, in seconds since 1970."""
    environ = {**stand.env, **stand.build.worker_1}
    shown = subprocess.run(["/bin/date", "+%s"], env=environ, check=True, capture_output=True, text=True)
    return float(shown.stdout)


def _was_behind(stand: Stand) -> list[str]:
    """Return a finding where the clock was never wrong, so that the row proves nothing."""
    behind = stand.moments.get("behind", 0.0)
    stand.notes.append(f"the clock of worker 1 was {behind:.0f} s behind")
    return [] if behind > HOUR - 60 else [f"the clock of worker 1 was only {behind:.0f} s behind"]


def _cut_off(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Swallow all between worker 2 and ledger and broker, for longer than its leases; the CRMs are reached."""
    yield 3.0
    for proxy in stand.proxies.values():
        proxy.cut()
    yield max(10.0, seconds - 5.0)
    for proxy in stand.proxies.values():
        proxy.mend()


CLOCK_BACK = Fault(
    "clock-back",
    "the clock of one worker is set back an hour, then right again",
    _set_back,
    building=_with_a_clock_of_its_own,
    needs=(needs_faketime,),
    check=_was_behind,
    seconds=18,
)
CUT_OFF = Fault(
    "host-cut-off",
    "a worker reaches neither ledger nor broker, but the CRMs (by proxies that swallow), then is back",
    _cut_off,
    building=plain(postgresql=True, cut_off=True),
    needs=(needs_postgresql,),
    seconds=42,
    rate=2,
    settle=240,
)
