"""The order in which the events of one entity are applied: one after the other, and no stale one at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from worker.ledger.tables import UNFINISHED, State, deliveries

#: A delivery that waits for an earlier one of its entity looks again this often.
BLOCKED_DELAY = timedelta(seconds=1)


def overtaken(c: Connection, row: Any, now: datetime) -> bool:
    """Turn away a delivery that must wait for an earlier one of its entity, or that a newer one has overtaken."""
    same = (deliveries.c.connection == row.connection, deliveries.c.entity == row.entity)
    earlier = c.execute(
        select(deliveries.c.id)
        .where(*same, deliveries.c.id < row.id, deliveries.c.state.in_(UNFINISHED))
        .limit(1)
    ).scalar()
    if earlier:
        turn_away(
            c, row, State.BLOCKED, now + BLOCKED_DELAY, f"waits for delivery {earlier} of the same entity"
        )
        return True
    newer = (
        row.version
        and c.execute(
            select(deliveries.c.id)
            .where(*same, deliveries.c.state == State.DELIVERED, deliveries.c.version > row.version)
            .limit(1)
        ).scalar()
    )
    if newer:
        turn_away(
            c, row, State.SUPERSEDED, now, f"delivery {newer} brought a newer version of the same entity"
        )
        return True
    return False


def turn_away(c: Connection, row: Any, state: State, due_at: datetime, reason: str | None) -> None:
    """Give a delivery that was just claimed its state without an attempt."""
    c.execute(
        update(deliveries)
        .where(deliveries.c.id == row.id)
        .values(state=state, due_at=due_at, reason=reason, lease=None, lease_until=None)
    )
