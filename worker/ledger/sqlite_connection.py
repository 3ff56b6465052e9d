"""A connection to SQLite: how it is set up, and how a transaction begins and waits for its turn."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection

#: Seconds that a writer waits for its turn. Longer than any of our transactions, shorter than a sender waits.
TURN_SECONDS = 4.0
#: Seconds between two tries to become SQLite's one writer, where another process is it.
POLL_SECONDS = 0.0004


def prepare(connection: Any, record: Any) -> None:
    """Set up a new connection; what SQLAlchemy's event `connect` calls."""
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def begin(connection: Connection) -> None:
    """Begin a transaction; what SQLAlchemy's event `begin` calls."""
    driver: Any = connection.connection.driver_connection
    if connection.get_execution_options().get("reading"):
        driver.execute(f"PRAGMA busy_timeout={TURN_SECONDS * 1000:.0f}")
        driver.execute("BEGIN")
        return
    wait_ourselves(driver)
    begin_immediate(driver)


def wait_ourselves(driver: Any) -> None:
    """Let SQLite say at once that it is busy."""
    # SQLite's own busy handler sleeps up to a tenth of a second between its tries, while our transactions last
    # less than a thousandth.
    driver.execute("PRAGMA busy_timeout=0")


def begin_immediate(driver: Any) -> None:
    """Become the one writer, within TURN_SECONDS. Raises sqlite3.OperationalError."""
    # A transaction that begins by reading and then writes fails at once when another wrote in between, and no
    # busy handler helps: so a writing one takes the write lock first.
    until = time.monotonic() + TURN_SECONDS
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(POLL_SECONDS)
