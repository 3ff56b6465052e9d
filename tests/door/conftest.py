"""A door over an empty ledger for every test that asks for one, and a real server for those on the wire."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.door.door_requests import LEAD, Door, configuration, open_door
from tests.door.door_server import HELD, Broker, Server
from worker.ledger.database import Database
from worker.ledger.migrate import migrate
from worker.ledger.tables import deliveries, events


@pytest.fixture(scope="session")
def empty_ledger(empty_sqlite: Path) -> Path:
    """The file of a migrated ledger without a row, to be copied."""
    return empty_sqlite


@pytest.fixture
def door(empty_ledger: Path, tmp_path: Path, clock: Clock) -> Iterator[Door]:
    """A door over an empty SQLite ledger of its own."""
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    yield open_door(tmp_path, db, clock)
    db.close()


@pytest.fixture
def either_door(db: Database, tmp_path: Path, clock: Clock) -> Door:
    """A door over an empty ledger; every test that takes it runs on SQLite and on PostgreSQL."""
    return open_door(tmp_path, db, clock)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server and the broker keep what they write."""
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="session")
def one_broker(folder: Path) -> Iterator[Broker]:
    """A broker for all tests of this folder."""
    broker = Broker(folder)
    broker.start()
    yield broker
    broker.signal(signal.SIGKILL)


@pytest.fixture(scope="session")
def ledger(folder: Path) -> Iterator[Database]:
    """The server's ledger, seen from here."""
    db = Database(f"sqlite:///{folder / 'ledger.sqlite'}", threads=1)
    migrate(db)
    yield db
    db.close()


@pytest.fixture(scope="session")
def one_server(folder: Path, one_broker: Broker, ledger: Database) -> Iterator[Server]:
    """A server for all tests of this folder, since each start takes seconds."""
    server = Server(configuration(folder, one_broker.url, str(ledger.engine.url)), folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(one_server: Server, ledger: Database) -> Iterator[Server]:
    """The server with an empty ledger; whatever the test did to it, it still takes an event afterwards."""
    empty(ledger)
    yield one_server
    empty(ledger)
    answer, seconds = one_server.post(LEAD)
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    assert seconds < HELD


@pytest.fixture
def broker(one_broker: Broker) -> Iterator[Broker]:
    """The broker, which is well again after the test."""
    yield one_broker
    if one_broker.process is not None and one_broker.process.poll() is None:
        one_broker.signal(signal.SIGCONT)
    else:
        one_broker.start()


def empty(ledger: Database) -> None:
    with ledger.write() as c:
        c.execute(deliveries.delete())
        c.execute(events.delete())
