"""The one order in which payloads are locked: by what empties them, and by what makes their deliveries due."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from worker.ledger.tables import deliveries, events


def lock_payloads(c: Connection, event_ids: Sequence[str]) -> None:
    """Lock these events and then their deliveries, until the transaction ends; what is read after it stays true.

    A condition in the statement that writes is not enough: PostgreSQL asks it anew of the row that was waited for,
    and not of the other rows that it names. SQLite has one writer, so there it locks nothing.
    """
    of_events = select(events.c.id).where(events.c.id.in_(event_ids)).order_by(events.c.id)
    of_deliveries = select(deliveries.c.id).where(deliveries.c.event_id.in_(event_ids))
    c.execute(of_events.with_for_update())
    c.execute(of_deliveries.order_by(deliveries.c.id).with_for_update())
