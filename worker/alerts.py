"""What a person hears of a connection: once that it is open, once that it is closed again, nothing per delivery."""

from __future__ import annotations

from worker.breaker import Phase
from worker.errors import LedgerUnavailable
from worker.ledger.breakers import Change
from worker.ledger.database import Database
from worker.ledger.standing import waiting
from worker.telemetry import alert, log


def tell_change(db: Database, connection: str, change: Change) -> None:
    """Tell what has become of a connection's breaker, where its phase is another one."""
    before, now = change.before, change.after
    if before.phase == now.phase:
        return
    if now.phase == Phase.CLOSED:
        alert("connection.closed", is_over=True, connection=connection, waiting=_waiting(db, connection))
    elif before.phase == Phase.CLOSED:
        alert(
            "connection.opened",
            connection=connection,
            reason=now.reason,
            waiting=_waiting(db, connection),
            next_probe=now.until and now.until.isoformat(timespec="seconds"),
        )
    else:
        log().info(f"connection.{now.phase}", connection=connection, reason=now.reason, openings=now.openings)


def _waiting(db: Database, connection: str) -> int | None:
    try:
        return sum(waiting(db, connection).values())
    except LedgerUnavailable:
        return None  # the alert is worth more than its number
