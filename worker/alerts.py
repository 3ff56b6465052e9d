"""What a person hears of a connection: it is open, it still is, it is closed; nothing per delivery."""

from __future__ import annotations

from datetime import timedelta

from worker.breaker import Breaker, Phase, least_for
from worker.errors import LedgerUnavailable
from worker.ledger.breakers import Change
from worker.ledger.database import Database
from worker.ledger.standing import alone, waiting
from worker.telemetry import alert, log


def tell_change(db: Database, connection: str, change: Change, patience: timedelta) -> None:
    """Tell what has become of a connection's breaker, where its phase is another one.

    Once it has been open for `patience` a person hears that it still is: it may be an outage, or what waits.
    """
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
    elif least_for(before.openings) < patience <= least_for(now.openings):
        _tell_overdue(db, connection, now)
    else:
        log().info(f"connection.{now.phase}", connection=connection, reason=now.reason, openings=now.openings)


def _tell_overdue(db: Database, connection: str, now: Breaker) -> None:
    try:
        only = alone(db, connection)
    except LedgerUnavailable:
        only = None
    alert(
        "connection.still_open",
        connection=connection,
        reason=now.reason,
        since=now.since and now.since.isoformat(timespec="seconds"),
        waiting=_waiting(db, connection),
        only_delivery=only,
    )


def _waiting(db: Database, connection: str) -> int | None:
    try:
        return sum(waiting(db, connection).values())
    except LedgerUnavailable:
        return None  # the alert is worth more than its number
