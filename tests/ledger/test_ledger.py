"""The ledger's promises, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text

from mappings.source import Naming
from tests.conftest import Clock
from worker.allowance import Allowance
from worker.errors import LeaseLost, LedgerUnavailable
from worker.ids import new_id
from worker.ledger import deliveries, due, duties, intake, limits, search
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, Closing
from worker.ledger.migrate import _config
from worker.ledger.new_events import NewEvent
from worker.ledger.steps import Busy, Checkpoints, Done, Linked, Reserved, StepName
from worker.ledger.tables import State, events, metadata
from worker.ledger.verdicts import Verdict
from worker.ledger.version import newest, require_current
from worker.patience import Failing

LEASE = timedelta(seconds=30)
STEP = StepName("account", "acct-lan", 0, "0" * 64)


def new_event(key: str = "e1", **naming: Any) -> NewEvent:
    return NewEvent(
        source="shop",
        naming=Naming(type="orders/create", dedup_key=key, **naming),
        verdict=Verdict.ROUTED,
        content_type="application/json",
        headers={"x-shopify-topic": "orders/create"},
        body=b'{"id": 1, "name": "\x00\xff"}',
        connections=["opla"],
    )


def stored(db: Database, clock: Clock, key: str = "e1", **naming: Any) -> str:
    (delivery,) = intake.store(db, new_event(key, **naming), clock()).deliveries
    clock.forward(microseconds=1)
    return delivery[1]


def claimed(db: Database, clock: Clock, delivery_id: str) -> Claim:
    claim = deliveries.claim(db, delivery_id, clock(), LEASE)
    assert claim is not None
    return claim


def checkpoints(db: Database, clock: Clock, claim: Claim) -> Checkpoints:
    return Checkpoints(db, claim, clock, LEASE)


def state(db: Database, delivery_id: str) -> str:
    found = search.show_delivery(db, delivery_id)
    assert found is not None
    return str(found["state"])


def at_once(threads: int, work: Callable[[], Any]) -> list[Any]:
    """Run `work` in `threads` threads that start together; return what each returned."""
    results: list[Any] = []
    barrier = threading.Barrier(threads)

    def run() -> None:
        barrier.wait()
        results.append(work())

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert len(results) == threads, "a thread failed"
    return results


def test_an_event_comes_back_byte_for_byte(db: Database, clock: Clock) -> None:
    """Otherwise a stored event could not be mapped again, and its signature not be checked again."""
    claim = claimed(db, clock, stored(db, clock))
    assert claim.event.body == b'{"id": 1, "name": "\x00\xff"}'
    assert claim.event.headers == {"x-shopify-topic": "orders/create"}
    assert claim.event.received_at.utcoffset() == timedelta(0)


def test_the_second_post_of_an_event_is_the_first_one(db: Database, clock: Clock) -> None:
    """Otherwise a sender that posts twice makes two leads."""
    first = intake.store(db, new_event(), clock())
    again = intake.store(db, new_event(), clock())
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.event_id == first.event_id
    assert again.deliveries == ()
    assert [e["repeats"] for e in search.list_events(db)] == [1]
    assert len(search.list_deliveries(db)) == 1


def test_of_twelve_posts_at_once_one_is_stored(db: Database, clock: Clock) -> None:
    """Otherwise a double click, or a sender's two servers, make two leads."""
    answers = at_once(12, lambda: intake.store(db, new_event(), clock()))
    assert sum(not answer.duplicate for answer in answers) == 1
    assert len({answer.event_id for answer in answers}) == 1


def test_equal_content_is_a_new_event_when_its_window_is_over(db: Database, clock: Clock) -> None:
    """Otherwise somebody who fills in the same form next week is never heard."""
    window = timedelta(minutes=10)
    first = intake.store(db, new_event(window=window), clock())
    clock.forward(minutes=9)
    assert intake.store(db, new_event(window=window), clock()).event_id == first.event_id
    clock.forward(minutes=2)
    later = at_once(6, lambda: intake.store(db, new_event(window=window), clock()))
    assert sum(not answer.duplicate for answer in later) == 1
    with db.read() as c:
        assert c.execute(select(func.count()).select_from(events)).scalar() == 2


