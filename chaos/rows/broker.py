"""Rows that strike the broker: nothing that matters may be only there."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Iterator

from chaos.fault import Fault, plain
from chaos.stand import Stand


def _flush(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    for _ in range(3):
        yield seconds / 4
        with stand.broker as broker:
            broker.flushall()


def _stop(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    yield 3.0
    stand.processes["broker"].stop()
    yield max(5.0, seconds - 5.0)
    stand.processes["broker"].start()


def _empty(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    for _ in range(2):
        yield seconds / 3
        stand.processes["broker"].stop(signal.SIGKILL)
        shutil.rmtree(stand.folder / "broker")
        (stand.folder / "broker").mkdir()
        yield 0.5
        stand.processes["broker"].start()


def _freeze(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    yield 1.0
    stand.processes["broker"].send(signal.SIGSTOP)
    yield max(3.0, seconds - 3.0)
    stand.processes["broker"].send(signal.SIGCONT)


def _swallow(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    for _ in range(2):
        yield seconds / 3
        stand.notes.append(f"{stand.proxies['broker'].swallow()} connections half open")


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
