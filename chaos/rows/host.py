"""Rows that strike a worker's host: its clock, and its line to the ledger and the broker."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.build import Build
from chaos.fault import Fault, faketime, needs_faketime, needs_namespaces, needs_postgresql, plain
from chaos.namespace import Host
from chaos.rows.processes import LATENCY
from chaos.stand import Stand
from worker.ledger.tables import State

HOUR = 3600
#: Seconds of the cut-off row in which the cable is in.
OUTSIDE = 12.0
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
    behind = time.time() - _seen_by_worker_1(stand)
    stand.strike("seconds that the clock of worker 1 was behind", int(behind) if behind > HOUR - 60 else 0)
    (stand.folder / _CLOCK).write_text("+0\n", "ascii")


def _seen_by_worker_1(stand: Stand) -> float:
    """Return the time that a process with worker 1's environment sees, in seconds since 1970."""
    environ = {**stand.env, **stand.build.worker_1}
    shown = subprocess.run(["/bin/date", "+%s"], env=environ, check=True, capture_output=True, text=True)
    return float(shown.stdout)


@contextmanager
def _with_a_host_of_its_own(folder: Path) -> Iterator[Build]:
    host = Host()
    host.open()
    try:
        yield Build(postgresql=True, host=host)
    finally:
        host.close()


def _cut_off(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Pull the cable between worker 2's host and ledger and broker, for longer than its leases; put it in again.

    Once the cable is in again worker 1 is stopped, so that what is delivered after that is worker 2's.
    """
    host, postgres = stand.build.host, stand.postgres
    assert host is not None  # noqa: S101
    assert postgres is not None  # noqa: S101
    away = max(6.0, seconds - OUTSIDE)
    broker, crms = int(stand.env["BROKER_PORT"]), stand.proxies["crms"].port
    stand.fault(fault="latency", seconds=LATENCY)
    yield 3.0
    stand.strike("connections of the host to ledger and broker", host.connections(host.inner.address))
    stand.strike("deliveries in hand of the two", (stand.states() or {}).get(State.SENDING, 0))
    host.inner.cut()
    yield away / 2
    unreached = [port for port in (postgres.port, broker) if not host.reaches(host.inner.address, port)]
    stand.strike("of ledger and broker unreached from there", len(unreached) if len(unreached) == 2 else 0)
    stand.strike("times the CRMs were reached meanwhile", int(host.reaches(host.outer.address, crms)))
    yield away / 2
    host.inner.mend()
    yield 2.0
    stand.no_faults()
    stand.workers[0].stop(signal.SIGTERM)


def _swallow(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Take everything that worker 2 sends to ledger and broker, and answer nothing, for longer than its leases."""
    yield 3.0
    for name, proxy in stand.proxies.items():
        stand.strike(f"connections to the {name} half open", proxy.cut())
    yield max(10.0, seconds - 5.0)
    for proxy in stand.proxies.values():
        proxy.mend()


CLOCK_BACK = Fault(
    "clock-back",
    "the clock of one worker is set back an hour, then right again",
    _set_back,
    building=_with_a_clock_of_its_own,
    needs=(needs_faketime,),
    seconds=18,
)
CUT_OFF = Fault(
    "host-cut-off",
    "a worker's host reaches neither ledger nor broker (cable pulled), but the CRMs; then it works alone",
    _cut_off,
    building=_with_a_host_of_its_own,
    needs=(needs_postgresql, needs_namespaces),
    seconds=42,
    rate=2,
    settle=240,
)
SWALLOWED = Fault(
    "host-swallowed",
    "ledger and broker take what a worker sends, and answer nothing (proxies); then they do again",
    _swallow,
    building=plain(postgresql=True, swallowed=True),
    needs=(needs_postgresql,),
    seconds=36,
    rate=2,
    settle=240,
)
