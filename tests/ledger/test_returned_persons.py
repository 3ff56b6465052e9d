"""Somebody who was forgotten comes back: what they have at the vendor is found again, and not made twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import select, text

from mappings.source import Naming
from tests.conftest import Clock
from worker.ids import new_id
from worker.ledger import deliveries, intake, persons
from worker.ledger.database import Database
from worker.ledger.migrate import _config
from worker.ledger.new_events import NewEvent
from worker.ledger.personal import bounded, is_personal, veiled
from worker.ledger.steps import Checkpoints, Linked, Opening, Reserved, StepName
from worker.ledger.tables import links, metadata
from worker.ledger.verdicts import Verdict

LEASE = timedelta(seconds=30)
KEY = "hook-lan@example.com"
STEP = StepName("lead", KEY, 0, "0" * 64)

OLD_EVENT = (
    "INSERT INTO events (id, source, type, dedup_key, verdict, received_at, content_type, headers, body, repeats) "
    "VALUES (:id, 'hook', 't', :key, 'routed', :at, 'text/plain', '{}', :body, 0)"
)
OLD_DELIVERY = (
    "INSERT INTO deliveries (id, event_id, connection, entity, state, attempts, tries, due_at, created_at, "
    "updated_at) VALUES (:id, :id, 'opla', :entity, 'delivered', 1, 0, :at, :at, :at)"
)


def checkpoints(db: Database, clock: Clock, key: str) -> Checkpoints:
    ((_, delivery),) = stored(db, clock, key)
    return claimed(db, clock, delivery)


def stored(db: Database, clock: Clock, key: str) -> Sequence[tuple[str, str]]:
    event = NewEvent("hook", Naming("t", key), Verdict.ROUTED, "text/plain", {}, b"", ["opla"])
    return intake.store(db, event, clock()).deliveries


def claimed(db: Database, clock: Clock, delivery: str) -> Checkpoints:
    claim = deliveries.claim(db, delivery, clock(), LEASE)
    assert claim is not None
    return Checkpoints(db, claim, clock, LEASE)


def forget_link(db: Database, clock: Clock) -> None:
    with db.write() as c:
        assert persons.veil_links(c, [("opla", "lead", KEY)], clock()) == 0


def keys(db: Database) -> list[str]:
    with db.read() as c:
        return list(c.scalars(select(links.c.key)))


def opened(db: Database, clock: Clock, at_once: bool) -> Opening:
    return checkpoints(db, clock, new_id()).open(STEP, at_once)


def make(db: Database, clock: Clock) -> None:
    first = checkpoints(db, clock, "first")
    first.open(STEP, at_once=True)
    first.finish(STEP, "L1")
    first.write()
    forget_link(db, clock)
    assert keys(db) == [veiled(KEY)]


def test_a_record_of_their_own_is_found_by_its_digest(db: Database, clock: Clock) -> None:
    """Otherwise a late change of what a forgotten person sent makes a second lead."""
    make(db, clock)
    assert opened(db, clock, at_once=True) == Linked("L1")
    assert keys(db) == [KEY], "they are back, by their own word"


def test_a_shared_record_is_looked_up_again(db: Database, clock: Clock) -> None:
    """Otherwise their next order hangs on an account that somebody has erased at the vendor, too."""
    make(db, clock)
    assert opened(db, clock, at_once=False) == Reserved(None)
    assert keys(db) == [KEY]


def test_a_doubt_outlives_the_name(db: Database, clock: Clock) -> None:
    """Otherwise what a lost answer may have made is made again."""
    risked = clock()
    ((_, first),) = stored(db, clock, "first")
    claimed(db, clock, first).open(STEP, at_once=True)
    clock.forward(minutes=1)  # its worker is dead
    forget_link(db, clock)
    assert opened(db, clock, at_once=True) == Reserved(risked, as_sent=False, risked_by=first)


def test_a_link_that_is_being_made_is_left(db: Database, clock: Clock) -> None:
    """Otherwise the worker that makes the record cannot note its id."""
    checkpoints(db, clock, "first").open(STEP, at_once=True)
    with db.write() as c:
        assert persons.veil_links(c, [("opla", "lead", KEY)], clock()) == 1
    assert keys(db) == [KEY]


@pytest.mark.parametrize(
    ("key", "personal"),
    [
        ("acct-lan@example.com", True),
        ("cont-+84901234567", True),
        ("info-cont-a.very.long.address.of.somebody@exam-0123456789", True),
        ("shop-order-1001", False),
        ("2026-03-02T12:00:00+01:00", False),
        ("sha256:" + "0" * 64, False),
    ],
)
def test_which_keys_tell_who_somebody_is(key: str, personal: bool) -> None:
    """Otherwise an address stands in an index for ever, or an order's number can no longer be read."""
    assert is_personal(key) is personal


def test_keys_from_before_are_digested_once(db: Database, clock: Clock) -> None:
    """Otherwise a repetition of what came before the upgrade is taken for something new."""
    rows = {"e1": "lan@example.com", "e2": "1001", "e3": "<a.b@mail.example.com>"}
    with db.write() as c:
        metadata.drop_all(c)
        c.execute(text("DROP TABLE alembic_version"))
        config = _config()
        config.attributes["connection"] = c
        command.upgrade(config, "0001")
        for id_, key in rows.items():
            own = {"id": id_, "key": key, "at": "2026-03-02 12:00:00", "entity": f"hook:{key}"}
            c.execute(text(OLD_EVENT), {**own, "body": b""})
            c.execute(text(OLD_DELIVERY), own)
        command.upgrade(config, "head")
        found = c.execute(text("SELECT id, dedup_key FROM events ORDER BY id")).all()
        entities = c.execute(text("SELECT entity FROM deliveries ORDER BY id")).scalars().all()
    assert [tuple(row) for row in found] == [(id_, bounded(key)) for id_, key in rows.items()]
    assert entities == [bounded(f"hook:{key}") for key in rows.values()]
    assert [key.startswith("sha256:") for _, key in found] == [True, False, True]
    again = NewEvent("hook", Naming("t", "lan@example.com"), Verdict.ROUTED, "text/plain", {}, b"", ["opla"])
    assert intake.store(db, again, clock()).event_id == "e1"
