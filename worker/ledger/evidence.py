"""What the ledger knows of a connection when one of its deliveries fails: whether others go through."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, literal_column, or_, select

from worker.ledger.database import Database
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import State, deliveries
from worker.ledger.utc_time import UtcTime
from worker.patience import Seen

_OVER = deliveries.c.connection == bindparam("over")
# A delivered one was due last when it was delivered, and there is an index on that.
_LAST = Prepared(
    select(deliveries.c.due_at)
    .where(_OVER, deliveries.c.state == literal_column(f"'{State.DELIVERED}'"))
    .order_by(deliveries.c.due_at.desc())
    .limit(1)
)
#: One that is blocked waits for another, and tells nothing of the connection.
_TELLING: list[ColumnElement[str]] = [
    literal_column(f"'{state}'")
    for state in (State.WAITING, State.HELD, State.UNKNOWN, State.SENDING, State.PENDING)
]
_OTHER = Prepared(
    select(deliveries.c.id)
    .where(
        _OVER,
        deliveries.c.id != bindparam("delivery"),
        # The states for themselves: an `or` around them keeps SQLite from their index, and each failed try would
        # read all that was ever delivered over the connection.
        deliveries.c.state.in_(_TELLING),
        or_(
            deliveries.c.state != literal_column(f"'{State.PENDING}'"),
            deliveries.c.due_at <= bindparam("now_", type_=UtcTime),
        ),
    )
    .limit(1)
)


def seen(db: Database, connection: str, delivery_id: str, now: datetime, is_there: bool) -> Seen:
    """Return what speaks for the connection, and against, at this failure. Raises LedgerUnavailable."""

    def look(t: Transaction) -> Seen:
        last = t.first(_LAST, {"over": connection})
        other = t.first(_OTHER, {"over": connection, "delivery": delivery_id, "now_": now})
        return Seen(None if last is None else last.due_at, other is None, is_there)

    return db.reading(look)
