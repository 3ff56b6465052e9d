"""Rows that strike the ledger: without it nothing is accepted, and nothing that was is forgotten."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.build import Build
from chaos.fault import Fault, needs_postgresql, needs_small_disk, plain
from chaos.rows.processes import kill_workers
from chaos.stand import Stand

#: Bytes of the disk on which the ledger lies, in the row that fills it.
SMALL = 12 * 1024 * 1024


def _restart(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Restart PostgreSQL twice: once as an administrator does, once as if the power had gone."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        yield seconds / 3
        stand.strike("connections lost with PostgreSQL", _connections(stand))
        stand.processes["postgresql"].stop(number)
        yield 1.0
        stand.processes["postgresql"].start()


def _cut(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    for _ in range(max(2, int(seconds / 2))):
        yield 2.0
        stand.strike("connections cut", _count(stand, "pg_terminate_backend(pid)"))


def _connections(stand: Stand) -> int:
    return _count(stand, "true")


def _count(stand: Stand, what: str) -> int:
    """Return for how many of the connections to the ledger `what` is true."""
    assert stand.postgres is not None  # noqa: S101
    return stand.postgres.number(
        f"SELECT count(*) FROM (SELECT {what} AS done FROM pg_stat_activity WHERE datname = 'relay') AS all_ "  # noqa: S608
        "WHERE done"
    )


def _kill_and_flush(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    for turn, wait in enumerate(kill_workers(stand, chance, seconds)):
        yield wait
        if turn % 2:
            with stand.broker as broker:
                broker.flushall()
            stand.strike("flushes")


def _fill(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Fill the ledger's disk to the last byte, wait, and free it."""
    assert stand.build.ledger_folder is not None  # noqa: S101
    filler = stand.build.ledger_folder / "filler"
    yield seconds / 3
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 512):
            with contextlib.suppress(OSError):
                while True:
                    file.write(os.urandom(size))
    stand.strike("KiB filled", filler.stat().st_size // 1024)
    before = stand.load.outcome.repeats if stand.load else 0
    yield seconds / 3
    stand.strike("posts refused meanwhile", (stand.load.outcome.repeats if stand.load else 0) - before)
    filler.unlink()


@contextmanager
def _on_a_small_disk(folder: Path) -> Iterator[Build]:
    place = folder / "small-disk"
    place.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(place)], check=True)
    try:
        yield Build(ledger_folder=place)
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(place)], check=True)


RESTARTED = Fault(
    "postgresql-restarted",
    "PostgreSQL is restarted, once politely and once not",
    _restart,
    building=plain(postgresql=True),
    needs=(needs_postgresql,),
    seconds=12,
)
CUT = Fault(
    "postgresql-cut",
    "all connections to PostgreSQL are cut every 2 s",
    _cut,
    building=plain(postgresql=True),
    needs=(needs_postgresql,),
    seconds=12,
)
WORKER_KILLED = Fault(
    "postgresql-worker-killed",
    "on PostgreSQL: a worker is killed every 2 s, the broker flushed every 4 s",
    _kill_and_flush,
    building=plain(postgresql=True),
    needs=(needs_postgresql,),
    seconds=12,
)
DISK_FULL = Fault(
    "disk-full",
    "the ledger's disk is full, then freed",
    _fill,
    building=_on_a_small_disk,
    needs=(needs_small_disk,),
    seconds=15,
)
#: Not in the table, which has its parts apart: what the short run begins with.
KILLED_AND_FLUSHED = Fault(
    "worker-killed-flushed",
    "a worker is killed every 2 s, the broker flushed every 4 s",
    _kill_and_flush,
    seconds=12,
)
