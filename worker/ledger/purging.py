"""What was kept long enough: first its payload is emptied, much later the row itself goes.

An emptied event keeps its row, its dedup key and its deliveries, so a late repetition is still recognised and an
older version still superseded. `links`, which say which record is whose, are never touched: without them the
update of an old order would make a second one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, or_, select, true, update

from worker.ledger.database import Database
from worker.ledger.payload_locks import lock_payloads
from worker.ledger.tables import State, attempts, deliveries, events

#: Ends of a delivery: of these a purge may be told. Nothing unfinished is ever purged.
ENDED = (State.DELIVERED, State.SUPERSEDED, State.SKIPPED, State.FAILED)
#: Events that one transaction looks at.
PAGE = 200
#: Rows that are read at once to find those: most were emptied long ago.
ROWS = 5000


@dataclass(frozen=True, slots=True)
class Ages:
    """What may go: payloads whose deliveries all ended before the moment of their state.

    `unrouted_before` is for events without deliveries, `delete_before` for whole rows that were emptied before
    it. A state that is not named, and None, keep for ever.
    """

    ended_before: Mapping[State, datetime] = field(default_factory=dict)
    unrouted_before: datetime | None = None
    delete_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """What one transaction did: events looked at, emptied, and deleted."""

    looked_at: int = 0
    emptied: int = 0
    deleted: int = 0

    def __add__(self, other: Slice) -> Slice:
        return Slice(
            self.looked_at + other.looked_at, self.emptied + other.emptied, self.deleted + other.deleted
        )


def count(db: Database, ages: Ages) -> Iterator[Slice]:
    """Yield, page by page, what `purge` would do; changes nothing. Raises LedgerUnavailable."""
    for page in _pages(db, ages):
        with db.read() as c:
            emptied, deleted = c.scalars(_ripe(page, ages)).all(), c.scalars(_outlived(page, ages)).all()
        yield Slice(len(page), len(emptied), len(deleted))


def purge(db: Database, ages: Ages, now: datetime) -> Iterator[Slice]:
    """Empty and delete what may go, a page in each transaction; yield what each came to once it is committed.

    Raises LedgerUnavailable. May be cut off at any time, and two at once do no harm.
    """
    for page in _pages(db, ages):
        due: list[str] = []
        if page:
            with db.read() as c:
                due = [*c.scalars(_ripe(page, ages)), *c.scalars(_outlived(page, ages))]
        if not due:
            yield Slice(len(page))
            continue
        with db.write() as c:
            # Whoever releases one of them at this moment waits, or has done so and is seen now. The events too: a
            # duplicate has no deliveries until it is released.
            lock_payloads(c, due)
            emptied, deleted = c.scalars(_ripe(due, ages)).all(), c.scalars(_outlived(due, ages)).all()
            if emptied:
                empty(c, emptied, now)
            if deleted:
                c.execute(delete(events).where(events.c.id.in_(deleted)))
        yield Slice(len(page), len(emptied), len(deleted))


def size(db: Database, ages: Ages) -> int:
    """Return how many events `count` and `purge` look at."""
    of = [events.c.purged_at.is_(None) & (events.c.received_at < moment) for moment in _whole_before(ages)]
    if ages.delete_before is not None:
        of.append(events.c.purged_at.is_not(None) & (events.c.received_at < ages.delete_before))
    query = select(func.count()).select_from(events).where(or_(~true(), *of))
    with db.read() as c:
        return c.execute(query).scalar_one()


def empty(c: Connection, event_ids: Sequence[str], now: datetime) -> None:
    """Take everything that a sender or a vendor said out of these events and what hangs on them."""
    of_these = deliveries.c.event_id.in_(event_ids)
    tries = select(deliveries.c.id).where(of_these)
    bare = {"body": b"", "headers": "{}", "fetched": None, "purged_at": now}
    c.execute(update(attempts).where(attempts.c.delivery_id.in_(tries)).values(excerpt=None))
    c.execute(update(deliveries).where(of_these).values(field_ledger=None, reason=None))
    c.execute(update(events).where(events.c.id.in_(event_ids)).values(bare))


def _pages(db: Database, ages: Ages) -> Iterator[Sequence[str]]:
    """Yield the ids of all events that are old enough, by the primary key: no page takes longer than another.

    An empty page stands for many events that were emptied before. Ids are in the order of their making, so the
    first rows of which none is old enough are the last ones.
    """
    emptied_before = max(_whole_before(ages), default=None)
    latest = max(filter(None, (emptied_before, ages.delete_before)), default=None)
    after = ""
    while latest is not None:
        query = select(events.c.id, events.c.received_at, events.c.purged_at).where(events.c.id > after)
        with db.read() as c:
            rows = c.execute(query.order_by(events.c.id).limit(ROWS)).all()
        if not any(row.received_at < latest for row in rows):
            return
        old = [
            row.id
            for row in rows
            if (before := emptied_before if row.purged_at is None else ages.delete_before) is not None
            and row.received_at < before
        ]
        yield from (old[start : start + PAGE] for start in range(0, len(old) or 1, PAGE))
        after = rows[-1].id


def _whole_before(ages: Ages) -> list[datetime]:
    """Return the moments before which an event that still has its payload may have lost it."""
    return [m for m in (*ages.ended_before.values(), ages.unrouted_before) if m is not None]


def _ripe(page: Sequence[str], ages: Ages) -> Select[Any]:
    """Select those of `page` whose payload may go."""
    mine = deliveries.c.event_id == events.c.id
    over = or_(
        *(
            and_(deliveries.c.state == state, deliveries.c.updated_at < moment)
            for state, moment in ages.ended_before.items()
        ),
        ~true(),
    )
    kept = exists().where(mine, ~over)
    routed = exists().where(mine)
    unrouted = ~true() if ages.unrouted_before is None else events.c.received_at < ages.unrouted_before
    return select(events.c.id).where(
        events.c.id.in_(page), events.c.purged_at.is_(None), ~kept, or_(routed, unrouted)
    )


def _outlived(page: Sequence[str], ages: Ages) -> Select[Any]:
    """Select those of `page` that were emptied and whose rows may go."""
    if ages.delete_before is None:
        return select(events.c.id).where(~true())
    mine = deliveries.c.event_id == events.c.id
    kept = exists().where(
        mine, or_(deliveries.c.state.not_in(ENDED), deliveries.c.updated_at >= ages.delete_before)
    )
    return select(events.c.id).where(
        events.c.id.in_(page),
        events.c.purged_at.is_not(None),
        events.c.received_at < ages.delete_before,
        ~kept,
    )
