"""The claim and the first intent in one transaction: what a freeze, a full house or a refused call leave."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.engine.harness import Bench
from worker.budget import Lanes
from worker.delivery import deliver
from worker.errors import LeaseLost, Unreachable
from worker.http import Answer, Http, Request
from worker.ledger import deliveries
from worker.ledger.tables import State

LEAD = b"name=Lan&email=lan%40example.com"
FORM = "application/x-www-form-urlencoded"


class Refuses(Http):
    """A vendor that nobody can reach."""

    def send(self, request: Request, seconds: float) -> Answer:
        raise Unreachable("not sent: refused")


def test_a_freeze_right_after_the_claim_sends_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the lease counts from the thaw, and the create of a frozen worker doubles another's."""
    delivery = bench.receive("website", LEAD, FORM)
    real, thaw = deliveries.claim, [0.0]
    monotonic = time.monotonic
    monkeypatch.setattr("worker.delivery.time.monotonic", lambda: monotonic() + thaw[0])

    def freezes(*args: Any, **kwargs: Any) -> Any:
        claim = real(*args, **kwargs)
        thaw[0] += 60
        bench.clock.forward(seconds=60)
        assert real(bench.engine.db, delivery, bench.clock(), timedelta(seconds=30)) is not None
        return claim

    monkeypatch.setattr(deliveries, "claim", freezes)
    with pytest.raises(LeaseLost):
        bench.attempt(delivery)
    assert bench.counts("oplacrm") == {}


def test_a_full_house_leaves_no_intent(bench: Bench) -> None:
    """Otherwise whatever is put back is looked for at the vendor, though no call ever left."""
    delivery = bench.receive("website", LEAD, FORM)
    full = replace(bench.engine, lanes=Lanes(1, 2))
    connection = bench.engine.settings.connections["opla"]
    with full.lanes.lane("opla"):
        assert deliver(full, delivery, connection) == State.WAITING
    row = bench.show(delivery)
    assert (row["error"], row["attempts"], row["steps"]) == ("PutBack", 0, [])
    bench.clock.forward(seconds=2)
    assert deliver(full, delivery, connection) == State.DELIVERED


def test_a_call_that_never_left_takes_the_intent_back(bench: Bench) -> None:
    """Otherwise every hour without a network costs a look-up for each delivery, and a wait."""
    delivery = bench.receive("website", LEAD, FORM)
    away = replace(bench.engine, http=Refuses(), sessions={})
    assert deliver(away, delivery, bench.engine.settings.connections["opla"]) == State.WAITING
    assert bench.show(delivery)["steps"] == []
    (row,) = bench.until_ended(delivery)
    assert (row["state"], row["attempts"]) == (State.DELIVERED, 1)
    asked = [
        entry
        for entry in bench.control.get("/requests").json()["requests"]
        if entry["operation"] == "lead_list"
    ]
    assert asked == []


def test_a_task_that_comes_too_early_writes_nothing(bench: Bench) -> None:
    """Otherwise each of a thousand doubled tasks takes a turn at the ledger."""
    delivery = bench.receive("website", LEAD, FORM)
    bench.attempt(delivery)
    done = bench.show(delivery)
    with bench.engine.db._our_turn():
        assert bench.attempt(delivery) is None
    assert bench.show(delivery) == done
