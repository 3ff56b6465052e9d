"""A person's traces in the ledger: read page by page, and erased in one transaction for a few events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, tuple_, update

from worker.ledger.database import Database
from worker.ledger.payload_locks import lock_payloads
from worker.ledger.personal import is_personal, veiled
from worker.ledger.purging import empty
from worker.ledger.stored_event import StoredEvent, stored_event
from worker.ledger.tables import (
    UNFINISHED,
    State,
    StepState,
    attempts,
    audit,
    deliveries,
    events,
    links,
    steps,
)

#: Events that are in memory at once: with the largest bodies that is as many MiB.
PAGE = 25
#: Keys that are read at once.
KEYS = 1000
FORGOTTEN = "the person was forgotten before it was delivered"

LinkName = tuple[str, str, str]  # connection, kind, key


@dataclass(frozen=True, slots=True)
class Dossier:
    """An event with all that hangs on it: rows of these tables."""

    event: StoredEvent
    deliveries: Sequence[Mapping[str, Any]]
    attempts: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]


def count_events(db: Database) -> int:
    """Return how many events `dossiers` yields."""
    with db.read() as c:
        return int(c.execute(select(func.count()).select_from(events)).scalar_one())


def dossiers(db: Database) -> Iterator[Dossier]:
    """Yield every event, the oldest first. Raises LedgerUnavailable."""
    after = ""
    while True:
        with db.read() as c:
            query = select(events).where(events.c.id > after).order_by(events.c.id).limit(PAGE)
            page = _dossiers(c, c.execute(query).all())
        yield from page
        if not page:
            return
        after = page[-1].event.id


def dossiers_of(db: Database, ids: Sequence[str]) -> Iterator[Dossier]:
    """Yield the events with these ids. Raises LedgerUnavailable."""
    for start in range(0, len(ids), PAGE):
        query = select(events).where(events.c.id.in_(ids[start : start + PAGE]))
        with db.read() as c:
            page = _dossiers(c, c.execute(query).all())
        yield from page


def same_entities(db: Database, source: str, entities: Sequence[str]) -> Iterator[str]:
    """Yield the ids of the events about these entities that still have their payload.

    Many at once, since no index leads to them: each look reads all events of the source.
    """
    whole = (events.c.source == source, events.c.purged_at.is_(None))
    for start in range(0, len(entities), KEYS):
        query = select(events.c.id).where(*whole, events.c.entity.in_(entities[start : start + KEYS]))
        with db.read() as c:
            yield from c.scalars(query.order_by(events.c.id)).all()


def link_names(db: Database) -> Iterator[tuple[LinkName, str | None]]:
    """Yield every link's name with the vendor's id of the record. Raises LedgerUnavailable."""
    names, after = (links.c.connection, links.c.kind, links.c.key), ("", "", "")
    while True:
        query = select(*names, links.c.record_id).where(tuple_(*names) > tuple_(*after))
        with db.read() as c:
            rows = c.execute(query.order_by(*names).limit(KEYS)).all()
        for row in rows:
            yield (row.connection, row.kind, row.key), row.record_id
        if not rows:
            return
        after = tuple(rows[-1][:3])


def audit_subjects(db: Database) -> Iterator[tuple[str, str]]:
    """Yield the id and the subject of every audit entry. Raises LedgerUnavailable."""
    after = ""
    while True:
        query = select(audit.c.id, audit.c.subject).where(audit.c.id > after).order_by(audit.c.id)
        with db.read() as c:
            rows = c.execute(query.limit(KEYS)).all()
        yield from ((row.id, row.subject) for row in rows)
        if not rows:
            return
        after = rows[-1].id


def erase_events(
    c: Connection, event_ids: Sequence[str], personal: Collection[str], now: datetime
) -> list[str]:
    """Erase these events, but for those of which a delivery is in flight; return the ids of those.

    What was not delivered yet never will be. `personal` are the entities that name the person.
    """
    mine = deliveries.c.event_id.in_(event_ids)
    lock_payloads(c, event_ids)
    rows = c.execute(select(deliveries).where(mine)).all()
    in_flight = {
        r.event_id for r in rows if r.state == State.SENDING and r.lease_until and r.lease_until >= now
    }
    ids = [event_id for event_id in event_ids if event_id not in in_flight]
    empty(c, ids, now)
    waiting = [row.id for row in rows if row.event_id in ids and row.state in UNFINISHED]
    ended = {
        "state": State.SKIPPED,
        "reason": FORGOTTEN,
        "lease": None,
        "lease_until": None,
        "updated_at": now,
    }
    c.execute(update(deliveries).where(deliveries.c.id.in_(waiting)).values(ended))
    for entity in personal:
        named = and_(events.c.id.in_(ids), events.c.entity == entity)
        c.execute(update(events).where(named).values(entity=veiled(entity)))
    _veil_steps(c, [row.id for row in rows if row.event_id in ids])
    return sorted(in_flight)


def veil_links(c: Connection, names: Sequence[LinkName], now: datetime) -> int:
    """Let these links tell no name any more; return how many were left because a delivery is at work on them."""
    left = 0
    for connection, kind, key in names:
        of = (links.c.connection == connection, links.c.kind == kind)
        row = c.execute(select(links.c.holder).where(*of, links.c.key == key).with_for_update()).one_or_none()
        if row is None:
            continue
        busy = select(deliveries.c.id).where(
            deliveries.c.id == row.holder,
            deliveries.c.state == State.SENDING,
            deliveries.c.lease_until >= now,
        )
        if row.holder is not None and c.execute(busy).first() is not None:
            left += 1
            continue
        # From an earlier time that they were forgotten: what was made since then is the record that counts.
        c.execute(delete(links).where(*of, links.c.key == veiled(key)))
        c.execute(update(links).where(*of, links.c.key == key).values(key=veiled(key)))
    return left


def veil_audit(c: Connection, ids: Sequence[str]) -> None:
    """Take the subjects of these audit entries away."""
    c.execute(update(audit).where(audit.c.id.in_(ids)).values(subject="forgotten"))


def doubtful(step: Mapping[str, Any]) -> bool:
    """Say whether a step's record may exist though nobody knows its id."""
    return step["state"] in (StepState.INTENDED, StepState.UNKNOWN)


