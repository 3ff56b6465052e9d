"""Which version of the ledger's tables this code needs, and whether the ledger has it.

Apart from `migrate`, and without Alembic: importing that takes a fifth of the CPU time in which a receiver or a
worker starts, and those never migrate.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.sealing import require_keys

FOLDER = Path(__file__).parent / "migrations"


def require_current(db: Database) -> None:
    """Raise LedgerUnavailable, naming the remedy, unless this code and its keys fit the ledger."""
    wanted = newest()
    with db.read() as connection:
        there = inspect(connection).has_table("alembic_version")
        found = connection.scalar(text("SELECT version_num FROM alembic_version")) if there else None
    if found is None:
        raise LedgerUnavailable("the ledger has no tables yet: run `relay migrate`")
    if found != wanted:
        raise LedgerUnavailable(
            f"the ledger is at version {found}, this code needs {wanted}: run `relay migrate`"
        )
    require_keys(db)


def newest() -> str:
    """Return the version that this code needs: the number with which the name of the last migration begins."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))
