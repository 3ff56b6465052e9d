"""An outage of a CRM, with the real engine at the sandbox: it costs time and nothing else."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
from structlog.testing import capture_logs

from tests.engine.harness import ENDED, Bench
from tests.engine.test_telemetry import sent  # noqa: F401  (a fixture: what would go to Sentry)
from worker.app import make_app
from worker.breaker import Phase, Terms
from worker.calls import PAUSE_HEARD_WITHIN
from worker.delivery import deliver
from worker.http import Answer, Http, Request
from worker.ledger import breakers, limits, standing
from worker.ledger.tables import State
from worker.publisher import Publisher
from worker.sweep import Sweep

FORM = "application/x-www-form-urlencoded"


def leads(bench: Bench, count: int, first: int = 0, to: str = "opla") -> list[str]:
    return [
        bench.receive("website", f"name=Lan&email=lan{n}%40example.com&message={to}".encode(), FORM, to=to)
        for n in range(first, first + count)
    ]


def calls(bench: Bench) -> int:
    return len(bench.control.get("/requests").json()["requests"])


def phase(bench: Bench) -> Phase:
    return bench.engine.db.reading(lambda t: breakers.gate_as_stored(t, "opla")).breaker.phase


def rounds(bench: Bench, ids: list[str]) -> None:
    """Try every delivery that is due, in rounds half a second apart, as the sweep would, until all have ended."""
    connection = bench.engine.settings.connections["opla"]
    for _ in range(600):
        open_ids = [i for i in ids if bench.show(i)["state"] not in ENDED]
        if not open_ids:
            return
        room = breakers.room(bench.engine.db, "opla", bench.clock(), connection.terms)
        for delivery in open_ids[: len(open_ids) if room is None else room]:
            bench.attempt(delivery)
        bench.clock.forward(seconds=0.5)
    raise AssertionError([bench.show(i)["state"] for i in ids])


def test_an_outage_of_an_hour(bench: Bench, sent: list[Any], broker_url: str) -> None:  # noqa: F811
    """Otherwise an hour without the CRM costs attempts, wakes somebody per lead, or makes leads twice."""
    bench.fault(vendor="oplacrm", fault="status", status=503)
    first, later = leads(bench, 5), leads(bench, 20, 5)
    (neighbour,) = leads(bench, 1, 100, to="centia")
    with capture_logs() as lines:
        assert [bench.attempt(i) for i in first] == [State.UNKNOWN] * 5
        asked = calls(bench)
        assert [bench.attempt(i) for i in later] == [None] * 20
        assert calls(bench) == asked, "nothing is sent to a CRM that is down"
        assert bench.attempt(neighbour) == State.DELIVERED
        for _ in range(720):  # an hour, looked at every five seconds
            bench.clock.forward(seconds=5)
            if breakers.room(bench.engine.db, "opla", bench.clock(), Terms()):
                bench.attempt(min(later, key=lambda i: bench.show(i)["due_at"]))
        rows = [bench.show(i) for i in later]
        assert {row["state"] for row in rows} <= {"held", "unknown"}
        assert {row["attempts"] for row in rows} == {0}
        # 10, 20, 40, 80, 160 and then every 300 s: 5 + 11 probes, seen at most five seconds late each.
        assert 14 <= calls(bench) - asked - calls_of(bench, "centiacrm") <= 2 * 17
        assert [line["event"] for line in lines if line["log_level"] == "error"] == ["connection.opened"]
        bench.clear_faults()
        bench.clock.forward(minutes=5)
        rounds(bench, [*first, *later])
        assert phase(bench) == Phase.RELEASING
        settings = replace(bench.engine.settings, broker_url=broker_url)
        publisher = Publisher(make_app(settings), settings.connections)
        Sweep(settings, bench.engine.db, publisher, bench.clock).once()
    assert phase(bench) == Phase.CLOSED, "nothing waits any more"
    assert len(bench.records("oplacrm", "lead")) == 25
    assert {bench.show(i)["attempts"] for i in later} == {1}
    told = [line for line in lines if line["event"] in ("connection.opened", "connection.closed")]
    assert [line["event"] for line in told] == ["connection.opened", "connection.closed"]
    assert (told[0]["connection"], told[0]["waiting"]) == ("opla", 25)
    assert "503" in told[0]["reason"]
    assert [event["level"] for event in sent] == ["error", "info"]


def calls_of(bench: Bench, vendor: str) -> int:
    return sum(r["vendor"] == vendor for r in bench.control.get("/requests").json()["requests"])


def test_a_record_that_the_crm_refuses_opens_nothing(bench: Bench) -> None:
    """Otherwise five leads with a wrong phone number keep all others from the CRM."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"errors": {"phone": "is no number"}})

    strict = replace(bench.engine, http=Http(httpx.MockTransport(answer)), sessions={})
    connection = bench.engine.settings.connections["opla"]
    assert [deliver(strict, i, connection) for i in leads(bench, 12)] == [State.FAILED] * 12
    assert phase(bench) == Phase.CLOSED


