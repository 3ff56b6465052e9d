"""What most tests of the engine begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, Bench
from worker.ledger.database import Database


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    """A worker at the sandbox of all CRMs, over an empty SQLite ledger."""
    db = Database(sqlite_url)
    with running(CREDENTIALS) as server:
        bench = Bench(db, clock, server, tmp_path)
        yield bench
        bench.close()
    db.close()