def test_equal_content_is_a_new_event_once_its_entity_was_told_of_otherwise(
    db: Database, clock: Clock
) -> None:
    """Otherwise a ticket that is solved, opened and solved within two hours stays open at the CRM."""
    told = {"entity": "ticket-7", "window": timedelta(hours=2)}
    solved = intake.store(db, new_event("solved", **told), clock())
    clock.forward(seconds=5)
    assert intake.store(db, new_event("solved", **told), clock()).event_id == solved.event_id
    intake.store(db, new_event("of another", entity="ticket-8", window=told["window"]), clock())
    assert intake.store(db, new_event("solved", **told), clock()).event_id == solved.event_id
    intake.store(db, new_event("open", **told), clock())
    again = intake.store(db, new_event("solved", **told), clock())
    assert not again.duplicate
    assert intake.store(db, new_event("solved", **told), clock()).event_id == again.event_id


def test_of_sixteen_workers_one_gets_a_delivery(db: Database, clock: Clock) -> None:
    """Otherwise a redelivered task makes a second record."""
    delivery = stored(db, clock)
    claims = at_once(16, lambda: deliveries.claim(db, delivery, clock(), LEASE))
    assert sum(claim is not None for claim in claims) == 1


def test_a_dead_workers_delivery_is_claimed_when_its_lease_is_over(db: Database, clock: Clock) -> None:
    """Otherwise a killed worker's deliveries are stuck for ever, or sent twice while it lives."""
    delivery = stored(db, clock)
    dead = claimed(db, clock, delivery)
    clock.forward(seconds=29)
    assert deliveries.claim(db, delivery, clock(), LEASE) is None
    clock.forward(seconds=2)
    alive = claimed(db, clock, delivery)
    with pytest.raises(LeaseLost):
        deliveries.close(db, dead, Closing(State.FAILED, clock()), Attempt(1), clock())
    deliveries.close(
        db, alive, Closing(State.DELIVERED, clock(), record_id="r1", spent=True), Attempt(1), clock()
    )
    found = search.show_delivery(db, delivery)
    assert found is not None
    assert (found["state"], found["record_id"], len(found["history"])) == ("delivered", "r1", 1)


def test_a_delivery_that_waits_is_not_claimed_before_its_time(db: Database, clock: Clock) -> None:
    """Otherwise a CRM that is down is called without pause."""
    delivery = stored(db, clock)
    later = clock() + timedelta(minutes=5)
    deliveries.close(
        db, claimed(db, clock, delivery), Closing(State.WAITING, later, "VendorDown"), None, clock()
    )
    assert deliveries.claim(db, delivery, clock(), LEASE) is None
    assert due.hand_over(db, "opla", 10, clock(), LEASE) == []
    clock.forward(minutes=5)
    assert deliveries.claim(db, delivery, clock(), LEASE) is not None


def test_what_was_handed_over_is_not_handed_over_again_at_once(db: Database, clock: Clock) -> None:
    """Otherwise every sweep publishes the whole backlog anew and the broker fills up."""
    ids = [stored(db, clock, f"e{n}") for n in range(5)]
    assert due.hand_over(db, "opla", 10, clock(), LEASE) == []  # the door's own hand-off has its grace
    clock.forward(seconds=6)
    assert due.hand_over(db, "opla", 3, clock(), LEASE) == ids[:3]
    assert due.hand_over(db, "opla", 3, clock(), LEASE) == ids[3:]
    assert due.hand_over(db, "opla", 3, clock(), LEASE) == []
    clock.forward(seconds=31)
    assert due.hand_over(db, "opla", 10, clock(), LEASE) == ids
    assert due.hand_over(db, "centia", 10, clock(), LEASE) == []


def test_two_sweeps_at_once_share_what_is_due(db: Database, clock: Clock) -> None:
    """Otherwise two workers that both think they sweep double every task."""
    ids = {stored(db, clock, f"e{n}") for n in range(20)}
    clock.forward(seconds=6)
    handed = at_once(4, lambda: due.hand_over(db, "opla", 20, clock(), LEASE))
    flat = [delivery for part in handed for delivery in part]
    assert sorted(flat) == sorted(set(flat))
    assert set(flat) <= ids