def test_a_revoked_token_holds_the_backlog_and_a_reset_releases_it(bench: Bench) -> None:
    """Otherwise a revoked token spends the backlog's attempts, or a renewed one does not bring it on its way."""
    revoked = replace(bench.engine.settings.connections["opla"], secrets={"token": "revoked"})
    ids = leads(bench, 6)
    assert [deliver(bench.engine, i, revoked) for i in ids] == [State.HELD, *[None] * 5]
    rows = [bench.show(i) for i in ids]
    assert {(row["state"], row["attempts"]) for row in rows} == {("held", 0)}
    assert standing.reset(bench.engine.db, "opla", "ana", bench.clock()) == Phase.OPEN
    assert [bench.attempt(i) for i in ids] == [State.DELIVERED] * 6


def test_a_limit_that_the_vendor_announces_is_kept_before_it_refuses(bench: Bench) -> None:
    """Otherwise every limit of a CRM is found by running into it, with all workers at once."""
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}
        return httpx.Response(201, json={"success": True, "data": {"id": "L1"}}, headers=headers)

    ids = leads(bench, 3)
    limited = replace(bench.engine, http=Http(httpx.MockTransport(answer)), sessions={})
    connection = bench.engine.settings.connections["opla"]
    states = [deliver(limited, i, connection) for i in ids]
    assert states[1:] == [None, None]
    assert len(asked) == 1
    row = bench.show(ids[1])
    assert (row["state"], row["due_at"] > bench.clock() + timedelta(seconds=29)) == ("held", True)


def test_a_pause_that_one_delivery_is_told_stops_those_under_way(bench: Bench) -> None:
    """Otherwise dozens of calls follow a 429 within its Retry-After, each a reason to shut us out for longer."""
    (delivery,) = leads(bench, 1, to="office")
    http = bench.engine.http

    class Paused:
        """Stands for the other delivery, whose 429 comes while this one waits for its first answer."""

        def send(self, request: Request, seconds: float) -> Answer:
            answer = http.send(request, seconds)
            until = bench.clock() + timedelta(seconds=90)
            limits.hold(bench.engine.db, "office", until, "answered 429")
            time.sleep(PAUSE_HEARD_WITHIN.total_seconds())
            return answer

    bench.engine.__dict__["http"] = Paused()
    assert bench.attempt(delivery) == State.HELD
    bench.engine.__dict__["http"] = http
    assert calls(bench) == 1
    row = bench.show(delivery)
    assert (row["reason"], row["attempts"]) == ("answered 429", 0)
    bench.clock.forward(seconds=89)
    assert bench.attempt(delivery) != State.DELIVERED
    assert calls(bench) == 1
    bench.clock.forward(seconds=2)
    assert bench.attempt(delivery) == State.DELIVERED


def test_a_days_quota_holds_until_the_vendors_midnight_though_the_broker_is_wiped(bench: Bench) -> None:
    """Otherwise a restart of Redis doubles the quota, and the CRM bills or locks the account."""
    four = replace(bench.engine.settings.connections["opla"], requests_per_day=4, day_zone="Asia/Ho_Chi_Minh")
    ids = leads(bench, 12)
    for delivery in ids:
        deliver(bench.engine, delivery, four)
    assert calls(bench) == 4
    held = [row for row in map(bench.show, ids) if row["state"] == "held"]
    assert held
    assert {str(row["due_at"]) for row in held} == {"2026-03-02 17:00:00+00:00"}
    assert "4 requests of the day" in str(held[0]["reason"])
    assert limits.used(bench.engine.db, "opla").day_used == 4
    bench.clock.forward(hours=5, seconds=1)
    for delivery in ids:
        deliver(bench.engine, delivery, four)
    assert calls(bench) == 8


def test_a_connection_without_limits_costs_no_statement(bench: Bench) -> None:
    """Otherwise everybody pays at every delivery for what few have configured."""
    ids = leads(bench, 3)
    for delivery in ids:
        bench.attempt(delivery)
    with bench.engine.db.read() as c:
        assert c.exec_driver_sql("SELECT count(*) FROM connections").scalar() == 0
