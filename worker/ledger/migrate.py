"""Brings the ledger's tables to the version that this code needs."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from worker.ledger.database import Database
from worker.ledger.postgres_connection import unbounded
from worker.ledger.version import FOLDER

#: An arbitrary number of our own: two releases that start at once on PostgreSQL migrate one after the other.
_LOCK = 728_113_004


def migrate(db: Database) -> None:
    """Apply the missing migrations, all or none. Raises LedgerUnavailable."""
    with db.write() as connection, unbounded(connection.connection.driver_connection):
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
