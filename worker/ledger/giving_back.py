"""How a record that is gone at its vendor is given back to the engine, to be made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, select, update

from worker.ledger.audits import note
from worker.ledger.database import Database
from worker.ledger.deliveries import AFRESH
from worker.ledger.payload_locks import lock_payloads
from worker.ledger.tables import UPDATE, State, deliveries, events, links, steps

#: Also due again already, for another record of the same entity.
_GIVEN_BACK = (State.DELIVERED, State.PENDING)


@dataclass(frozen=True, slots=True)
class Lost:
    """A record that is to be made again: its kind, our key, and the vendor's id that is not there."""

    kind: str
    key: str
    id: str


def give_back(
    db: Database, delivery_id: str, lost: Sequence[Lost], operator: str, now: datetime
) -> tuple[str, list[Lost]]:
    """Make the newest delivery of the entity due again, for those of `lost` that it wants; return both.

    Their links lose the id and get a doubt, so that each is looked up before it is made. Nothing is done where
    that delivery is not delivered any more, wants none of them, or has lost its payload. An older delivery would
    be superseded.
    """
    again = {"state": State.PENDING, "due_at": now, **AFRESH}
    with db.write() as c:
        chosen = _locked(c, _newest(c, delivery_id))
        if chosen is None:
            return delivery_id, []
        wanted = [one for one in lost if _forgotten(c, chosen, one, now)]
        if wanted:
            mine = deliveries.c.id == chosen.id
            c.execute(update(deliveries).where(mine).values(**again, updated_at=now))
        for one in wanted:
            note(c, now, operator, "make again", f"{chosen.id}: {one.kind} {one.key}, was {one.id}")
        return chosen.id, wanted


def note_deleted(db: Database, operator: str, subject: str, now: datetime) -> None:
    """Write into the audit that a record was deleted at a vendor."""
    with db.write() as c:
        note(c, now, operator, "delete double", subject)


def _newest(c: Transaction, delivery_id: str) -> Any:
    """Return the delivery of the entity that none supersedes; None where its payload is purged."""
    columns = [deliveries.c[name] for name in ("id", "event_id", "connection", "entity", "version")]
    query = select(*columns, events.c.purged_at).join(events).where(deliveries.c.state.in_(_GIVEN_BACK))
    mine = c.execute(query.where(deliveries.c.id == delivery_id)).one_or_none()
    if mine is None:
        return None
    rows = [mine]
    if mine.entity is not None:
        same = (deliveries.c.connection == mine.connection) & (deliveries.c.entity == mine.entity)
        rows = list(c.execute(query.where(same)).all())
    newest = next((row for row in rows if not any(_supersedes(other, row) for other in rows)), None)
    return None if newest is None or newest.purged_at else newest


def _locked(c: Transaction, chosen: Any) -> Any:
    """Return the chosen delivery once nobody else can change it; None where it is not the one any more."""
    if chosen is None:
        return None
    lock_payloads(c, [chosen.event_id])
    now_is = _newest(c, chosen.id)
    return now_is if now_is is not None and now_is.id == chosen.id else None


def _supersedes(other: Any, row: Any) -> bool:
    """Say whether a claim of `row` would be turned away for `other`; see `worker.ledger.entity_order`."""
    if row.version and other.version and row.version != other.version:
        return bool(other.version > row.version)
    return bool(other.id > row.id)


def _forgotten(c: Transaction, chosen: Any, lost: Lost, now: datetime) -> bool:
    """Take the record's steps out of the delivery and its id out of the link; False where nothing is to be done."""
    mine = (steps.c.delivery_id == chosen.id) & (steps.c.key == lost.key)
    made = mine & (steps.c.kind == lost.kind)
    if c.execute(select(steps.c.key).where(made)).first() is None:
        return False
    link = (
        (links.c.connection == chosen.connection)
        & (links.c.kind == lost.kind)
        & (links.c.key == lost.key)
        & (links.c.record_id == lost.id)
    )
    # When it was made is when the create left: a look-up does not have to wait for the vendor's search.
    doubt = {"record_id": None, "holder": None, "risked_at": links.c.updated_at, "updated_at": now}
    if not c.execute(update(links).where(link).values(**doubt)).rowcount:
        return False
    c.execute(delete(steps).where(mine, steps.c.kind.in_([lost.kind, lost.kind + UPDATE])))
    return True
