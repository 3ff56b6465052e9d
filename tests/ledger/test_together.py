"""What threads write at once is committed together: each piece stands or falls alone, and a commit stands."""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from tests.conftest import NOON, Clock, wait_for
from tests.leash import leashed
from worker.errors import LeaseLost, LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import duties
from worker.ledger.together import Piece, Together

ROOT = Path(__file__).parents[2]
DUTY = Prepared(insert(duties), ["name", "holder", "until"])


def wrote(name: str) -> Callable[[Transaction], str]:
    def work(t: Transaction) -> str:
        t.run(DUTY, {"name": name, "holder": "h", "until": NOON})
        return name

    return work


def names(db: Database) -> set[str]:
    with db.read() as c:
        return set(c.scalars(select(duties.c.name)))


def behind_a_leader(db: Database, works: list[Callable[[Transaction], Any]]) -> list[Any]:
    """Let all of `works` queue while another piece is being written; return what each returned or raised."""
    inside, go = threading.Event(), threading.Event()
    outcomes: list[Any] = [None] * len(works)

    def lead(t: Transaction) -> None:
        inside.set()
        assert go.wait(60)

    def run(place: int) -> None:
        try:
            outcomes[place] = db.commit(works[place])
        except Exception as error:  # noqa: BLE001
            outcomes[place] = error

    leader = threading.Thread(target=db.commit, args=(lead,))
    leader.start()
    assert inside.wait(60)
    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    if db.is_sqlite:
        wait_for(lambda: len(db._together._waiting) == len(works), 60, "the queue")
    go.set()
    for thread in [leader, *threads]:
        thread.join(60)
    return outcomes


def test_a_piece_that_fails_undoes_itself_and_nothing_else(db: Database) -> None:
    """Otherwise one lost lease takes with it what its neighbours have written, or is committed with them."""

    def loses(t: Transaction) -> None:
        wrote("lost")(t)
        raise LeaseLost("d1")

    def doubles(t: Transaction) -> None:
        wrote("twice")(t)
        wrote("twice")(t)

    works = [wrote("a"), loses, wrote("b"), doubles, wrote("c")]
    a, lost, b, doubled, c = behind_a_leader(db, works)
    assert (a, b, c) == ("a", "b", "c")
    assert isinstance(lost, LeaseLost)
    assert isinstance(doubled, IntegrityError)
    assert names(db) == {"a", "b", "c"}


def test_those_that_wait_share_one_transaction(sqlite_url: str) -> None:
    """Otherwise thirty threads queue for thirty syncs of the disk."""
    db = Database(sqlite_url)
    seen: list[Transaction] = []
    behind_a_leader(db, [seen.append] * 10)
    db.close()
    assert len(seen) == 10
    assert len(set(map(id, seen))) == 1


def test_where_the_transaction_ends_by_itself_all_hear_of_it(sqlite_url: str) -> None:
    """Otherwise a full disk undoes what its neighbours were told is committed."""
    db = Database(sqlite_url)
    outcomes = behind_a_leader(db, [wrote("a"), lambda t: t.say("ROLLBACK"), wrote("b")])
    assert [type(outcome) for outcome in outcomes] == [LedgerUnavailable] * 3
    assert names(db) == set()
    assert db.commit(wrote("after")) == "after"
    db.close()


def test_who_has_waited_too_long_is_not_written_later() -> None:
    """Otherwise a worker goes on as if it had no claim, while the ledger says that it has one."""
    go = threading.Event()
    written: list[str] = []

    def write(batch: Any) -> None:
        written.extend(piece.wanted for piece in batch)
        assert go.wait(60)

    queue: Together[str, None] = Together(write, patience=0.1)
    leader = threading.Thread(target=queue.do, args=("first",))
    leader.start()
    wait_for(lambda: written == ["first"], 60, "the leader")
    with pytest.raises(LedgerUnavailable):
        queue.do("second")
    go.set()
    leader.join(60)
    queue.do("third")
    assert written == ["first", "third"]


