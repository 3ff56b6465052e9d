"""What is due and has no task: the sweep's side of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select, update

from worker.ledger.database import Database
from worker.ledger.deliveries import claimable
from worker.ledger.tables import State, UtcTime, deliveries

_DUE = (
    select(deliveries.c.id)
    .where(
        deliveries.c.connection == bindparam("over"),
        claimable(bindparam("now_", type_=UtcTime)),
        or_(
            deliveries.c.handed_until.is_(None),
            deliveries.c.handed_until < bindparam("lost_before", type_=UtcTime),
        ),
    )
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(bindparam("most"))
)
_ANY = _DUE.limit(1)
_TAKE = _DUE.with_for_update(skip_locked=True)


def hand_over(
    db: Database,
    connection: str,
    limit: int,
    now: datetime,
    lasting: timedelta,
    lost_before: datetime | None = None,
) -> list[str]:
    """Return deliveries of `connection` that are due and have no live task, oldest first, at most `limit`.

    They count as handed over for `lasting`: whoever asks again within it does not get them. A delivery whose
    task was published before, but for which that time ended before `lost_before` (default: `now`), is taken for
    lost and returned, too.
    """
    wanted = {"over": connection, "now_": now, "lost_before": lost_before or now, "most": limit}
    with db.read() as c:
        if c.execute(_ANY, wanted).first() is None:
            return []
    with db.write() as c:
        ids = list(c.scalars(_TAKE, wanted))
        if ids:
            handed = update(deliveries).where(deliveries.c.id.in_(ids)).values(handed_until=now + lasting)
            c.execute(handed)
        return ids


def let_go(db: Database, delivery_ids: Sequence[str]) -> None:
    """Note that no task was published for these, so that the next sweep takes them without waiting for one."""
    mine = deliveries.c.id.in_(delivery_ids) & (deliveries.c.state == State.PENDING)
    with db.write() as c:
        c.execute(update(deliveries).where(mine).values(handed_until=None))
