"""The order in which the events of one entity are applied: one after the other, and no stale one at all.

It has a bound: one that cannot be delivered does not keep the later ones of its entity waiting for ever. Where they
have gone past it, it is superseded when its time comes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, not_, or_, select, update

from worker.ledger.breakers import usable_since
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import UNFINISHED, State, deliveries
from worker.ledger.utc_time import UtcTime

#: A delivery that waits for an earlier one of its entity looks again this often.
BLOCKED_DELAY = timedelta(seconds=1)
#: Outages are not counted, but after so many times its patience an earlier one is waited for no more in any case.
AT_MOST = 7
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_SAME = (deliveries.c.connection == bindparam("over")) & (deliveries.c.entity == bindparam("of"))
_MINE: ColumnElement[str] = bindparam("delivery")
#: Tried in vain since; what is held or has never been tried waits for its connection, and has not failed.
_TRIED_SINCE = func.coalesce(deliveries.c.failing_since, deliveries.c.created_at, type_=UtcTime)
_IN_VAIN = and_(
    deliveries.c.state.in_([literal_column(f"'{state}'") for state in (State.WAITING, State.UNKNOWN)]),
    deliveries.c.tries > 0,
    bindparam("past", type_=UtcTime) > _TRIED_SINCE,
)
_EARLIER = Prepared(
    select(deliveries.c.id, _TRIED_SINCE.label("tried_since"))
    .where(
        _SAME,
        deliveries.c.id < _MINE,
        deliveries.c.state.in_([literal_column(f"'{state}'") for state in UNFINISHED]),
        not_(_IN_VAIN),
    )
    .order_by(deliveries.c.id)
    .limit(1)
)


def _newer(is_newer: ColumnElement[bool]) -> Prepared:
    """Return what finds a delivery that has brought a newer state, or that went past ours and is at work."""
    at_work = and_(
        deliveries.c.state == State.SENDING,
        deliveries.c.lease_until >= bindparam("now_", type_=UtcTime),
        deliveries.c.id > _MINE,
    )
    delivered = and_(deliveries.c.state == State.DELIVERED, is_newer)
    return Prepared(
        select(deliveries.c.id, deliveries.c.state)
        .where(_SAME, or_(delivered, at_work))
        .order_by(deliveries.c.state)  # delivered comes before sending
        .limit(1)
    )


# Where a version is missing on either side, and where both are equal, what came later is newer.
_IS_NO_OLDER = or_(deliveries.c.version.is_(None), deliveries.c.version == bindparam("than"))
_NEWER = _newer(or_(deliveries.c.version > bindparam("than"), and_(_IS_NO_OLDER, deliveries.c.id > _MINE)))
_LATER = _newer(deliveries.c.id > _MINE)
_AWAY: dict[str, Any] = {
    "state": bindparam("next_state"),
    "due_at": bindparam("due"),
    "reason": bindparam("why"),
    "lease": None,
    "lease_until": None,
}
_OURS = update(deliveries).where(deliveries.c.id == _MINE)
_TURN_AWAY = Prepared(_OURS.values(**_AWAY))


def overtaken(t: Transaction, row: Any, now: datetime, patience: timedelta, adds: bool = False) -> bool:
    """Turn away a delivery that must wait for an earlier one of its entity, or that a newer one has overtaken.

    An earlier one is waited for until it has been tried in vain for `patience` while the connection was there.
    One that `adds` to what a newer one brought is let through: it `is_stale`.
    """
    same = {"over": row.connection, "of": row.entity, "delivery": row.id}
    earlier = _earlier(t, same, now, patience)
    if earlier:
        why = f"waits for delivery {earlier} of the same entity"
        turn_away(t, row, State.BLOCKED, now + BLOCKED_DELAY, why)
        return True
    newer = _newest(t, row, now)
    if newer and newer.state == State.SENDING:
        why = f"waits for delivery {newer.id} of the same entity, which overtook it"
        turn_away(t, row, State.BLOCKED, now + BLOCKED_DELAY, why)
        return True
    if newer and not adds:
        why = f"delivery {newer.id} brought a newer version of the same entity"
        turn_away(t, row, State.SUPERSEDED, now, why)
        return True
    return False


def is_stale(t: Transaction, row: Any, now: datetime) -> bool:
    """Say whether a newer state of the entity was delivered before."""
    return row.entity is not None and _newest(t, row, now) is not None


def _newest(t: Transaction, row: Any, now: datetime) -> Any:
    same = {"over": row.connection, "of": row.entity, "delivery": row.id, "now_": now}
    return t.first(_NEWER, {**same, "than": row.version}) if row.version else t.first(_LATER, same)


def _earlier(t: Transaction, same: dict[str, Any], now: datetime, patience: timedelta) -> str | None:
    first, past = t.first(_EARLIER, {**same, "past": _LONG_AGO}), now - patience
    if first is None:
        return None
    if first.tried_since >= past:
        return str(first.id)
    usable = usable_since(t, same["over"], now)
    if usable is not None and usable >= past and first.tried_since >= now - AT_MOST * patience:
        return str(first.id)
    # It has had its time, and the connection was there all the while.
    other = t.first(_EARLIER, {**same, "past": past})
    return None if other is None else str(other.id)


def turn_away(t: Transaction, row: Any, state: State, due_at: datetime, reason: str | None) -> None:
    """Give a delivery that was just claimed its state without an attempt."""
    t.run(_TURN_AWAY, {"delivery": row.id, "next_state": state, "due": due_at, "why": reason})
