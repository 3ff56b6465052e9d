"""Brings the ledger's tables to the version that this code needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.sealing import require_keys

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
#: An arbitrary number of our own: two releases that start at once on PostgreSQL migrate one after the other.
_LOCK = 728_113_004


def migrate(db: Database) -> None:
    """Apply the missing migrations, all or none. Raises LedgerUnavailable."""
    # Here and not above: importing it takes a fifth of the CPU time in which a receiver or a worker starts, and
    # those never migrate.
    from alembic import command  # noqa: PLC0415

    with db.write() as connection:
        if not db.is_sqlite:
            # The bounds of a ledger at work would end an index on millions of rows, each time anew. Only a lock on
            # a table keeps its own: behind one that waits, everybody waits.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            bound = connection.execute(text("SHOW lock_timeout")).scalar_one()
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _LOCK})
            connection.execute(text("SELECT set_config('lock_timeout', :bound, true)"), {"bound": bound})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_current(db: Database) -> None:
    """Raise LedgerUnavailable, naming the remedy, unless this code and its keys fit the ledger."""
    wanted = newest()
    with db.read() as connection:
        there = inspect(connection).has_table("alembic_version")
        found = connection.scalar(text("SELECT version_num FROM alembic_version")) if there else None
    if found != wanted:
        raise LedgerUnavailable(
            f"the ledger is at version {found}, this code needs {wanted}: run `relay migrate`"
        )
    require_keys(db)


def newest() -> str:
    """Return the version that this code needs: the number with which the name of the last migration begins."""
    return max(path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
