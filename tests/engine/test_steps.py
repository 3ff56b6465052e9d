"""Deliveries that meet: of one customer, of one order, out of order, in doubt, refused, crashed or stopped."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mappings.vendor import Plan
from sandbox.store import Store
from tests.conftest import Clock
from tests.engine.harness import ENDED, ENVIRON, ROOT, Bench, benched
from tests.engine.jobs import ORDER
from worker.budget import Lanes
from worker.delivery import Engine, deliver
from worker.errors import DeliveryError, NotConfigured, OutcomeUnknown
from worker.http import Answer, Http, Request
from worker.ledger import deliveries, search
from worker.ledger.deliveries import Closing
from worker.ledger.steps import Checkpoints
from worker.ledger.tables import State
from worker.planning import planned
from worker.policy import GiveUp, Situation, decide
from worker.settings.configuration import load
from worker.steps import Steps
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

VENDOR = {"opla": "oplacrm", "centia": "centiacrm"}
ONE_ORDER = {
    "opla": {"account": 1, "contact": 1, "product": 3, "opportunity": 1},
    "centia": {"company": 1, "contact": 1, "product": 3, "opportunity": 1},
}
ORDERS, THREADS = 60, 8
LEASE = timedelta(seconds=30)
BOTH = pytest.mark.parametrize("to", ["opla", "centia"])


class WallClock(Clock):
    """The real time, for what several threads do at once."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def forward(self, **kwargs: float) -> None:
        """Time needs no help here."""


def order(bench: Bench, to: str, number: int = 5001, topic: str = "orders/create", **changes: Any) -> str:
    """Receive one order of the one customer, with the same three products as all others."""
    body = {**ORDER, "id": number, "name": f"#{number}", **changes}
    return bench.receive("shop", json.dumps(body).encode(), headers={"x-shopify-topic": topic}, to=to)


def paid(bench: Bench, to: str, at: str = "2026-03-02T10:00:00+01:00") -> str:
    return order(bench, to, topic="orders/paid", financial_status="paid", updated_at=at)


def delivered_all(bench: Bench, ids: list[str], seconds: float) -> None:
    """Carry out `ids` from several threads, as tasks would, until all are at their end."""
    until = time.monotonic() + seconds
    waiting = list(ids)
    lock = threading.Lock()
    crashed: list[BaseException] = []

    def work() -> None:
        try:
            while time.monotonic() < until and not crashed:
                with lock:
                    if not waiting:
                        return
                    mine = waiting.pop(0)
                state = bench.attempt(mine)
                if state not in ENDED and bench.show(mine)["state"] not in ENDED:
                    with lock:
                        waiting.append(mine)
                    time.sleep(0.02)
        except BaseException as error:
            crashed.append(error)
            raise

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 30)
    assert crashed == []
    assert waiting == [], f"not at their end within {seconds} s"


@BOTH
def test_sixty_orders_of_a_new_customer_make_one_customer(tmp_path: Path, sqlite_url: str, to: str) -> None:
    """Otherwise the first busy minute of a shop fills the CRM with copies of its customer and products."""
    with benched(WallClock(), sqlite_url, tmp_path) as bench:
        ids = [order(bench, to, 6000 + n) for n in range(ORDERS)]
        delivered_all(bench, ids, seconds=200)
        rows = [bench.show(i) for i in ids]
        assert {row["state"] for row in rows} == {State.DELIVERED}
        assert bench.counts(VENDOR[to]) == ONE_ORDER[to] | {"opportunity": ORDERS}
        made = {str(record["id"]) for record in bench.records(VENDOR[to], "opportunity")}
        assert {row["record_id"] for row in rows} == made
        assert {row["attempts"] for row in rows} == {1}, "waiting for each other spent attempts"


