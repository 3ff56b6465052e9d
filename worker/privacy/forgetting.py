"""Forgetting a person: every trace of them in the ledger is found and erased, and nothing is made twice after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mappings.errors import BadBody
from mappings.reading.person_search import Sought
from worker.errors import NotConfigured
from worker.ledger import persons
from worker.ledger.audits import note
from worker.ledger.database import Database
from worker.ledger.personal import is_personal, is_veiled
from worker.ledger.persons import Dossier, LinkName
from worker.ledger.stored_event import StoredEvent
from worker.ledger.tables import UNFINISHED, UPDATE
from worker.planning import source_of
from worker.settings import Settings

#: Events that one transaction erases.
BATCH = 20


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event of the person: `where` says in which places they stand, or that it is about the same thing."""

    id: str
    source: str
    type: str
    received_at: datetime
    where: tuple[str, ...]
    unfinished: int
    entity: str | None


@dataclass
class Found:
    """All that the ledger holds of a person, by id; nothing of it is what they said.

    `records` are (connection, kind, vendor's id), with None for one that may exist and whose id nobody knows.
    """

    events: list[FoundEvent] = field(default_factory=list)
    deliveries: int = 0
    attempts: int = 0
    steps: int = 0
    links: dict[LinkName, None] = field(default_factory=dict)
    audits: list[str] = field(default_factory=list)
    records: dict[tuple[str, str, str | None], None] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        return not (self.events or self.links or self.audits)


@dataclass
class Erased:
    """What was erased; `in_flight` are events of which a delivery was at work, `links_left` links alike."""

    events: int = 0
    links: int = 0
    in_flight: list[str] = field(default_factory=list)
    links_left: int = 0


def find(settings: Settings, db: Database, who: Sought, told: Callable[[int], None]) -> Found:
    """Return what the ledger holds of `who`; `told` hears of each event that was looked at.

    Events about the same order or ticket as one of theirs are theirs, too, where they name nobody. Raises
    LedgerUnavailable.
    """
    found = Found()
    for dossier in persons.dossiers(db):
        where = tuple(_places(settings, who, dossier))
        if where:
            _add(found, dossier, where)
        told(1)
    _add_same_entities(found, db)
    of_steps, found.links = found.links, {}
    for name, record_id in persons.link_names(db):
        is_theirs = who.is_in_key(name[2], list(settings.sources))
        if is_theirs:
            found.records[name[0], name[1], record_id] = None
        if is_theirs or name in of_steps or who.may_be_in_key(name[2]):
            found.links[name] = None
    found.audits = [id_ for id_, subject in persons.audit_subjects(db) if who.is_in(subject)]
    return found


def erase(db: Database, found: Found, now: Callable[[], datetime], operator: str) -> Erased:
    """Erase what was found, a few events in each transaction, and write down that it was done, not for whom.

    Raises LedgerUnavailable; what was erased by then stays so, and the next run goes on.
    """
    done = Erased()
    for start in range(0, len(found.events), BATCH):
        batch = found.events[start : start + BATCH]
        personal = {event.entity for event in batch if event.entity and "entity" in event.where}
        with db.write() as c:
            in_flight = persons.erase_events(c, [event.id for event in batch], personal, now())
        done.in_flight += in_flight
        done.events += len(batch) - len(in_flight)
    names = list(found.links)
    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        with db.write() as c:
            left = persons.veil_links(c, some, now())
        done.links_left += left
        done.links += len(some) - left
    with db.write() as c:
        persons.veil_audit(c, found.audits)
        note(c, now(), operator, "forget", f"a person: {done.events} events, {done.links} links")
    return done


def _places(settings: Settings, who: Sought, dossier: Dossier) -> Iterator[str]:
    """Yield where in an event and what hangs on it the person stands."""
    event = dossier.event
    texts: dict[str, Any] = {
        "headers": event.headers,
        "fetched": json.loads(event.fetched or "null"),
        "entity": event.entity,
        "reason": [row["reason"] for row in dossier.deliveries],
        "fields": [row["field_ledger"] for row in dossier.deliveries],
        "excerpt": [row["excerpt"] for row in dossier.attempts],
    }
    if who.is_in(_payload(settings, event)):
        yield "body"
    yield from (place for place, value in texts.items() if who.is_in(value))
    if any(who.is_in_key(row["key"], list(settings.sources)) for row in dossier.steps):
        yield "steps"


def _payload(settings: Settings, event: StoredEvent) -> Any:
    """Return the body as its source reads it, and as it stands where its source cannot, or is there no more."""
    if not event.body:
        return None
    try:
        return source_of(settings, event)[1].read(event.body, event.content_type), event.body
    except (BadBody, NotConfigured):
        return event.body


def _add(found: Found, dossier: Dossier, where: tuple[str, ...]) -> None:
    event = dossier.event
    unfinished = sum(row["state"] in UNFINISHED for row in dossier.deliveries)
    told = (event.id, event.source, event.type, event.received_at, where, unfinished)
    found.events.append(FoundEvent(*told, event.entity))
    found.deliveries += len(dossier.deliveries)
    found.attempts += len(dossier.attempts)
    found.steps += len(dossier.steps)
    connections = {row["id"]: row["connection"] for row in dossier.deliveries}
    for row in dossier.steps:
        kind, connection = row["kind"].removesuffix(UPDATE), connections[row["delivery_id"]]
        # A product is everybody's, and stays.
        if not row["key"].startswith("prod-") and (row["record_id"] or persons.doubtful(row)):
            found.records[connection, kind, row["record_id"]] = None
        if is_personal(row["key"]) and not is_veiled(row["key"]):
            found.links[connection, kind, row["key"]] = None


def _add_same_entities(found: Found, db: Database) -> None:
    known = {event.id for event in found.events}
    entities: dict[str, set[str]] = {}
    for event in found.events:
        if event.entity:
            entities.setdefault(event.source, set()).add(event.entity)
    for source, some in sorted(entities.items()):
        ids = [i for i in persons.same_entities(db, source, sorted(some)) if i not in known]
        for dossier in persons.dossiers_of(db, ids):
            _add(found, dossier, ("same entity",))
