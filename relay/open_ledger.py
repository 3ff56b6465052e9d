"""Opens the ledger for a command."""

from __future__ import annotations

from worker.ledger.database import Database
from worker.ledger.version import require_current
from worker.settings import Settings


def open_ledger(settings: Settings) -> Database:
    """Return the ledger of `settings`, whose tables are of this version. Raises LedgerUnavailable."""
    db = Database(settings.database_url, 1, settings.encryption_keys)
    require_current(db)
    return db