def test_an_order_that_is_paid_later_is_the_same_opportunity(bench: Bench) -> None:
    """Otherwise each order stands in the pipeline twice, once for ever open."""
    first, second = order(bench, "opla"), paid(bench, "opla")
    created, closed = bench.until_ended(first, second)
    assert (created["state"], closed["state"]) == (State.DELIVERED, State.DELIVERED)
    assert created["record_id"] == closed["record_id"]
    assert bench.counts("oplacrm") == ONE_ORDER["opla"]
    (opportunity,) = bench.records("oplacrm", "opportunity")
    assert opportunity["body"]["stage_close"] == "CLOSE_WON"


def test_a_change_that_the_vendor_cannot_take_is_skipped_and_says_so(bench: Bench) -> None:
    """Otherwise the operator believes that centiaCRM knows of the payment."""
    first, second = order(bench, "centia"), paid(bench, "centia")
    created, skipped = bench.until_ended(first, second)
    assert (created["state"], skipped["state"]) == (State.DELIVERED, State.SKIPPED)
    assert created["record_id"] == skipped["record_id"]
    assert created["record_id"] in skipped["reason"]
    assert bench.counts("centiacrm") == ONE_ORDER["centia"]


@BOTH
def test_a_late_create_changes_nothing(bench: Bench, to: str) -> None:
    """Otherwise an order that was paid is open again in the CRM."""
    newer, late = paid(bench, to), order(bench, to)
    won, stale = bench.until_ended(newer, late)
    assert (won["state"], stale["state"]) == (State.DELIVERED, State.SUPERSEDED)
    assert newer in stale["reason"]
    assert bench.counts(VENDOR[to]) == ONE_ORDER[to]
    if to == "opla":
        (opportunity,) = bench.records("oplacrm", "opportunity")
        assert opportunity["body"]["stage_close"] == "CLOSE_WON"


@pytest.mark.parametrize("kind", ["account", "contact", "opportunity"])
@BOTH
def test_a_search_that_lags_makes_no_second_record(
    clock: Clock, tmp_path: Path, sqlite_url: str, to: str, kind: str
) -> None:
    """Otherwise "not found" a second after the create is believed, and the order is there twice."""
    operations = {
        "opla": f"{kind}_create",
        "centia": {
            "account": "companies_create_company",
            "contact": "contacts_create_contact",
            "opportunity": "opportunities_create_opportunity",
        }[kind],
    }
    store = Store(":memory:", clock=lambda: clock().timestamp())
    with benched(clock, sqlite_url, tmp_path, options={"*": {"search_lag_ms": 5000}}, store=store) as bench:
        bench.fault(vendor=VENDOR[to], operation=operations[to], fault="drop_after", times=1)
        delivery = order(bench, to)
        assert bench.attempt(delivery) == State.UNKNOWN
        (row,) = bench.until_ended(delivery)
        assert row["state"] == State.DELIVERED, row["reason"]
        assert bench.counts(VENDOR[to]) == ONE_ORDER[to]
    store.close()


@pytest.mark.parametrize("to", ["opla", "centia"])
def test_a_crm_that_carries_a_call_out_after_its_deadline_is_waited_for(bench: Bench, to: str) -> None:
    """Otherwise a CRM that takes thirty seconds makes a record a moment after we looked, and we make a second."""
    operation = {"opla": "opportunity_create", "centia": "opportunities_create_opportunity"}[to]
    bench.fault(vendor=VENDOR[to], operation=operation, fault="drop_before", times=1)
    delivery = order(bench, to)
    assert bench.attempt(delivery) == State.UNKNOWN
    # The deadline (20 s) and the lag of the search (10 s) are over, but not what a server gives a request (60 s).
    bench.clock.forward(seconds=65)
    assert bench.attempt(delivery) == State.WAITING
    assert "opportunity" not in bench.counts(VENDOR[to])
    bench.clock.forward(seconds=6)
    assert bench.attempt(delivery) == State.DELIVERED
    assert bench.counts(VENDOR[to]) == ONE_ORDER[to]


