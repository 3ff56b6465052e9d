"""Brings the ledger's tables to the version that this code needs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.sealing import require_keys

_FOLDER = Path(__file__).parent / "migrations"
#: An arbitrary number of our own: two releases that start at once on PostgreSQL migrate one after the other.
_LOCK = 728_113_004


def migrate(db: Database) -> None:
    """Apply the missing migrations, all or none. Raises LedgerUnavailable."""
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
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    with db.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        raise LedgerUnavailable(
            f"the ledger is at version {found}, this code needs {wanted}: run `relay migrate`"
        )
    require_keys(db)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
