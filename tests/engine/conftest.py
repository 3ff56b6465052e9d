"""What most tests of the engine begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ENVIRON, Bench
from worker.ledger.database import Database
from worker.settings import Settings
from worker.settings.configuration import load


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    """A worker at the sandbox of all CRMs, over an empty SQLite ledger."""
    db = Database(sqlite_url)
    with running(CREDENTIALS) as server:
        bench = Bench(db, clock, server, tmp_path)
        yield bench
        bench.close()
    db.close()


@pytest.fixture
def ledger(sqlite_url: str) -> Iterator[Database]:
    """An empty ledger; the statements themselves are tested on both databases elsewhere."""
    db = Database(sqlite_url)
    yield db
    db.close()


@pytest.fixture
def settings(broker_url: str, tmp_path: Path) -> Settings:
    """The example's settings, at a real broker."""
    return load({**ENVIRON, "RELAY_BROKER_URL": broker_url, "RELAY_VAR": str(tmp_path)})