def run_unfindable(bench: Bench, delivery_id: str) -> DeliveryError | None:
    """Carry out the customer of an order, whose contact has nothing to be found by, and close the delivery.

    Both vendors can find every record that we plan today, so this takes from the plan what it is found by.
    """
    db, clock, connection = bench.engine.db, bench.clock, bench.engine.settings.connections["opla"]
    claim = deliveries.claim(db, delivery_id, clock(), LEASE)
    assert claim is not None
    (whole,) = planned(bench.engine.settings, connection, claim.event)
    account, contact, *_ = whole.records
    plan = Plan((account, replace(contact, match={}, shared=False)), ())
    api = Api(VENDORS["oplacrm"], connection, bench.engine.http, Session(), lambda: None)
    checkpoints = Checkpoints(db, claim, clock, LEASE)
    error: DeliveryError | None = None
    closing = Closing(State.DELIVERED, clock())
    try:
        Steps(api, checkpoints, clock, lambda: None).run([plan])
    except DeliveryError as raised:
        error = raised
        gives_up = isinstance(decide(raised, Situation(0, timedelta(0), timedelta(days=1), 0.5)), GiveUp)
        state = State.FAILED if gives_up else State.UNKNOWN
        closing = Closing(state, clock(), type(raised).__name__, str(raised), failed_try=True)
    deliveries.close(db, claim, closing, None, clock(), checkpoints.write_into)
    return error


def test_what_cannot_be_found_again_waits_for_a_persons_word(bench: Bench) -> None:
    """Otherwise somebody without e-mail and phone is made twice, or is never made at all."""
    bench.fault(vendor="oplacrm", operation="contact_create", fault="drop_before", times=1)
    delivery = order(bench, "opla")
    assert isinstance(run_unfindable(bench, delivery), OutcomeUnknown)
    bench.clock.forward(hours=1)
    parked = run_unfindable(bench, delivery)
    assert isinstance(parked, NotConfigured)
    assert "see whether it is there" in str(parked)
    assert "--not-made" in str(parked)
    assert bench.show(delivery)["state"] == State.FAILED
    assert bench.counts("oplacrm") == {"account": 1}
    assert search.release(bench.engine.db, delivery, "ana", bench.clock())
    assert isinstance(run_unfindable(bench, delivery), NotConfigured), "a release alone is no word on it"
    assert search.release(bench.engine.db, delivery, "ana", bench.clock(), not_made=True)
    error = run_unfindable(bench, delivery)
    assert error is None, error
    assert bench.counts("oplacrm") == {"account": 1, "contact": 1}


def engine_with(bench: Bench, tmp_path: Path, old: str, new: str) -> Engine:
    """Return an engine on the same ledger whose relay.toml says `new` where the example says `old`."""
    text = (ROOT / "relay.toml").read_text("utf-8")
    assert text.count(old) == 1
    path = tmp_path / "relay.toml"
    path.write_text(text.replace(old, new), "utf-8")
    environ = {**ENVIRON, "RELAY_SANDBOX_URL": bench.sandbox.url, "RELAY_CONFIG": str(path)}
    return replace(bench.engine, settings=load(environ), lanes=Lanes(8, 2), sessions={})


def shown(bench: Bench, delivery_id: str) -> Mapping[str, Any]:
    row = bench.show(delivery_id)
    return {name: row[name] for name in ("state", "error", "attempts")}


def test_what_a_refused_delivery_had_reserved_is_free(bench: Bench, tmp_path: Path) -> None:
    """Otherwise one refused order blocks all later orders of its customer."""
    wrong = engine_with(bench, tmp_path, "company_type = 51", "company_type = 99999")
    refused, later = order(bench, "centia", 5001), order(bench, "centia", 5002)
    assert deliver(wrong, refused, wrong.settings.connections["centia"]) == State.FAILED
    assert shown(bench, refused) == {"state": State.FAILED, "error": "Rejected", "attempts": 1}
    assert bench.counts("centiacrm") == {}
    assert bench.attempt(later) == State.DELIVERED
    assert bench.counts("centiacrm") == ONE_ORDER["centia"]
    assert search.release(bench.engine.db, refused, "ana", bench.clock())
    assert bench.attempt(refused) == State.DELIVERED
    assert bench.counts("centiacrm") == ONE_ORDER["centia"] | {"opportunity": 2}


