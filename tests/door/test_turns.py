"""One thread answers all requests that are there: they share a commit, and none waits for a slow one."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from greenlet import greenlet
from sqlalchemy import Connection

from mappings.source import Naming
from tests.conftest import NOON, wait_for
from tests.door.door_requests import LEAD
from tests.door.door_server import AT_MOST, Server, count
from webhooks.turns import LONGEST_SECONDS, MOST, MOST_WAITING, Crowded, Turns, Work, long_wait, step_aside
from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.intake import MOST as TOGETHER
from worker.ledger.intake import Intake
from worker.ledger.new_events import NewEvent, Stored
from worker.ledger.sqlite_connection import TURN_SECONDS
from worker.ledger.verdicts import Verdict


class Waiting:
    """Requests that are there, for threads that take them."""

    def __init__(self, *works: Work) -> None:
        self._works = list(works)
        self._more = threading.Condition()
        self._is_over = False

    def add(self, work: Work) -> None:
        with self._more:
            self._works.append(work)
            self._more.notify_all()

    def end(self) -> None:
        with self._more:
            self._is_over = True
            self._more.notify_all()

    def take(self, may_wait: bool) -> Work | None:
        with self._more:
            if may_wait:
                self._more.wait_for(lambda: self._works or self._is_over, AT_MOST)
            return self._works.pop(0) if self._works else None


class Threads:
    """Threads that work on what waits, as those of a receiver do."""

    def __init__(self, waiting: Waiting, number: int) -> None:
        self.seconds = 1.0
        self.turns = Turns(lambda: self.seconds)
        self._waiting = waiting
        self._threads = [threading.Thread(target=self._run) for _ in range(number)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while self.turns.work(self._waiting.take):
            pass

    def end(self) -> None:
        """Wait until all have done what is there."""
        self._waiting.end()
        for thread in self._threads:
            thread.join(AT_MOST)
            assert not thread.is_alive()


class Counting(Database):
    """A ledger that counts its transactions, and is away while `away` says so."""

    commits = 0
    written = 0
    away = False

    def commit(self, work: Callable[..., object]) -> object:  # type: ignore[override]
        self.commits += 1
        if self.away:
            raise LedgerUnavailable("it is away")
        return super().commit(work)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self.written += 1
        with super().write() as connection:
            yield connection


@pytest.fixture
def counting(empty_ledger: Path, tmp_path: Path) -> Iterator[Counting]:
    db = Counting(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    yield db
    db.close()


def event(key: str) -> NewEvent:
    return NewEvent("website", Naming("lead", key), Verdict.ROUTED, "text/plain", {}, b"", ["opla"])


def storing(intake: Intake, key: str, outcomes: dict[str, Stored | str]) -> Work:
    """Return a request that stores an event and keeps what came of it under `key`."""

    def work() -> None:
        try:
            outcomes[key] = intake.store(event(key.partition("-")[0]), NOON)
        except (LedgerUnavailable, UnicodeEncodeError) as error:
            outcomes[key] = str(error)

    return work


def test_what_is_there_together_is_committed_together(counting: Counting) -> None:
    """Otherwise each lead of a flood costs a sync of the disk, and the second half of them a timeout."""
    intake, outcomes = Intake(counting, step_aside), dict[str, Stored | str]()
    waiting = Waiting(*(storing(intake, f"lead{n}", outcomes) for n in range(MOST + 3)))
    Threads(waiting, 2).end()
    assert counting.commits == 2
    assert len({stored.event_id for stored in outcomes.values() if isinstance(stored, Stored)}) == MOST + 3
    assert count(counting) == MOST + 3


def test_a_repeat_beside_others_harms_none_of_them(counting: Counting) -> None:
    """Otherwise a sender that posts twice at once takes its neighbours' leads with it."""
    intake, outcomes = Intake(counting, step_aside), dict[str, Stored | str]()
    keys = ("a-1", "b-1", "a-2", "c-1")
    Threads(Waiting(*(storing(intake, key, outcomes) for key in keys)), 1).end()
    stored = {key: outcome for key, outcome in outcomes.items() if isinstance(outcome, Stored)}
    assert {key: one.duplicate for key, one in stored.items()} == dict.fromkeys(keys, False) | {"a-2": True}
    assert stored["a-2"].event_id == stored["a-1"].event_id
    assert count(counting) == 3


def test_what_cannot_be_stored_harms_nobody_beside_it(counting: Counting) -> None:
    """Otherwise one strange event that is sent again and again refuses all that come at the same moment."""
    intake, outcomes = Intake(counting, step_aside), dict[str, Stored | str]()
    Threads(Waiting(*(storing(intake, key, outcomes) for key in ("a", "\udc80", "b"))), 1).end()
    assert {key: type(outcome) for key, outcome in outcomes.items()} == {
        "a": Stored,
        "\udc80": str,
        "b": Stored,
    }
    assert count(counting) == 2


def test_a_lead_does_not_wait_for_all_of_a_long_post(counting: Counting) -> None:
    """Otherwise a post of a thousand events holds up every order that comes with it."""
    intake, ended = Intake(counting, step_aside), dict[str, int]()

    def long() -> None:
        intake.store_all([event(f"long{n}") for n in range(3 * TOGETHER)], NOON)
        ended["long"] = counting.commits

    def lead() -> None:
        intake.store(event("lead"), NOON)
        ended["lead"] = counting.commits

    Threads(Waiting(long, lead), 1).end()
    assert ended == {"lead": 2, "long": 4}
    assert count(counting) == 3 * TOGETHER + 1


