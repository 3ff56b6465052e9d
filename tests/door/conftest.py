"""A door over an empty ledger for every test that asks for one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from door_requests import Door, open_door

from tests.conftest import Clock
from worker.ledger.database import Database
from worker.ledger.migrate import migrate


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated ledger without a row, to be copied."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    db = Database(f"sqlite:///{path}", threads=1)
    migrate(db)
    db.close()
    return path


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
