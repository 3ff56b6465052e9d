"""Tokens of a sender that end after hours, on both databases and against a seller on a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clock
from tests.engine.harness import Bench, Killed, benched
from tests.engine.seller import FIRST, SECRET, USED, Seller, selling
from worker.errors import PutBack, SenderDown, SenderRefused
from worker.http import Http
from worker.ledger import sender_tokens
from worker.ledger.database import Database
from worker.ledger.tables import State
from worker.senders import renewal
from worker.senders.renewal import Renewing, current
from worker.settings import SourceSettings

RAW = {"resource": "/questions/5036111111", "topic": "questions", "user_id": 468424240}
LATER = timedelta(hours=6)
HTTP = Http()


@pytest.fixture
def seller(clock: Clock) -> Iterator[Seller]:
    with selling(clock) as seller:
        yield seller


@pytest.fixture
def alerts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What a person is told."""
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(renewal, "alert", lambda event, **more: told.append((event, more.get("reason", ""))))
    return told


@pytest.fixture
def bench(clock: Clock, db: Database, seller: Seller, tmp_path: Path) -> Iterator[Bench]:
    """A worker with a source whose events are read at the seller."""
    with benched(clock, db, tmp_path) as bench:
        configure(bench, seller.source())
        yield bench


def configure(bench: Bench, source: SourceSettings) -> None:
    """Restart the worker with this source."""
    known = {**bench.engine.settings.sources, source.name: source}
    bench.engine = replace(bench.engine, settings=replace(bench.engine.settings, sources=known))


def notified(bench: Bench, number: int) -> str:
    said = {
        **RAW,
        "_id": f"n-{number}",
        "resource": f"/questions/{number}",
        "sent": "2026-03-02T13:51:05.464Z",
    }
    return bench.receive("market", json.dumps(said).encode())


def worker(db: Database, clock: Clock, http: Http | None = None) -> Renewing:
    return Renewing(http or HTTP, db, clock, lambda: None)


def another(db: Database) -> Database:
    """Open the same ledger as another process would."""
    return Database(db.engine.url.render_as_string(hide_password=False), 4)


class DiesThere(Http):
    """A worker that is killed at the call: before it leaves, or with the answer in its hand."""

    def __init__(self, after: bool) -> None:
        super().__init__()
        self.after = after

    def send(self, request: Any, seconds: float) -> Any:
        if self.after:
            super().send(request, seconds)
        raise Killed


def test_notifications_are_delivered_on_the_second_day_as_on_the_first(bench: Bench, seller: Seller) -> None:
    """Otherwise every notification waits in vain, six hours after the operator made the token."""
    for number in range(1, 9):
        assert bench.attempt(notified(bench, number)) == State.DELIVERED
        bench.clock.forward(hours=6)
    assert seller.grants == 8
    assert [post["refresh_token"] for post in seller.posts[:3]] == [FIRST, "TG-following-1", "TG-following-2"]
    assert seller.reads[1] == "Bearer APP_USR-access-2"
    assert {post["grant_type"] for post in seller.posts} == {"refresh_token"}


def test_a_token_is_shared_and_outlives_a_restart(db: Database, clock: Clock, seller: Seller) -> None:
    """Otherwise each worker, host and restart spends a refresh token, and all but one of them one that is spent."""
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-1"
    clock.forward(hours=5)
    other = another(db)
    assert current(worker(other, clock), seller.source()) == "APP_USR-access-1"
    other.close()
    assert seller.grants == 1