def test_an_entitys_events_are_applied_one_after_the_other(db: Database, clock: Clock) -> None:
    """Otherwise `paid` overtakes `created` and the CRM shows an open order for ever."""
    first, second = (
        stored(db, clock, key, entity="order-1", version=version) for key, version in ("a1", "b2")
    )
    other = stored(db, clock, "c", entity="order-2", version="1")
    holding = claimed(db, clock, first)
    assert deliveries.claim(db, second, clock(), LEASE) is None
    assert state(db, second) == "blocked"
    assert deliveries.claim(db, other, clock(), LEASE) is not None
    deliveries.close(db, holding, Closing(State.DELIVERED, clock()), None, clock())
    clock.forward(seconds=2)
    assert deliveries.claim(db, second, clock(), LEASE) is not None


def test_a_stale_event_of_an_entity_is_superseded(db: Database, clock: Clock) -> None:
    """Otherwise a late `created` overwrites what `paid` has written."""
    newer = stored(db, clock, "a", entity="order-1", version="2026-03-02T10:00:01.000000Z")
    stale = stored(db, clock, "b", entity="order-1", version="2026-03-02T10:00:00.000000Z")
    deliveries.close(db, claimed(db, clock, newer), Closing(State.DELIVERED, clock()), None, clock())
    assert deliveries.claim(db, stale, clock(), LEASE) is None
    assert state(db, stale) == "superseded"


def test_a_held_connection_spends_nothing(db: Database, clock: Clock) -> None:
    """Otherwise an expired password uses up the attempts of the whole backlog."""
    delivery = stored(db, clock)
    limits.hold(db, "opla", clock() + timedelta(minutes=1), "credentials refused")
    limits.hold(db, "opla", clock() + timedelta(seconds=1), "a shorter hold")
    assert deliveries.claim(db, delivery, clock(), LEASE) is None
    found = search.show_delivery(db, delivery)
    assert found is not None
    assert (found["state"], found["attempts"], found["reason"]) == ("held", 0, "credentials refused")
    clock.forward(seconds=61)
    assert deliveries.claim(db, delivery, clock(), LEASE) is not None


def test_a_record_that_another_delivery_makes_is_waited_for(db: Database, clock: Clock) -> None:
    """Otherwise twenty orders of one new customer make twenty accounts."""
    one, two = (claimed(db, clock, stored(db, clock, key)) for key in "ab")
    mine, theirs = checkpoints(db, clock, one), checkpoints(db, clock, two)
    assert mine.open(STEP) == Reserved(None)
    assert theirs.open(STEP) == Busy(one.id)
    mine.intend(STEP)
    mine.finish(STEP, "r1")
    mine.write()
    assert theirs.open(STEP) == Linked("r1")
    assert mine.open(STEP) == Done("r1")


def test_a_record_whose_maker_died_is_taken_over_with_its_doubt(db: Database, clock: Clock) -> None:
    """Otherwise the next delivery creates it again, though the dead worker's call may have worked."""
    one, two = (claimed(db, clock, stored(db, clock, key)) for key in "ab")
    checkpoints(db, clock, one).open(STEP)
    checkpoints(db, clock, one).intend(STEP)
    left_at = clock()
    clock.forward(seconds=20)
    deliveries.prolong(db, two, clock(), LEASE)
    assert checkpoints(db, clock, two).open(STEP) == Busy(one.id)
    clock.forward(seconds=11)
    assert checkpoints(db, clock, two).open(STEP) == Reserved(left_at, risked_by=one.id)
    with pytest.raises(LeaseLost):
        checkpoints(db, clock, one).intend(STEP)


def test_what_surely_did_not_happen_leaves_no_doubt(db: Database, clock: Clock) -> None:
    """Otherwise every refused connection costs a look-up and a wait."""
    claim = claimed(db, clock, stored(db, clock))
    steps = checkpoints(db, clock, claim)
    steps.open(STEP)
    steps.intend(STEP)
    steps.retract(STEP)
    assert steps.open(STEP) == Reserved(None)


def test_an_operators_word_ends_a_doubt(db: Database, clock: Clock) -> None:
    """Otherwise a parked delivery can never be released."""
    delivery = stored(db, clock)
    claim = claimed(db, clock, delivery)
    checkpoints(db, clock, claim).open(STEP)
    checkpoints(db, clock, claim).intend(STEP)
    checkpoints(db, clock, claim).mark_unknown(STEP)
    deliveries.close(db, claim, Closing(State.FAILED, clock(), "NotConfigured"), None, clock())
    assert search.release(db, delivery, "ana", clock(), not_made=True)
    assert not search.release(db, delivery, "ana", clock())  # it is pending already
    assert checkpoints(db, clock, claimed(db, clock, delivery)).open(STEP) == Reserved(None)


