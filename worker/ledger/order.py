"""The order in which the events of one entity are applied: one after the other, and no stale one at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, literal_column, select, update

from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import UNFINISHED, State, deliveries

#: A delivery that waits for an earlier one of its entity looks again this often.
BLOCKED_DELAY = timedelta(seconds=1)

_SAME = (deliveries.c.connection == bindparam("over")) & (deliveries.c.entity == bindparam("of"))
_EARLIER = Prepared(
    select(deliveries.c.id)
    .where(
        _SAME,
        deliveries.c.id < bindparam("delivery"),
        deliveries.c.state.in_([literal_column(f"'{state}'") for state in UNFINISHED]),
    )
    .limit(1)
)
_NEWER = Prepared(
    select(deliveries.c.id)
    .where(_SAME, deliveries.c.state == State.DELIVERED, deliveries.c.version > bindparam("than"))
    .limit(1)
)
_TURN_AWAY = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"))
    .values(
        state=bindparam("next_state"),
        due_at=bindparam("due"),
        reason=bindparam("why"),
        lease=None,
        lease_until=None,
    )
)


def overtaken(t: Transaction, row: Any, now: datetime) -> bool:
    """Turn away a delivery that must wait for an earlier one of its entity, or that a newer one has overtaken."""
    same = {"over": row.connection, "of": row.entity}
    earlier = t.first(_EARLIER, {**same, "delivery": row.id})
    if earlier:
        why = f"waits for delivery {earlier.id} of the same entity"
        turn_away(t, row, State.BLOCKED, now + BLOCKED_DELAY, why)
        return True
    newer = row.version and t.first(_NEWER, {**same, "than": row.version})
    if newer:
        why = f"delivery {newer.id} brought a newer version of the same entity"
        turn_away(t, row, State.SUPERSEDED, now, why)
        return True
    return False


def turn_away(t: Transaction, row: Any, state: State, due_at: datetime, reason: str | None) -> None:
    """Give a delivery that was just claimed its state without an attempt."""
    t.run(_TURN_AWAY, {"delivery": row.id, "next_state": state, "due": due_at, "why": reason})
