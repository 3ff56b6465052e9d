"""A record at which the CRM always fails, with the real engine: others go through, and a person sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from relay.connections import row as shown
from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ENDED, Bench
from tests.engine.small_world import order_body
from worker.breaker import Breaker, Phase
from worker.delivery import deliver
from worker.http import Http
from worker.ledger import breakers, due, search
from worker.ledger.database import Database
from worker.ledger.standing import standing
from worker.ledger.tables import State

POISONED = 6666
TOPIC = {"x-shopify-topic": "orders/create"}
HALF_A_SECOND, MINUTE, HOUR = timedelta(seconds=0.5), timedelta(minutes=1), timedelta(hours=1)
PATIENCE = HOUR


class Choking(httpx.BaseTransport):
    """The way to the sandbox, whose CRM answers 503 to one order, or to everything; `calls` are its changes."""

    def __init__(self) -> None:
        self._way = httpx.HTTPTransport()
        self.is_out = False
        self.calls = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += request.method != "GET"
        chokes = request.url.path.endswith("/opportunities") and str(POISONED).encode() in request.read()
        return httpx.Response(503) if chokes or self.is_out else self._way.handle_request(request)

    def close(self) -> None:
        self._way.close()


class Shop(Bench):
    """A bench whose worker is at OplaCRM, swept every half second where something may be due."""

    def open(self) -> None:
        self.crm = Choking()
        self.engine = replace(self.engine, http=Http(self.crm), sessions={})
        self.opla = replace(self.engine.settings.connections["opla"], give_up_after=PATIENCE)
        self.turn = 0

    def order(self, number: int) -> str:
        headers = {**TOPIC, "x-shopify-webhook-id": f"hook-{number}"}
        return self.receive("shop", order_body(number, 0), headers=headers)

    def sweep(self) -> None:
        """Carry out what may go now, as a worker after the sweep would."""
        db, now = self.engine.db, self.clock()
        room = breakers.room(db, "opla", now, self.opla.terms)
        most = 50 if room is None else room
        self.turn += 1
        for delivery in due.hand_over(db, "opla", most, now, HALF_A_SECOND, turn=self.turn):
            deliver(self.engine, delivery, self.opla)

    def for_a_while(self, lasting: timedelta) -> None:
        """Let time pass with all its sweeps, but for those that find nothing due."""
        until = self.clock() + lasting
        while self.clock() < until:
            self.sweep()
            dues = [
                row["due_at"] for row in search.list_deliveries(self.engine.db) if row["state"] not in ENDED
            ]
            soon = self.clock() + HALF_A_SECOND
            self.clock.now = min(until, max([soon, min([until, *dues]), self.breaker.until or soon]))

    @property
    def breaker(self) -> Breaker:
        return self.engine.db.reading(lambda t: breakers.gate_as_stored(t, "opla")).breaker

    @property
    def phase(self) -> Phase:
        return self.breaker.phase

    def states(self, ids: list[str]) -> set[str]:
        return {str(self.show(i)["state"]) for i in ids}


@pytest.fixture
def shop(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Shop]:
    db = Database(sqlite_url, threads=4)
    with running(CREDENTIALS) as server:
        shop = Shop(db, clock, server, tmp_path)
        shop.open()
        yield shop
        shop.close()
    db.close()


def poisoned(shop: Shop) -> str:
    """Let the order that the CRM fails at open its connection, alone."""
    order = shop.order(POISONED)
    shop.for_a_while(30 * MINUTE)
    assert (shop.phase, shop.states([order]) <= {"held", "unknown"}) == (Phase.OPEN, True)
    return order


def test_what_waits_behind_a_poisoned_order_goes_through_and_a_person_gets_the_order(shop: Shop) -> None:
    """Otherwise one order that the CRM chokes on keeps all others from it, and is itself tried for ever."""
    bad = poisoned(shop)
    good = [shop.order(number) for number in range(7000, 7020)]
    before = shop.show(bad)["attempts"]
    shop.for_a_while(6 * MINUTE)
    assert shop.states(good) == {"delivered"}
    assert shop.show(bad)["attempts"] - before <= 3
    assert shop.phase == Phase.RELEASING
    for number in range(30):
        later = shop.order(8000 + number)
        assert deliver(shop.engine, later, shop.opla) == State.DELIVERED, "no order of the day waits for it"
        shop.for_a_while(10 * MINUTE)
        if shop.show(bad)["state"] == State.FAILED:
            break
    row = shop.show(bad)
    assert (row["state"], row["error"]) == ("failed", "OutcomeUnknown")
    assert "503" in row["reason"]
    assert "hours in which others went through" in row["reason"]
    # Six failures of its own, ten minutes of its hour each, half an hour apart: sixteen orders or so.
    assert 12 <= number <= 20
    assert len(shop.records("oplacrm", "opportunity")) == 20 + number + 1


def test_known_to_be_at_fault_it_is_given_up_though_nothing_else_comes(shop: Shop) -> None:
    """Otherwise the last order of a Friday that the CRM chokes on is found by its customer."""
    bad = poisoned(shop)
    good = [shop.order(number) for number in range(7000, 7020)]
    shop.for_a_while(10 * MINUTE)
    assert shop.states(good) == {"delivered"}
    shop.for_a_while(220 * MINUTE)
    assert (shop.states([bad]), shop.phase) == ({"failed"}, Phase.RELEASING), "nothing was held up for it"


def test_an_outage_of_eight_hours_gives_nothing_up_and_spends_nothing(shop: Shop) -> None:
    """Otherwise promise 4 holds for a few hours: then every order of an outage is to be released by hand."""
    first = [shop.order(number) for number in range(6000, 6003)]
    shop.for_a_while(MINUTE)
    assert shop.states(first) == {"delivered"}
    shop.crm.is_out = True
    ids = [shop.order(number) for number in range(7000, 7010)]
    shop.for_a_while(5 * MINUTE)
    spent = sum(int(shop.show(i)["attempts"]) for i in ids)
    calls = shop.crm.calls
    shop.for_a_while(8 * HOUR)
    assert sum(int(shop.show(i)["attempts"]) for i in ids) == spent
    assert shop.states(ids) <= {"held", "unknown"}
    assert shop.crm.calls > calls, "it was tried all the while"
    shop.crm.is_out = False
    shop.for_a_while(20 * MINUTE)
    assert shop.states(ids) == {"delivered"}


def test_alone_at_a_silent_crm_it_is_held_and_told_of_once(shop: Shop) -> None:
    """Otherwise nobody looks at the one order that may be the cause, or hears of it every five minutes."""
    with capture_logs() as lines:
        bad = poisoned(shop)
        shop.for_a_while(150 * MINUTE)
    assert shop.states([bad]) <= {"held", "unknown"}
    told: list[Any] = [line for line in lines if line["log_level"] == "error"]
    assert [line["event"] for line in told] == ["connection.opened", "connection.still_open"]
    assert (told[1]["only_delivery"], told[1]["waiting"]) == (bad, 1)
    reason = shown(shop.opla, standing(shop.engine.db, "opla", shop.clock()), shop.clock())["reason"]
    assert (
        f"nothing went through for 2 h: it is out, or the fault is in delivery {bad}, the only one" in reason
    )
