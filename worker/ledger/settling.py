"""Deliveries that wait for what becomes of a thing, such as a checkout that may be an order in a minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, or_, update

from mappings.source import Naming
from worker.ledger.personal import bounded
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import State, deliveries
from worker.ledger.utc_time import UtcTime

_NOW = bindparam("now_", type_=UtcTime)
#: A delivery that is pending and not yet due waits for nothing else: what failed is waiting, not pending.
_WAITING = (
    update(deliveries)
    .where(
        deliveries.c.connection == bindparam("over"),
        deliveries.c.entity == bindparam("of"),
        deliveries.c.event_id < bindparam("event"),
        deliveries.c.state == State.PENDING,
        deliveries.c.due_at > _NOW,
    )
    .values(state=State.SUPERSEDED, reason=bindparam("why"), updated_at=_NOW)
)
#: The outcome of a thing is newer than all of its states. Not by a version that sorts behind every other: which
#: text that is depends on the collation of a PostgreSQL database.
_SETTLE = Prepared(_WAITING)
_SETTLE_OLDER = Prepared(
    _WAITING.where(or_(deliveries.c.version.is_(None), deliveries.c.version <= bindparam("than")))
)


def settle(
    t: Transaction, source: str, naming: Naming, connections: Sequence[str], event_id: str, now: datetime
) -> None:
    """Supersede what still waits over `connections` for the thing that the event `event_id` settles, if any."""
    if not naming.settles:
        return
    values = {
        "of": bounded(f"{source}:{naming.settles}"),
        "event": event_id,
        "now_": now,
        "why": f"event {event_id} ({naming.type}) came while it waited",
    }
    if naming.settles == naming.entity:
        newer = {**values, "than": naming.version or ""}
        t.run_all(_SETTLE_OLDER, [{**newer, "over": name} for name in connections])
    else:
        t.run_all(_SETTLE, [{**values, "over": name} for name in connections])


def waiting_for(naming: Naming) -> str | None:
    """Return what to tell an operator of a delivery that is not due at once."""
    if not naming.settle:
        return None
    return f"waits {naming.settle.total_seconds() / 60:g} minutes for what becomes of {naming.entity}"
