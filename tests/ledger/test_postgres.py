"""A PostgreSQL as companies run it: with a standby that takes no writes, and with tables that grow old."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, make_url, text

from chaos.proxy import HOST, Proxy
from tests.conftest import NOON, wait_for
from worker.errors import LedgerUnavailable
from worker.ledger import duties
from worker.ledger.database import Database
from worker.ledger.migrate import _LOCK, migrate
from worker.ledger.postgres_timeouts import ANSWER, STATEMENT
from worker.ledger.prepared import Transaction
from worker.ledger.search import list_events


@pytest.fixture
def postgres(postgres_ledger_url: str) -> Iterator[Database]:
    db = Database(postgres_ledger_url, threads=2)
    yield db
    db.close()


def always(db: Database, statement: str) -> None:
    """Let every new connection begin with `statement`."""

    def begin(connection: Any, _: Any) -> None:
        connection.execute(statement)
        connection.commit()

    event.listen(db.engine, "connect", begin)


def impatient(db: Database, seconds: float) -> None:
    """Let every new connection wait for an answer only so long."""

    def lower(connection: Any, _: Any) -> None:
        assert STATEMENT < connection.seconds == ANSWER
        connection.seconds = seconds

    event.listen(db.engine, "connect", lower)


@pytest.fixture
def proxy(postgres_folder: Path, postgres_ledger_url: str) -> Iterator[Proxy]:
    """A proxy before the server, as a pooler or a balancer is one."""
    assert postgres_ledger_url

    def connect() -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(postgres_folder / ".s.PGSQL.5432"))
        return line

    proxy = Proxy(connect)
    yield proxy
    proxy.close()


def test_a_line_that_takes_all_and_says_nothing_is_given_up(proxy: Proxy, postgres_ledger_url: str) -> None:
    """Otherwise a pooler that hangs takes line after line, and the receiver says 503 until somebody restarts it."""
    there = make_url(postgres_ledger_url).set(host=HOST, port=proxy.port, query={})
    db = Database(there.render_as_string(hide_password=False), threads=2)
    impatient(db, 1.0)

    def cut_within(t: Transaction) -> None:
        t.say("DELETE FROM duties")
        assert proxy.swallow()
        t.say("DELETE FROM duties")

    with ThreadPoolExecutor(1) as waiting:
        try:
            for _ in range(3):
                with pytest.raises(LedgerUnavailable, match="no answer within 1"):
                    waiting.submit(db.commit, cut_within).result(60)
                # What is in the pool is dead, too; the next one finds that out, and opens another.
                db.commit(lambda t: t.say("DELETE FROM duties"))
                assert proxy.swallow()
                waiting.submit(db.commit, lambda t: t.say("DELETE FROM duties")).result(60)
        finally:
            proxy.close()  # or who waits waits on
            db.close()


def test_a_standby_that_takes_no_writes_is_a_ledger_out_of_reach(postgres: Database) -> None:
    """Otherwise a switch to the standby is a crash of CRM Relay for each delivery, reported as our fault."""
    always(postgres, "SET default_transaction_read_only = on")
    assert list_events(postgres) is not None
    with pytest.raises(LedgerUnavailable, match="read-only transaction"):
        postgres.commit(lambda t: t.say("DELETE FROM duties"))
    with pytest.raises(LedgerUnavailable, match="read-only transaction"):
        duties.leave(postgres, "sweep", "nobody", NOON)


def test_a_migration_that_takes_long_is_cut_off(postgres: Database, postgres_ledger_url: str) -> None:
    """Otherwise an upgrade of a large ledger fails each time, as does the second of two that begin at once."""
    always(postgres, "SET statement_timeout = 400; SET lock_timeout = 300")
    impatient(postgres, 0.6)
    # Where this machine stands still, one of the short statements before it may be cut off. Not each time.
    outcomes = (migrated_behind_another(postgres, postgres_ledger_url) for _ in range(4))
    assert next((outcome for outcome in outcomes if outcome == ["migrated"]), None), "it was cut off"


def migrated_behind_another(postgres: Database, url: str) -> list[str]:
    """Migrate while somebody else does, for longer than any statement may take; return what came of it."""
    other, outcome = Database(url, threads=1), list[str]()

    def run() -> None:
        try:
            migrate(postgres)
            outcome.append("migrated")
        except LedgerUnavailable as error:
            outcome.append(str(error))

    thread = threading.Thread(target=run)
    with other.write() as c:
        c.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
        thread.start()
        wait_for(lambda: outcome or seen_to_wait(c) == 8, 60, "the second migration")
    thread.join(60)
    other.close()
    return outcome


def seen_to_wait(c: Connection) -> int:
    """Return how many of eight looks, one each tenth of a second, find somebody who waits for our lock."""
    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    seen = 0
    for _ in range(8):
        seen += c.execute(waits).scalar_one()
        time.sleep(0.1)
    return seen
