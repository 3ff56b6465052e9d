"""Rows that strike our own processes: killed, frozen, restarted."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import Iterator

from chaos.fault import Fault, Harm, needs_postgresql, plain
from chaos.processes import Process
from chaos.stand import Stand
from worker.errors import LedgerUnavailable
from worker.ledger import duties
from worker.ledger.tables import State
from worker.sweep import DUTY, DUTY_LASTS

#: Seconds in which somebody else has the duty, if its holder is gone: its lease, two sweeps, and a busy machine.
TAKEN_OVER_WITHIN = DUTY_LASTS.total_seconds() + 5.0

#: Seconds that a CRM takes for an answer where workers are killed: else a kill rarely finds a call in hand.
LATENCY = 0.3


def kill_workers(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Kill one of the two workers every two seconds; the CRMs are slow enough for most to have calls in hand."""
    stand.fault(fault="latency", seconds=LATENCY)
    for _ in range(max(1, int(seconds / 2))):
        yield 2.0
        worker = chance.choice(stand.workers)
        in_hand = _in_hand(stand)
        stand.strike("workers killed", int(worker.is_alive()))
        worker.kill()
        # Nobody outside knows which of the two had what: of those in hand some were the dead one's.
        stand.strike("deliveries in hand of the two", in_hand)
    stand.no_faults()


def _in_hand(stand: Stand) -> int:
    return (stand.states() or {}).get(State.SENDING, 0)


def _kill_receivers(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Kill the processes that answer, and sometimes the one that started them."""
    web = stand.processes["web"]
    for turn in range(max(1, int(seconds))):
        yield 1.0
        if turn % 4 == 3:
            stand.strike("whole receivers killed", int(web.is_alive()))
            web.kill()
            continue
        for pid in web.children():
            if chance.random() < 0.7:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    stand.strike("receiving processes killed")


def _senders_repeated(stand: Stand) -> list[str]:
    """Return a finding where no sender noticed: then nobody was in the middle of anything."""
    repeats = stand.load.outcome.repeats if stand.load else 0
    return [] if repeats else ["no sender had to repeat anything: nothing was cut off in the middle"]


def _holder(stand: Stand) -> str | None:
    try:
        return duties.holder(stand.db, DUTY)
    except LedgerUnavailable:
        return None


def _struck(stand: Stand, worker: Process, number: int) -> Iterator[float]:
    """Strike one worker and wait until the duty is another's, if it was this one's."""
    before, waited = _holder(stand), 0.0
    stand.strike("workers struck", int(worker.is_alive()))
    worker.send(number)
    while waited < TAKEN_OVER_WITHIN:
        yield 0.5
        waited += 0.5
        now = _holder(stand)
        if now is not None and now != before:
            stand.strike("times the duty was taken over")
            return


def _sweep(number: int) -> Harm:
    def harm(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
        # Nobody outside knows whose the duty is: each is struck in turn until it has changed hands.
        yield 1.0
        stand.strike("times the duty was taken over", 0)
        for worker in chance.sample(stand.workers, 2):
            yield from _struck(stand, worker, number)
            yield 1.0
            worker.send(signal.SIGCONT)
            yield 3.0

    return harm


def _restart_everything(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Restart each process in turn, with SIGTERM, until the time is over."""
    order, spent = ("web", "worker1", "worker2"), 0
    yield 1.0
    for turn in range(max(len(order), int(seconds / 3))):
        process = stand.processes[order[turn % len(order)]]
        stand.strike(f"restarts of {process.name}", int(process.is_alive()))
        if not process.stop(signal.SIGTERM, grace=40.0):
            spent += 1
        process.start()
        yield 2.0
    if spent:
        stand.notes.append(f"{spent} processes did not end within 40 s")


WORKER_KILLED = Fault("worker-killed", "a worker is killed every 2 s", kill_workers, seconds=12)
RECEIVER_KILLED = Fault(
    "receiver-killed",
    "receivers are killed, senders repeat",
    _kill_receivers,
    seconds=12,
    rate=5,
    check=_senders_repeated,
)
SWEEP_KILLED = Fault(
    "sweep-killed",
    "the holder of the sweep's duty is killed",
    _sweep(signal.SIGKILL),
)
SWEEP_FROZEN = Fault(
    "sweep-frozen",
    "the holder of the sweep's duty is frozen, wakes up after another took over",
    _sweep(signal.SIGSTOP),
    # A frozen process keeps its lock on SQLite's file, and then nobody can take anything over.
    building=plain(postgresql=True),
    needs=(needs_postgresql,),
    settle=240,
)
ROLLING_RESTART = Fault(
    "rolling-restart", "every process is restarted in turn (SIGTERM)", _restart_everything, seconds=15
)
