"""What operators did, for those who ask later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert

from worker.ids import new_id
from worker.ledger.tables import audit


def note(c: Connection, now: datetime, operator: str, action: str, subject: str) -> None:
    """Write down that `operator` did `action`, of at most 32 characters, to `subject`."""
    row = {"id": new_id(), "at": now, "operator": operator, "action": action, "subject": subject}
    c.execute(insert(audit), row)
