"""What most tests of the engine begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.engine.harness import ENVIRON, Bench, benched
from worker.ledger.database import Database
from worker.settings import Settings
from worker.settings.configuration import load


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    """A worker at the sandbox of all CRMs, over an empty SQLite ledger."""
    with benched(clock, sqlite_url, tmp_path) as bench:
        yield bench


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
