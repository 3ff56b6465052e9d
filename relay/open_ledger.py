"""Opens the ledger for a command."""

from __future__ import annotations

from pathlib import Path

from relay.options import environ_with
from worker.ledger.database import Database
from worker.ledger.version import require_current
from worker.settings import Settings
from worker.settings.configuration import load


def open_ledger(file: Path | None) -> Database:
    """Return the ledger that the configuration names. Raises SettingsError and LedgerUnavailable."""
    return ledger_of(load(environ_with(file)))


def ledger_of(settings: Settings) -> Database:
    """Return the ledger of `settings`. Raises LedgerUnavailable."""
    db = Database(settings.database_url, 1, settings.encryption_keys)
    require_current(db)
    return db
