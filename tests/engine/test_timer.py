"""A timer, at real time: it goes on whatever happens, and lets go as it stops."""

from __future__ import annotations

import threading

import pytest

from tests.conftest import wait_for
from worker.errors import LedgerUnavailable
from worker.timer import Timer


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
