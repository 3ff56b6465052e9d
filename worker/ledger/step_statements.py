"""The statements of the checkpoints. Built once, because building takes five times as long as running."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, select, update

from worker.ledger.prepared import Prepared
from worker.ledger.tables import State, StepState, deliveries, links, steps
from worker.ledger.utc_time import UtcTime


def _own() -> tuple[ColumnElement[bool], ...]:
    return tuple(steps.c[name] == bindparam(f"of_{name}") for name in ("delivery_id", "kind", "key"))


def _same() -> tuple[ColumnElement[bool], ...]:
    return tuple(links.c[name] == bindparam(f"of_{name}") for name in ("connection", "kind", "key"))


#: The columns of a new link.
RESERVED = ("connection", "kind", "key", "holder", "risked_at", "risked_by", "updated_at")
STEP = Prepared(
    select(
        steps.c.state, steps.c.record_id, steps.c.was_there, steps.c.request_digest, steps.c.updated_at
    ).where(*_own())
)
REMOVE = Prepared(delete(links).where(*_same()))
#: Of this record only: another delivery may have made a new one under the same key meanwhile.
GONE = Prepared(delete(links).where(*_same(), links.c.record_id == bindparam("record")))
FORGET = Prepared(delete(steps).where(*_own()))
DOUBT = Prepared(
    update(steps)
    .where(*_own())
    .values(state=StepState.UNKNOWN, request_digest=bindparam("digest"), updated_at=bindparam("now_"))
)
LINK = Prepared(select(links).where(*_same()).with_for_update())
TAKE_OVER = Prepared(
    update(links).where(*_same()).values(holder=bindparam("by"), updated_at=bindparam("now_"))
)
RISK = Prepared(
    update(links)
    .where(*_same())
    .values(risked_at=bindparam("at_"), risked_by=bindparam("by"), updated_at=bindparam("now_"))
)
KNOWN = Prepared(
    update(links)
    .where(*_same())
    .values(
        record_id=bindparam("record"),
        holder=None,
        risked_at=None,
        risked_by=None,
        updated_at=bindparam("now_"),
    )
)
AT_WORK = Prepared(
    select(deliveries.c.id).where(
        deliveries.c.id == bindparam("holder"),
        deliveries.c.state == State.SENDING,
        deliveries.c.lease_until >= bindparam("now_", type_=UtcTime),
    )
)


def parts(connection: str, kind: str, prefix: str, is_sqlite: bool) -> Select[Any]:
    """Return what selects the links of `kind` whose keys begin with `prefix` and whose records are known."""
    of = (links.c.connection == connection, links.c.kind == kind, links.c.record_id.is_not(None))
    query = select(links.c.key, links.c.record_id).where(*of, links.c.key.startswith(prefix, autoescape=True))
    if not is_sqlite:
        return query  # what lies between two texts depends on the collation there
    # Its LIKE uses no index, and would read all links of the kind.
    behind = f"{prefix[:-1]}{chr(ord(prefix[-1]) + 1)}"
    return query.where(links.c.key >= prefix, links.c.key < behind)
