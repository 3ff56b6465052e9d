"""The statements of a claim's life. Built once, because building takes five times as long as running."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, or_, select, update

from worker.ledger.breakers import IS_TOUCHED
from worker.ledger.prepared import Prepared
from worker.ledger.tables import OPEN, State, connections, deliveries, events
from worker.ledger.utc_time import UtcTime

# As parts of the text: a list of parameters would be written out anew at every execution.
_OPEN: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in OPEN]


def claimable(now: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition for a delivery that anybody may claim at `now`."""
    return or_(
        and_(deliveries.c.state.in_(_OPEN), deliveries.c.due_at <= now),
        and_(deliveries.c.state == State.SENDING, deliveries.c.lease_until < now),
    )


# Parameters are named after what they mean, since a column's own name is taken.
_NOW = bindparam("now_", type_=UtcTime)
CLAIM = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), claimable(_NOW))
    .values(
        state=State.SENDING,
        lease=bindparam("by"),
        lease_until=bindparam("until"),
        handed_until=None,
        updated_at=_NOW,
    )
    .returning(
        *(
            deliveries.c[name]
            for name in (
                *("id", "connection", "entity", "version"),
                *("attempts", "tries", "failing_since", "failed_seconds"),
            )
        )
    )
)
DUE_EVENT = Prepared(
    select(events)
    .select_from(deliveries.join(events))
    .where(deliveries.c.id == bindparam("delivery"), claimable(_NOW))
)
KEEP = Prepared(
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("delivery"),
        deliveries.c.lease == bindparam("by"),
        deliveries.c.lease_until >= bindparam("now_", type_=UtcTime),
    )
    .values(lease_until=bindparam("until"))
)
CLOSE = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.lease == bindparam("by"))
    .values(
        state=bindparam("next_state"),
        due_at=bindparam("due"),
        error=bindparam("error_name"),
        reason=bindparam("why"),
        attempts=bindparam("spent"),
        tries=bindparam("failures"),
        failing_since=bindparam("since"),
        failed_seconds=bindparam("failed"),
        lease=None,
        lease_until=None,
        updated_at=bindparam("now_"),
        record_id=func.coalesce(bindparam("record"), deliveries.c.record_id),
        mapping_version=func.coalesce(bindparam("mapping"), deliveries.c.mapping_version),
        field_ledger=func.coalesce(
            bindparam("fields", type_=deliveries.c.field_ledger.type), deliveries.c.field_ledger
        ),
    )
    .returning(
        # Whether the breaker cares for a success, asked along the way: mostly it has nothing to forget.
        select(connections.c.name)
        .where(connections.c.name == deliveries.c.connection, IS_TOUCHED)
        .correlate(deliveries)
        .scalar_subquery()
        .label("touched")
    )
)