def test_one_process_at_a_time_has_a_duty(db: Database, clock: Clock) -> None:
    """Otherwise every worker sweeps, or none after the one that did is dead."""
    first, second = new_id(), new_id()
    five = timedelta(seconds=5)
    assert duties.take(db, "sweep", first, clock(), five)
    assert not duties.take(db, "sweep", second, clock(), five)
    clock.forward(seconds=4)
    assert duties.take(db, "sweep", first, clock(), five)
    clock.forward(seconds=6)
    assert sum(at_once(6, lambda: duties.take(db, "sweep", new_id(), clock(), five))) == 1


def test_a_budget_is_shared_by_all_who_ask(db: Database, clock: Clock) -> None:
    """Otherwise two workers send a CRM twice what it allows, and it locks the account."""
    five = Allowance(per_second=5)
    away = at_once(20, lambda: limits.take(db, "opla", five, True, clock()))
    assert away.count(None) == 6  # one second's worth ahead, and the one that is due
    clock.forward(seconds=1)
    assert [limits.take(db, "opla", five, True, clock()) for _ in range(20)].count(None) == 5


def test_the_migrations_make_the_tables_that_the_code_uses(db: Database) -> None:
    """Otherwise an installation that was upgraded differs from a new one."""
    require_current(db)
    with db.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_ledger_of_another_version_is_refused_with_the_remedy(db: Database, tmp_path: Path) -> None:
    """Otherwise a release meets tables that it does not know, and fails at the first webhook."""
    says = "UPDATE alembic_version SET version_num = :version"
    with db.write() as c:
        c.execute(text(says), {"version": "0001"})
    try:
        with pytest.raises(LedgerUnavailable, match=r"is at version 0001, .* run `relay migrate`"):
            require_current(db)
    finally:
        with db.write() as c:
            c.execute(text(says), {"version": newest()})
    without = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}", threads=1)
    with pytest.raises(LedgerUnavailable, match=r"has no tables yet: run `relay migrate`"):
        require_current(without)
    without.close()


def test_a_ledger_that_is_away_is_named_as_such(clock: Clock) -> None:
    """Otherwise the sender gets a 500 and drops the event for good."""
    for url in ("sqlite:////proc/nowhere.sqlite", "postgresql://nobody@127.0.0.1:1/none"):
        db = Database(url)
        with pytest.raises(LedgerUnavailable):
            intake.store(db, new_event(), clock())
        db.close()


def test_a_claim_says_what_came_before(db: Database, clock: Clock) -> None:
    """Otherwise the backoff starts anew at every attempt and patience never ends."""
    delivery = stored(db, clock)
    told = Failing(clock(), timedelta(hours=3, milliseconds=1))
    failing = Closing(State.WAITING, clock(), "VendorDown", "503", spent=True, failed_try=True, failing=told)
    deliveries.close(db, claimed(db, clock, delivery), failing, Attempt(3, "VendorDown", 503), clock())
    clock.forward(seconds=1)
    second = claimed(db, clock, delivery)
    kept = Failing(told.since, timedelta(hours=3, seconds=1))  # whole seconds, never less than there were
    assert (second.attempts, second.tries, second.failing) == (1, 1, kept)
    deliveries.close(db, second, replace(failing, due_at=clock(), spent=False, failing=None), None, clock())
    third = claimed(db, clock, delivery)
    assert (third.attempts, third.failing) == (1, kept)
    deliveries.close(db, third, Closing(State.FAILED, clock(), "VendorDown", "503"), None, clock())
    assert search.release(db, delivery, "olga", clock())
    assert claimed(db, clock, delivery).failing == Failing(), (
        "who releases it gives it all of its patience again"
    )


def test_the_newest_migration_is_the_one_that_alembic_would_stop_at() -> None:
    """If this fails, a receiver refuses the ledger that was just migrated, or takes an old one."""
    assert newest() == ScriptDirectory.from_config(_config()).get_current_head()
