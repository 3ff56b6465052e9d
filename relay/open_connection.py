"""Opens a connection for a command, as the workers have it: their client, their token, their budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url

from relay.broker import broker_answers
from worker import budget
from worker.errors import BudgetSpent, LedgerUnavailable
from worker.http import Http
from worker.ledger.database import Database
from worker.ledger.version import require_current
from worker.settings import ConnectionSettings, Settings
from worker.shared_tokens import sessions
from worker.telemetry import start_logging
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session
from worker.vendors.vendor import Operation

#: A person is not kept waiting longer than this for a free request.
LONGEST_WAIT = timedelta(seconds=60)


@contextmanager
def open_connection(
    settings: Settings,
    connection: ConnectionSettings,
    session: Session | None = None,
    guard: Callable[[], None] = lambda: None,
    made: type[Api] = Api,
) -> Iterator[Api]:
    """Open the connection as a worker would, within its limit of requests, as a `made`.

    Without a `session` the workers' token is used where the broker has it. `guard` runs before every call.
    """
    http = Http()
    kept = session or _session(settings, connection)
    with _paced(settings, connection) as pay:
        try:
            yield made(VENDORS[connection.vendor], connection, http, kept, guard, pay)
        finally:
            http.close()


def _session(settings: Settings, connection: ConnectionSettings) -> Session:
    # A login of our own could end the one that the workers use: some vendors know one token per user.
    wanted = VENDORS[connection.vendor].login is not None and settings.broker_url.startswith("redis")
    if not wanted or not broker_answers(settings.broker_url):
        return Session()
    start_logging()  # to standard error: standard output is the vendor's answer alone
    return sessions(replace(settings, connections={connection.name: connection}))[connection.name]


@contextmanager
def _paced(settings: Settings, connection: ConnectionSettings) -> Iterator[Callable[[Operation], None]]:
    """Give what waits before each call: for the budget in the ledger, else as long as the limit says."""
    allowance = connection.allowance
    if not allowance:
        yield lambda operation: None
        return
    db = _ledger_if_any(settings)
    next_at = 0.0

    def wait_alone() -> None:
        nonlocal next_at
        time.sleep(max(0.0, next_at - time.monotonic()))
        next_at = time.monotonic() + (1 / allowance.per_second if allowance.per_second else 0.0)

    def wait_with_workers(operation: Operation) -> None:
        if db is None:
            return wait_alone()
        while True:
            try:
                return budget.take(db, connection.name, allowance, operation.changes, datetime.now(UTC))
            except BudgetSpent as error:
                if error.retry_after > LONGEST_WAIT:
                    raise
                time.sleep(error.retry_after.total_seconds())
            except LedgerUnavailable:
                return wait_alone()

    try:
        yield wait_with_workers
    finally:
        if db is not None:
            db.close()


def _ledger_if_any(settings: Settings) -> Database | None:
    url = make_url(settings.database_url)
    # Opening makes the file; a command that calls a CRM has no business to found a ledger.
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return None
    db = Database(settings.database_url, 1, settings.encryption_keys)
    try:
        require_current(db)
    except LedgerUnavailable:
        db.close()
        return None
    return db