class Broken(Http):
    """A fault of our own in the middle of a delivery, `after` so many calls."""

    def __init__(self, http: Http, after: int) -> None:
        super().__init__()
        self._http = http
        self._left = after

    def send(self, request: Request, seconds: float) -> Answer:
        if self._left == 0:
            raise ZeroDivisionError("a bug")
        self._left -= 1
        return self._http.send(request, seconds)


@pytest.mark.parametrize("calls", [0, 3, 7])
def test_a_fault_of_our_own_spends_no_attempt(bench: Bench, calls: int) -> None:
    """Otherwise a bad release of ours fails the whole backlog instead of delaying it."""
    delivery = order(bench, "opla")
    engine = replace(bench.engine, http=Broken(bench.engine.http, calls))
    connection = engine.settings.connections["opla"]
    assert deliver(engine, delivery, connection) == State.WAITING
    row = bench.show(delivery)
    assert (row["state"], row["error"], row["attempts"]) == (State.WAITING, "Bug", 0)
    assert "ZeroDivisionError" in row["reason"]
    engine.http.close()
    (row,) = bench.until_ended(delivery)
    assert (row["state"], row["attempts"]) == (State.DELIVERED, 1)
    assert bench.counts("oplacrm") == ONE_ORDER["opla"]


def test_a_vendor_that_this_version_does_not_know_spends_no_attempt(bench: Bench) -> None:
    """Otherwise an older worker beside newer ones fails what they could deliver."""
    delivery = order(bench, "opla")
    stranger = replace(bench.engine.settings.connections["opla"], vendor="nosuchcrm")
    assert deliver(bench.engine, delivery, stranger) == State.WAITING
    assert shown(bench, delivery) == {"state": State.WAITING, "error": "Bug", "attempts": 0}
    (row,) = bench.until_ended(delivery)
    assert row["state"] == State.DELIVERED


class Stopping(Http):
    """Tells the engine to stop after so many calls, as a deploy would in the middle of a delivery."""

    def __init__(self, http: Http, stopping: threading.Event, after: int) -> None:
        super().__init__()
        self._http = http
        self._stopping = stopping
        self._left = after

    def send(self, request: Request, seconds: float) -> Answer:
        answer = self._http.send(request, seconds)
        self._left -= 1
        if self._left == 0:
            self._stopping.set()
        return answer


@BOTH
@pytest.mark.parametrize("calls", [1, 2, 5])
def test_a_stop_between_two_steps_loses_and_doubles_nothing(bench: Bench, to: str, calls: int) -> None:
    """Otherwise each deploy leaves orders without their lines, or makes them twice."""
    delivery, stopping = order(bench, to), threading.Event()
    http = Stopping(bench.engine.http, stopping, calls)
    engine = replace(bench.engine, http=http, stopping=stopping, sessions={})
    assert deliver(engine, delivery, engine.settings.connections[to]) == State.WAITING
    http.close()
    row = bench.show(delivery)
    assert (row["error"], row["attempts"], row["history"]) == ("PutBack", 0, [])
    assert row["due_at"] <= bench.clock(), "what a stop put back is due at once"
    assert "opportunity" not in bench.counts(VENDOR[to])
    (row,) = bench.until_ended(delivery)
    assert (row["state"], row["attempts"]) == (State.DELIVERED, 1)
    assert bench.counts(VENDOR[to]) == ONE_ORDER[to]


def test_a_process_that_is_stopping_begins_nothing(bench: Bench) -> None:
    """Otherwise a worker that should end goes on for as long as its queue has tasks."""
    bench.engine.stopping.set()
    delivery = order(bench, "opla")
    assert bench.attempt(delivery) == State.WAITING
    assert bench.counts("oplacrm") == {}
    bench.engine.stopping.clear()
    assert bench.until_ended(delivery)[0]["state"] == State.DELIVERED
