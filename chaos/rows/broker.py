"""Rows that strike the broker: nothing that matters may be only there."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator

from chaos.fault import Fault, plain
from chaos.stand import Stand

#: Seconds that a CRM takes for an answer while tasks are to wait: more than the workers have threads for.
BUSY_SECONDS = 1.5


def _until_tasks_wait(stand: Stand, at_most: float) -> Iterator[float]:
    """Wait until tasks stand in the queues, and note how many will be lost with them."""
    until, waiting = time.monotonic() + at_most, 0
    while not waiting and time.monotonic() < until:
        yield 0.2
        waiting = sum(stand.queued().values())
    stand.strike("tasks lost with the broker", waiting)


def _flush(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    stand.fault(fault="latency", seconds=BUSY_SECONDS)
    for _ in range(3):
        yield seconds / 5
        yield from _until_tasks_wait(stand, seconds / 5)
        with stand.broker as broker:
            broker.flushall()
    stand.no_faults()


def _stop(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    yield 3.0
    stand.processes["broker"].stop()
    before = stand.accepted()
    yield max(5.0, seconds - 5.0)
    stand.strike("events accepted without the broker", stand.accepted() - before)
    stand.processes["broker"].start()


def _empty(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    stand.fault(fault="latency", seconds=BUSY_SECONDS)
    for _ in range(2):
        yield seconds / 5
        yield from _until_tasks_wait(stand, seconds / 5)
        stand.processes["broker"].stop(signal.SIGKILL)
        shutil.rmtree(stand.folder / "broker")
        (stand.folder / "broker").mkdir()
        yield 0.5
        stand.processes["broker"].start()
    stand.no_faults()


def _freeze(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    yield 1.0
    before = stand.accepted()
    stand.processes["broker"].send(signal.SIGSTOP)
    yield max(3.0, seconds - 3.0)
    for _ in range(60):  # on a busy machine few are, on any other none where they wait for the broker
        if stand.accepted() >= before + 5:
            break
        yield 1.0
    stand.strike("events accepted while it was frozen", stand.accepted() - before)
    stand.processes["broker"].send(signal.SIGCONT)


def _swallow(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    for turn in (1, 2):
        yield seconds / 3
        stand.strike(f"connections half open, time {turn}", stand.proxies["broker"].swallow())


FLUSHED = Fault("broker-flushed", "the broker is flushed three times", _flush)
STOPPED = Fault("broker-stopped", "the broker is away for 30 s", _stop, seconds=35, rate=2)
EMPTIED = Fault("broker-emptied", "the broker is killed and comes back empty, twice", _empty)
FROZEN = Fault("broker-frozen", "the broker is frozen (SIGSTOP)", _freeze, seconds=12)
HALF_OPEN = Fault(
    "broker-half-open",
    "all connections to the broker are half open, twice",
    _swallow,
    building=plain(proxied_broker=True),
    seconds=15,
)