def _veil_steps(c: Connection, delivery_ids: Sequence[str]) -> None:
    mine = steps.c.delivery_id.in_(delivery_ids)
    maybe = select(steps.c.delivery_id, steps.c.kind, steps.c.key).where(
        mine, or_(steps.c.key.contains("@"), steps.c.key.contains("+"))
    )
    for row in c.execute(maybe).all():
        if is_personal(row.key):
            this = (steps.c.delivery_id == row.delivery_id, steps.c.kind == row.kind, steps.c.key == row.key)
            c.execute(update(steps).where(*this).values(key=veiled(row.key)))


def _dossiers(c: Connection, found: Sequence[Any]) -> list[Dossier]:
    ids = [row.id for row in found]
    sent: list[Any] = [
        row._mapping for row in c.execute(select(deliveries).where(deliveries.c.event_id.in_(ids)))
    ]
    owners = {row["id"]: row["event_id"] for row in sent}

    def hanging(table: Any) -> dict[str, list[Mapping[Any, Any]]]:
        by_event: dict[str, list[Mapping[Any, Any]]] = {}
        for row in c.execute(select(table).where(table.c.delivery_id.in_(list(owners)))):
            by_event.setdefault(owners[row.delivery_id], []).append(row._mapping)
        return by_event

    tried, made = hanging(attempts), hanging(steps)
    return [
        Dossier(
            stored_event(row),
            [one for one in sent if one["event_id"] == row.id],
            tried.get(row.id, []),
            made.get(row.id, []),
        )
        for row in found
    ]