def test_of_many_workers_one_renews(db: Database, clock: Clock, seller: Seller) -> None:
    """Otherwise two use one refresh token, one is refused, and the source is shut until somebody logs in again."""
    current(worker(db, clock), seller.source())
    clock.forward(hours=6)
    seller.seconds = 0.3
    got: list[str] = []
    ledgers = [another(db) for _ in range(6)]
    begin = threading.Barrier(len(ledgers))

    def work(ledger: Database) -> None:
        begin.wait()
        try:
            got.append(current(worker(ledger, clock), seller.source()))
        except PutBack:
            got.append("put back")

    threads = [threading.Thread(target=work, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seller.grants == 2
    assert len(seller.posts) == 2
    assert set(got) <= {"APP_USR-access-2", "put back"}
    assert [current(worker(ledger, clock), seller.source()) for ledger in ledgers] == ["APP_USR-access-2"] * 6
    for ledger in ledgers:
        ledger.close()


def test_a_token_that_still_lasts_bridges_what_ails_the_sender(
    db: Database, clock: Clock, seller: Seller
) -> None:
    """Otherwise ten bad minutes at the sender's login stop what could have gone on."""
    current(worker(db, clock), seller.source())
    clock.forward(hours=5, minutes=31)
    seller.faults = [(503, {}), (400, USED)]
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-1"
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-1"
    assert len(seller.posts) == 2, "not again before the pause is over"
    clock.forward(seconds=16)
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-1"
    assert len(seller.posts) == 3
    clock.forward(minutes=29)
    # The sender may have carried out what it answered with 503: that is where the next token was lost.
    with pytest.raises(
        SenderRefused, match=r"the renewal at 2026-03-02T17:31\+00:00 ended without an answer"
    ):
        current(worker(db, clock), seller.source())


def test_a_refusal_holds_what_waits_and_nobody_else_and_is_told_once(
    bench: Bench, seller: Seller, alerts: list[tuple[str, str]]
) -> None:
    """Otherwise events of a seller who left are given up after a day, or the CRM is closed for all for his sake."""
    seller.refresh.clear()
    first, second = notified(bench, 1), notified(bench, 2)
    assert [bench.attempt(first), bench.attempt(second)] == [State.HELD, State.HELD]
    row = bench.show(first)
    assert (row["error"], row["attempts"]) == ("SenderRefused", 0)
    assert "already used" in row["reason"]
    assert "put the new first token into the variable that api_refresh_token_env names" in row["reason"]
    other = bench.receive("website", b"name=Ana&email=ana@example.com", "application/x-www-form-urlencoded")
    assert bench.attempt(other) == State.DELIVERED
    assert [event for event, _ in alerts] == ["token.refused"]
    assert len(seller.posts) == 1
    bench.clock.forward(days=3)
    assert bench.attempt(first) == State.HELD
    assert [event for event, _ in alerts] == ["token.refused"], "once, however often it is asked for again"
    seller.refresh.add("TG-second-468424240")
    configure(bench, seller.source(first="TG-second-468424240"))
    assert {row["state"] for row in bench.until_ended(first, second)} == {State.DELIVERED}


def test_a_worker_killed_with_the_answer_in_its_hand_is_told_about(
    bench: Bench, seller: Seller, alerts: list[tuple[str, str]]
) -> None:
    """Otherwise a seller's events stop, and nobody learns that he has to log in, or why."""
    delivery, http = notified(bench, 1), bench.engine.http
    bench.engine = replace(bench.engine, http=DiesThere(after=True))
    with pytest.raises(Killed):
        bench.attempt(delivery)
    bench.engine = replace(bench.engine, http=http)
    bench.clock.forward(seconds=60)
    assert bench.attempt(delivery) == State.HELD
    ((event, reason),) = alerts
    assert event == "token.refused"
    assert "the renewal at 2026-03-02T12:00+00:00 ended without an answer that could be kept" in reason
    assert bench.show(delivery)["reason"] == reason
    seller.refresh.add("TG-second-468424240")
    configure(bench, seller.source(first="TG-second-468424240"))
    (row,) = bench.until_ended(delivery)
    assert row["state"] == State.DELIVERED


def test_a_worker_killed_before_its_call_costs_half_a_minute(
    db: Database, clock: Clock, seller: Seller
) -> None:
    """Otherwise a restart at the wrong moment shuts a source whose refresh token is good."""
    with pytest.raises(Killed):
        current(worker(db, clock, DiesThere(after=False)), seller.source())
    with pytest.raises(PutBack) as waits:
        current(worker(db, clock), seller.source())
    assert waits.value.delay == timedelta(seconds=10)
    clock.forward(seconds=31)
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-1"


def test_a_worker_that_comes_back_late_with_the_answer_is_heard(
    db: Database, clock: Clock, seller: Seller
) -> None:
    """Otherwise a frozen host has the only good refresh token in its hand, and throws it away."""
    due = lambda found: found.access is None  # noqa: E731
    roots = renewal._roots("market", seller.source().renewal)  # type: ignore[arg-type]
    late = sender_tokens.reserve(db, roots, due, clock(), renewal.RESERVED)
    _, given = seller.renew({"grant_type": "refresh_token", "refresh_token": FIRST, **app(seller)})
    clock.forward(seconds=31)
    with pytest.raises(SenderRefused):
        current(worker(db, clock), seller.source())
    ends_at = clock() + LATER
    assert sender_tokens.keep(
        db, roots, late, sender_tokens.Given(given["access_token"], given["refresh_token"], ends_at), clock()
    )
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-1"
    clock.forward(hours=6)
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-2"


def app(seller: Seller) -> dict[str, str]:
    known = seller.source().renewal
    assert known is not None
    return {"client_id": known.client_id, "client_secret": known.client_secret}


def test_what_the_environment_newly_says_goes_before_and_what_it_said_does_not_come_back(
    db: Database, clock: Clock, seller: Seller
) -> None:
    """Otherwise a new token does not help, or a host that is not restarted yet brings the old one back."""
    old, new = seller.source(), seller.source(first="TG-second-468424240")
    current(worker(db, clock), old)
    clock.forward(seconds=1)
    seller.refresh.add("TG-second-468424240")
    assert current(worker(db, clock), new) == "APP_USR-access-2"
    assert seller.posts[-1]["refresh_token"] == "TG-second-468424240"
    clock.forward(hours=6)
    assert current(worker(db, clock), old) == "APP_USR-access-3"
    assert seller.posts[-1]["refresh_token"] == "TG-following-2"
    clock.forward(hours=6)
    seller.refresh = {"TG-following-1"}
    for _ in range(2):
        with pytest.raises(SenderRefused):
            current(worker(db, clock), old)
    assert seller.posts[-1]["refresh_token"] == "TG-following-3", (
        "what grew from the old one is gone for good"
    )


def test_a_mistyped_first_token_does_not_shut_a_source_that_works(
    db: Database, clock: Clock, seller: Seller
) -> None:
    """Otherwise a slip of the clipboard costs a login of the seller, who may be on holiday."""
    current(worker(db, clock), seller.source())
    clock.forward(hours=1)
    with pytest.raises(SenderRefused):
        current(worker(db, clock), seller.source(first="TG-mistyped"))
    assert current(worker(db, clock), seller.source(first="TG-mistyped")) == "APP_USR-access-1"
    clock.forward(hours=6)
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-2"


def test_a_corrected_secret_is_tried_at_once(db: Database, clock: Clock, seller: Seller) -> None:
    """Otherwise an operator corrects the right thing, sees no change, and corrects another one."""
    with pytest.raises(SenderRefused):
        current(worker(db, clock), seller.source(secret="mistyped"))
    assert current(worker(db, clock), seller.source(secret=SECRET)) == "APP_USR-access-1"


def test_a_token_that_ends_before_its_time_is_renewed_once(bench: Bench, seller: Seller) -> None:
    """Otherwise a seller's new password stops all for hours, or each event spends a refresh token."""
    assert bench.attempt(notified(bench, 1)) == State.DELIVERED
    bench.clock.forward(hours=1)
    seller.access.clear()
    assert bench.attempt(notified(bench, 2)) == State.DELIVERED
    assert seller.grants == 2
    seller.access.clear()
    late = notified(bench, 3)
    assert bench.attempt(late) == State.WAITING
    assert "has just given" in bench.show(late)["reason"]
    assert seller.grants == 2
    bench.clock.forward(minutes=6)
    assert bench.attempt(notified(bench, 4)) == State.DELIVERED


def test_what_is_no_answer_is_asked_for_again(db: Database, clock: Clock, seller: Seller) -> None:
    """Otherwise a proxy's page in place of a token is taken for one, or for a refusal that a person must mend."""
    seller.faults = [(200, {"message": "maintenance"}), (429, {}), (502, {})]
    for _ in range(3):
        with pytest.raises(SenderDown):
            current(worker(db, clock), seller.source())
        clock.forward(seconds=16)
    assert current(worker(db, clock), seller.source()) == "APP_USR-access-1"
