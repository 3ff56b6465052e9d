"""What a worker does in the background, at real time: it goes on whatever happens, and lets go as it stops."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import redis

from tests.conftest import Clock, wait_for
from tests.engine.test_sweep import after_grace, depth, publisher_of, stored
from worker.breaker import Breaker, Phase
from worker.errors import LedgerUnavailable
from worker.ledger import breakers, duties
from worker.ledger.database import Database
from worker.settings import Settings
from worker.sweep import DUTY, HANDED_FOR, SURELY_LOST, Sweep
from worker.timer import Timer

RELEASING = Breaker(Phase.RELEASING, datetime(2026, 3, 2, 11, 0, tzinfo=UTC), width=4)


@pytest.mark.parametrize("error", [LedgerUnavailable("away"), ValueError("a bug")])
def test_a_round_that_fails_is_not_the_last_one(error: Exception) -> None:
    """Otherwise one second without the ledger ends all retries until somebody restarts the worker."""
    rounds: list[int] = []

    def once() -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise error

    timer = Timer("test", 0.01, once, (LedgerUnavailable,))
    timer.start()
    wait_for(lambda: len(rounds) >= 3, 30, "two more rounds")
    timer.stop()


def test_a_timer_that_is_stopped_does_no_more_rounds_and_lets_go() -> None:
    """Otherwise a worker that stops goes on publishing, and keeps what the next one needs."""
    left, begun, goes_on = threading.Event(), threading.Event(), threading.Event()
    rounds: list[bool] = []

    def once() -> None:
        begun.set()
        goes_on.wait(30)
        rounds.append(timer.pause(30))

    def leave() -> None:
        left.set()
        raise LedgerUnavailable("a ledger that is away then keeps no worker from its end")

    timer = Timer("test", 0.01, once, (LedgerUnavailable,), leave)
    timer.start()
    assert begun.wait(30)
    timer.stop()
    assert not left.is_set()
    goes_on.set()
    assert left.wait(20), "the pause in the round that was under way lasts 30 s"
    assert rounds == [True]


def test_a_worker_that_stops_leaves_the_sweep_to_the_others(
    broker: redis.Redis, settings: Settings, ledger: Database, clock: Clock
) -> None:
    """Otherwise what a worker puts back as it stops waits until its duty has run out, at each deploy."""
    one, other = (Sweep(settings, ledger, publisher_of(settings), clock) for _ in range(2))
    one.timer.start()
    wait_for(lambda: duties.last_done(ledger, DUTY) is not None, 30, "the first round")
    holder = duties.holder(ledger, DUTY)
    other.once()
    assert duties.holder(ledger, DUTY) == holder
    one.timer.stop()

    def is_taken() -> bool:
        clock.forward(milliseconds=1)  # so many times at the most that the duty would not have run out
        other.once()
        return duties.holder(ledger, DUTY) != holder

    wait_for(is_taken, 30, "the duty, set free")


def test_a_task_that_may_still_wait_in_the_queue_is_published_once(
    broker: redis.Redis, settings: Settings, ledger: Database, clock: Clock
) -> None:
    """Otherwise a queue that is worked off slowly fills with the same tasks again, four times a minute."""
    sweep = Sweep(settings, ledger, publisher_of(settings), clock)
    stored(ledger, clock, 3)
    after_grace(clock)
    assert sweep.once() == 3
    clock.now += HANDED_FOR
    clock.forward(seconds=59)
    assert sweep.once() == 0
    clock.forward(seconds=2)
    assert sweep.once() == 3, f"after {HANDED_FOR + SURELY_LOST} it was lost"
    assert depth(broker) == 6


def test_a_release_goes_on_while_a_backlog_waits(
    broker: redis.Redis, settings: Settings, ledger: Database, clock: Clock
) -> None:
    """Otherwise a CRM that has just come back gets the whole backlog at once, and goes down again."""
    sweep = Sweep(settings, ledger, publisher_of(settings), clock)
    stored(ledger, clock, 6)
    after_grace(clock)
    ledger.commit(lambda t: breakers.put(t, ledger, "opla", RELEASING))
    assert sweep.once() == 4
    broker.flushall()  # the workers have taken them up, and tried none
    clock.forward(seconds=1)
    assert sweep.once() == 2
    broker.flushall()
    clock.forward(seconds=1)
    assert sweep.once() == 0, "all were handed over a moment ago"
    assert ledger.reading(lambda t: breakers.gate_as_stored(t, "opla")).breaker.phase == Phase.RELEASING


def test_a_release_ends_where_nothing_waits(
    broker: redis.Redis, settings: Settings, ledger: Database, clock: Clock
) -> None:
    """Otherwise a connection with little to do is kept narrow for ever after each outage."""
    sweep = Sweep(settings, ledger, publisher_of(settings), clock)
    ledger.commit(lambda t: breakers.put(t, ledger, "opla", RELEASING))
    assert sweep.once() == 0
    assert ledger.reading(lambda t: breakers.gate_as_stored(t, "opla")).breaker.phase == Phase.CLOSED
