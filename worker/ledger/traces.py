"""What erased values leave behind in the files of SQLite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.sqlite_connection import TURN_SECONDS


def sweep_traces(db: Database) -> bool:
    """Write SQLite's log into its file and empty it: what was erased stands in the log until then.

    Return False where others read and write so much that it could not be emptied. PostgreSQL does the like by
    itself, when it vacuums. Raises LedgerUnavailable.
    """
    if not db.is_sqlite:
        return True
    try:
        with closing(db.engine.raw_connection()) as connection:
            driver: Any = connection.driver_connection
            driver.execute(f"PRAGMA busy_timeout={TURN_SECONDS * 1000:.0f}")
            return bool(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    except sqlite3.OperationalError as error:
        raise LedgerUnavailable(str(error)) from error
