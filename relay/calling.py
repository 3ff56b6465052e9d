"""A connection in the hands of a person: the worker's own client, its limits, and errors with their remedies."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from relay.broker import broker_answers
from worker import budget
from worker.errors import (
    BudgetSpent,
    CredentialsRefused,
    DeliveryError,
    LedgerUnavailable,
    NotConfigured,
    OutcomeUnknown,
    PutBack,
    RateLimited,
    Rejected,
    Unreachable,
    VendorDown,
)
from worker.http import Http
from worker.ledger.database import Database
from worker.ledger.version import require_current
from worker.settings import ConnectionSettings, Settings
from worker.shared_tokens import sessions
from worker.telemetry import start_logging
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session
from worker.vendors.vendor import Operation

#: Credentials that are names and stand in records too; all others are secrets.
_NO_SECRETS = frozenset({"email", "client_id"})
_SECRET_FIELD = re.compile(r"(?i)(token|secret|password|api_?key)\Z")
HIDDEN = "<secret>"
#: A secret that is shorter is hidden only where it is the whole text: it may be part of any number.
SHORTEST = 8
#: A person is not kept waiting longer than this for a free request.
LONGEST_WAIT = timedelta(seconds=60)

_REMEDIES: Mapping[type[DeliveryError], str] = {
    Unreachable: "nothing was sent; check the connection's base_url and the network",
    RateLimited: "nothing was done; wait a little and repeat it",
    VendorDown: "nothing was changed; repeat it later",
    CredentialsRefused: "check the variables that relay.toml names for this connection's credentials",
    BudgetSpent: "nothing was sent; `relay connections` says when there are requests again",
    Rejected: "nothing was changed; correct what it complains of",
    PutBack: "nothing was sent; repeat it in a moment",
}


@contextmanager
def opened(
    settings: Settings,
    connection: ConnectionSettings,
    session: Session | None = None,
    made: type[Api] = Api,
) -> Iterator[Api]:
    """Open the connection as a worker would, within its limit of requests, as a `made`.

    Without a `session` the workers' token is used where the broker has it.
    """
    http = Http()
    kept = session or _session(settings, connection)
    with _paced(settings, connection) as pay:
        try:
            yield made(VENDORS[connection.vendor], connection, http, kept, lambda: None, pay)
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
    db = _ledger(settings)
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


def _ledger(settings: Settings) -> Database | None:
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


def told(error: DeliveryError, connection: ConnectionSettings, operation: Operation | None = None) -> str:
    """Return the error in one line: its class, what happened, and what to do; without a secret."""
    said = " ".join(str(error).split())
    remedy = _remedy(error, operation)
    return str(
        without_secrets(f"{type(error).__name__}: {said}{f'; {remedy}' if remedy else ''}", connection)
    )


def _remedy(error: DeliveryError, operation: Operation | None) -> str:
    if isinstance(error, OutcomeUnknown):
        look = f" with {operation.probe}" if operation and operation.probe else ""
        return f"it may have been carried out: look{look} before you repeat it"
    if isinstance(error, RateLimited) and error.retry_after:
        return f"nothing was done; repeat it in {error.retry_after.total_seconds():g} s"
    return next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), "")


def is_set_up(error: DeliveryError) -> bool:
    """Say whether relay.toml must say more before anything can be sent."""
    return isinstance(error, NotConfigured) and error.status is None


def without_secrets(value: Any, connection: ConnectionSettings) -> Any:
    """Return `value`, any JSON, without the connection's credentials and without what is named like one."""
    secrets = [v for k, v in connection.secrets.items() if k not in _NO_SECRETS and v]
    return _hidden(value, secrets)


def _hidden(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            whole = value == secret or len(secret) >= SHORTEST
            value = value.replace(secret, HIDDEN) if whole else value
        return value
    if isinstance(value, Mapping):
        return {k: HIDDEN if _is_secret(k, v) else _hidden(v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item, secrets) for item in value]
    return value


def _is_secret(name: Any, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and bool(_SECRET_FIELD.search(str(name)))
