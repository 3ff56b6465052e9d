"""What is due and has no task: the sweep's side of the ledger. The sources of a connection take turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, zip_longest
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, text, update

from worker.ledger.claim_statements import claimable
from worker.ledger.database import Database
from worker.ledger.tables import IS_OPEN, State, deliveries
from worker.ledger.utc_time import UtcTime

_NOW = bindparam("now_", type_=UtcTime)
_OVER = deliveries.c.connection == bindparam("over")
_UNHANDED = or_(
    deliveries.c.handed_until.is_(None),
    deliveries.c.handed_until < bindparam("lost_before", type_=UtcTime),
)
#: The sources that have something open, one after the other: a step through the index each, however many wait.
_NEXT_SOURCE = (
    select(deliveries.c.source)
    .where(_OVER, text(IS_OPEN), deliveries.c.source > bindparam("last"))
    .order_by(deliveries.c.source)
    .limit(1)
)
_OF_SOURCE = (
    select(deliveries.c.id)
    .where(
        _OVER,
        text(IS_OPEN),
        deliveries.c.source == bindparam("of"),
        deliveries.c.due_at <= _NOW,
        _UNHANDED,
    )
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(bindparam("most"))
)
#: What dead workers had in hand; never more than they have threads.
_LEFT = (
    select(deliveries.c.id)
    .where(_OVER, deliveries.c.state == State.SENDING, deliveries.c.lease_until < _NOW, _UNHANDED)
    .order_by(deliveries.c.id)
    .limit(bindparam("most"))
)
_TAKE = (
    select(deliveries.c.id)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)), claimable(_NOW), _UNHANDED)
    .with_for_update(skip_locked=True)
)
_WAITS = select(deliveries.c.id).where(_OVER, deliveries.c.state.in_([State.PENDING, State.HELD])).limit(1)


def hand_over(
    db: Database,
    connection: str,
    limit: int,
    now: datetime,
    lasting: timedelta,
    lost_before: datetime | None = None,
    turn: int = 0,
) -> list[str]:
    """Return deliveries of `connection` that are due and have no live task, at most `limit`.

    First those of dead workers, then one of each source in turn, the oldest of each first, so that twenty
    thousand of one source do not stand before the one of another. `turn` says which source begins; count it up
    from call to call. They count as handed over for `lasting`: whoever asks again within it does not get them. A
    delivery whose task was published before, but for which that time ended before `lost_before` (default: `now`),
    is taken for lost and returned, too.
    """
    wanted = {"over": connection, "now_": now, "lost_before": lost_before or now, "most": limit}
    with db.read() as c:
        chosen = list(islice(_in_turn(c, wanted, turn), limit))
    if not chosen:
        return []
    with db.write() as c:
        taken = set(c.scalars(_TAKE, {**wanted, "ids": chosen}))
        if taken:
            handed = update(deliveries).where(deliveries.c.id.in_(taken)).values(handed_until=now + lasting)
            c.execute(handed)
        return [delivery for delivery in chosen if delivery in taken]


def _in_turn(c: Connection, wanted: dict[str, Any], turn: int) -> Iterator[str]:
    yield from c.scalars(_LEFT, wanted)
    sources = list(_sources(c, wanted))
    first = turn % len(sources) if sources else 0
    lines: Iterable[Sequence[str]] = [
        c.scalars(_OF_SOURCE, {**wanted, "of": source}).all() for source in sources[first:] + sources[:first]
    ]
    for one_of_each in zip_longest(*lines):
        yield from (delivery for delivery in one_of_each if delivery is not None)


def _sources(c: Connection, wanted: dict[str, Any]) -> Iterator[str]:
    last = ""
    while (found := c.scalar(_NEXT_SOURCE, {**wanted, "last": last})) is not None:
        yield found
        last = found


def is_drained(db: Database, connection: str) -> bool:
    """Say whether nothing of `connection` waits for its first try, or for the connection."""
    with db.read() as c:
        return c.execute(_WAITS, {"over": connection}).first() is None


def let_go(db: Database, delivery_ids: Sequence[str]) -> None:
    """Note that no task was published for these, so that the next sweep takes them without waiting for one."""
    mine = deliveries.c.id.in_(delivery_ids) & (deliveries.c.state == State.PENDING)
    with db.write() as c:
        c.execute(update(deliveries).where(mine).values(handed_until=None))
