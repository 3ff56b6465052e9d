"""Whether the tables are of the version that this code needs; without Alembic, which takes long to load."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import column, inspect, select, table

from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.sealing import require_keys

#: Where the migrations are: NNNN_what.py makes version NNNN of the one before it.
VERSIONS = Path(__file__).parent / "migrations" / "versions"
#: Where Alembic notes what it has applied.
_APPLIED = table("alembic_version", column("version_num"))


def newest() -> str:
    """Return the version that this code needs."""
    return max(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))


def require_current(db: Database) -> None:
    """Raise LedgerUnavailable, naming the remedy, unless this code and its keys fit the ledger."""
    wanted = newest()
    with db.read() as connection:
        is_there = inspect(connection).has_table(_APPLIED.name)
        found = connection.scalar(select(_APPLIED.c.version_num)) if is_there else None
    if found != wanted:
        raise LedgerUnavailable(
            f"the ledger is at version {found}, this code needs {wanted}: run `relay migrate`"
        )
    require_keys(db)