def test_repeats_that_are_there_together_are_noted_together(counting: Counting) -> None:
    """Otherwise a sender that repeats an hour's posts after an outage is answered one commit at a time."""
    intake, outcomes = Intake(counting, step_aside), dict[str, Stored | str]()
    for _ in range(2):
        counting.commits = counting.written = 0
        Threads(Waiting(*(storing(intake, f"lead{n}", outcomes) for n in range(MOST))), 1).end()
    assert (counting.commits, counting.written) == (1, 1), "one that found them known, one that counted them"
    assert all(stored.duplicate for stored in outcomes.values() if isinstance(stored, Stored))
    assert (len(outcomes), count(counting)) == (MOST, MOST)


def test_an_outage_is_told_to_each_and_is_over_when_it_is_over(counting: Counting) -> None:
    """Otherwise one of those that waited together is told 200, or the first outage is the receiver's last."""
    intake, outcomes = Intake(counting, step_aside), dict[str, Stored | str]()
    counting.away = True
    Threads(Waiting(*(storing(intake, key, outcomes) for key in "abc")), 1).end()
    assert outcomes == dict.fromkeys("abc", "it is away")
    counting.away = False
    Threads(Waiting(*(storing(intake, key, outcomes) for key in "abc")), 1).end()
    assert [type(outcome) for outcome in outcomes.values()] == [Stored] * 3
    assert count(counting) == 3


def test_who_takes_long_lets_all_others_go_first() -> None:
    """Otherwise a captcha service that is slow holds up the shop's orders that came at the same moment."""
    said: list[str] = []
    asked, answered = threading.Event(), threading.Event()

    def order(name: str) -> Work:
        def work() -> None:
            step_aside()
            said.append(name)

        return work

    def captcha() -> None:
        with long_wait():
            asked.set()
            assert answered.wait(AT_MOST)
        said.append("captcha")

    waiting = Waiting(order("before"), captcha, order("after"))
    threads = Threads(waiting, 2)
    assert asked.wait(AT_MOST)
    wait_for(lambda: said == ["before", "after"], AT_MOST, "the orders")
    answered.set()
    threads.end()
    assert said == ["before", "after", "captcha"]


def test_there_is_a_thread_left_when_all_others_wait() -> None:
    """Otherwise some forty forms, while their captcha's service is slow, close the door for the shop's orders."""
    answered, order, turned_away = threading.Event(), threading.Event(), list[str]()

    def captcha() -> None:
        try:
            with long_wait():
                assert answered.wait(AT_MOST)
        except Crowded:
            turned_away.append("captcha")

    waiting = Waiting(*[captcha] * (MOST_WAITING + 5))
    threads = Threads(waiting, MOST_WAITING + 1)
    waiting.add(order.set)
    came = order.wait(AT_MOST / 2)  # half of what those wait that are in its way
    answered.set()
    threads.end()
    assert (came, len(turned_away)) == (True, 5)
    again = Threads(Waiting(*[captcha] * MOST_WAITING), MOST_WAITING + 1)
    again.end()
    assert len(turned_away) == 5, "those that have waited make room"


def test_another_library_s_greenlet_is_left_alone() -> None:
    """Otherwise a receiver that somebody runs under gevent hangs at its first event."""
    said: list[str] = []

    def theirs() -> None:
        step_aside()
        with long_wait():
            said.append("went on")

    greenlet(theirs).switch()
    assert said == ["went on"]


def test_a_turn_that_hangs_is_passed_on() -> None:
    """Otherwise one request that waits for a dead database stops the health page, and the process is killed."""
    hangs, go_on, healthy = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        hangs.set()
        assert go_on.wait(AT_MOST)

    waiting = Waiting(hang)
    threads = Threads(waiting, 2)
    assert hangs.wait(AT_MOST)
    waiting.add(healthy.set)
    threads.turns.look()
    assert not healthy.wait(0.2), "it has not taken long yet"
    threads.seconds += LONGEST_SECONDS + 0.1
    threads.turns.look()
    assert healthy.wait(AT_MOST)
    go_on.set()
    again = threading.Event()
    waiting.add(again.set)
    assert again.wait(AT_MOST)
    threads.end()


def test_the_health_page_answers_while_the_ledger_does_not(server: Server, ledger: Database) -> None:
    """Otherwise the platform restarts the receiver because its database is slow, and every request is cut off."""
    file = ledger.engine.url.database or ""
    for _ in range(10):
        with closing(sqlite3.connect(file, isolation_level=None)) as holder, ThreadPoolExecutor(2) as senders:
            holder.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            posts = [senders.submit(server.post, LEAD) for _ in range(2)]
            time.sleep(0.1)
            # Of either process: which of them takes a connection is chance.
            healthy = [server.client.get(f"{server.url}/healthz").status_code for _ in range(4)]
            waiting = [not post.done() for post in posts]
            holder.execute("ROLLBACK")
            is_held = time.monotonic() - began < TURN_SECONDS  # else they were told that it is away
            told = sorted(post.result()[0].json()["status"] for post in posts)
        assert healthy == [200] * 4
        if is_held:
            break
    assert (is_held, waiting, told) == (True, [True, True], ["accepted", "duplicate"])