def test_a_leader_that_fails_or_dies_hands_the_lead_on() -> None:
    """Otherwise the first outage of the ledger is its last."""
    fates: list[BaseException] = [LedgerUnavailable("away"), KeyboardInterrupt()]

    def write(batch: Sequence[Piece[str, str]]) -> None:
        if fates:
            raise fates.pop(0)
        for piece in batch:
            piece.result = piece.wanted

    queue: Together[str, str] = Together(write, patience=60)
    with pytest.raises(LedgerUnavailable):
        queue.do("a")
    with pytest.raises(KeyboardInterrupt):
        queue.do("b")
    assert queue.do("c") == "c"


class Dawdling:
    """A lock whose holder `late` is put to sleep the moment that it lets go, until it is `woken`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asleep, self.woken = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        if threading.current_thread().name == "late" and not self.asleep.is_set():
            self.asleep.set()
            assert self.woken.wait(60)


def test_the_lead_may_be_handed_to_a_thread_that_has_not_begun_to_wait() -> None:
    """Otherwise a busy machine stops a worker for good: it found nobody to lead, and wrote nothing any more."""
    go, outcomes = threading.Event(), []

    def write(batch: Sequence[Piece[str, str]]) -> None:
        assert go.wait(60)
        for piece in batch:
            piece.result = piece.wanted

    queue: Together[str, str] = Together(write, patience=60)
    queue._lock = dawdling = Dawdling()  # type: ignore[assignment]
    first = threading.Thread(target=lambda: outcomes.append(queue.do("first")))
    late = threading.Thread(target=lambda: outcomes.append(queue.do("late")), name="late")
    first.start()
    wait_for(lambda: not queue._waiting and queue._is_led, 60, "the leader")
    late.start()
    assert dawdling.asleep.wait(60)
    go.set()
    first.join(60)
    dawdling.woken.set()
    late.join(60)
    assert outcomes == ["first", "late"]
    assert queue.do("third") == "third"


def test_a_time_without_a_zone_is_refused(db: Database, clock: Clock) -> None:
    """Otherwise a local clock moves every lease by hours."""
    row = {"name": "n", "holder": "h", "until": clock().replace(tzinfo=None)}
    with pytest.raises(ValueError, match="naive"):
        db.commit(lambda t: t.run(DUTY, row))


WRITER = """
import contextlib, sys, threading, time
from tests.ledger.test_together import wrote
from tests.leash import leashed
from worker.ledger.database import Database

db = Database(sys.argv[1])
begin = db._begin

@contextlib.contextmanager
def slowly():
    with begin() as transaction:
        yield transaction
        time.sleep(0.01)  # most kills shall hit what is written and not committed

db._begin = slowly

def run(thread):
    for number in range(100_000):
        name = f"{thread}-{number}"
        db.commit(wrote(name))
        sys.stdout.write(name + "\\n")
        sys.stdout.flush()

for thread in range(12):
    threading.Thread(target=run, args=(thread,)).start()
"""


def test_what_was_told_committed_survives_a_kill(sqlite_url: str, tmp_path: Path) -> None:
    """Otherwise a follower goes on before its leader has committed, and its intent dies with the process."""
    told = tmp_path / "told"
    for _ in range(3):
        with told.open("w") as out:
            process = leashed([sys.executable, "-c", WRITER, sqlite_url], stdout=out, cwd=ROOT)
        wait_for(lambda: told.read_text().count("\n") > 300, 60, "the writer")
        time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        whole = [line for line in told.read_text().splitlines(keepends=True) if line.endswith("\n")]
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as ledger:
            found = {name for (name,) in ledger.execute("SELECT name FROM duties")}
            assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert {line.strip() for line in whole} <= found
            ledger.execute("DELETE FROM duties")
            ledger.commit()
