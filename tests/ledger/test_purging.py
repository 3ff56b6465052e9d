"""What was kept long enough goes, what is unfinished never does, and nothing that prevents doubles is lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from mappings.source import Naming
from tests.conftest import Clock
from worker.ledger import deliveries, duties, intake, purging, search
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Closing
from worker.ledger.fetched import keep_fetched
from worker.ledger.new_events import NewEvent, Stored
from worker.ledger.purging import ENDED, Ages, Slice
from worker.ledger.steps import Checkpoints, StepName
from worker.ledger.tables import State, attempts, events, links
from worker.ledger.tables import deliveries as delivery_table
from worker.ledger.verdicts import Verdict
from worker.privacy.retention import DUTY, Retaining, ages
from worker.settings import Retention

LEASE = timedelta(seconds=30)
DAYS_90 = Retention(delivered=timedelta(days=90))


def post(db: Database, clock: Clock, key: str, to: tuple[str, ...] = ("opla",), **naming: Any) -> Stored:
    event = NewEvent(
        "shop",
        Naming("orders/create", key, **naming),
        Verdict.ROUTED,
        "application/json",
        {"x-name": "Lan"},
        b'{"name": "Lan"}',
        list(to),
    )
    stored = intake.store(db, event, clock())
    clock.forward(microseconds=1)
    return stored


def end(db: Database, clock: Clock, delivery: str, state: State = State.DELIVERED) -> None:
    """Make the record of a delivery and close it in `state`."""
    claim = deliveries.claim(db, delivery, clock(), LEASE)
    assert claim is not None
    checkpoints = Checkpoints(db, claim, clock, LEASE)
    step = StepName("opportunity", f"shop-{delivery}", 0, "0" * 64)
    checkpoints.open(step, at_once=True)
    checkpoints.finish(step, "R1")
    closing = Closing(
        state, clock(), reason="said Lan", spent=True, field_ledger='[{"from": "email"}]', record_id="R1"
    )
    deliveries.close(db, claim, closing, Attempt(5, excerpt="Lan"), clock(), checkpoints.write_into)


def force(db: Database, delivery: str, state: State) -> None:
    with db.write() as c:
        c.execute(update(delivery_table).where(delivery_table.c.id == delivery).values(state=state))


def purge(db: Database, wanted: Ages, now: datetime) -> Slice:
    done = Slice()
    counted = sum(purging.count(db, wanted), Slice())
    for part in purging.purge(db, wanted, now):
        done += part
    assert counted == done, "what was counted before is what is done"
    return done


def payloads(db: Database) -> list[bytes]:
    with db.read() as c:
        return list(c.scalars(select(events.c.body).order_by(events.c.id)))


def count(db: Database, table: Any) -> int:
    with db.read() as c:
        return int(c.execute(select(func.count()).select_from(table)).scalar_one())


def test_the_payload_goes_with_all_that_quotes_it(db: Database, clock: Clock) -> None:
    """Otherwise a purge leaves the name in an excerpt, and the operator has told the customer otherwise."""
    ((_, delivery),) = post(db, clock, "e1").deliveries
    end(db, clock, delivery)
    clock.forward(days=89)
    assert purge(db, ages(DAYS_90, clock()), clock()) == Slice(0)
    clock.forward(days=2)
    assert purge(db, ages(DAYS_90, clock()), clock()) == Slice(1, emptied=1)
    assert payloads(db) == [b""]
    with db.read() as c:
        assert c.execute(select(events.c.headers)).scalar_one() == "{}"
        assert c.execute(select(attempts.c.excerpt)).scalar_one() is None
    shown = search.show_delivery(db, delivery)
    assert shown is not None
    assert (shown["state"], shown["reason"], shown["field_ledger"]) == ("delivered", None, [])
    assert (shown["record_id"], shown["purged_at"]) == ("R1", clock())
    assert purge(db, ages(DAYS_90, clock()), clock()) == Slice(0), "once is enough"


def test_a_late_repetition_of_a_purged_event_is_still_one(db: Database, clock: Clock) -> None:
    """Otherwise a sender that posts an order again after a year makes a second one."""
    first = post(db, clock, "e1")
    end(db, clock, first.deliveries[0][1])
    clock.forward(days=400)
    purge(db, ages(DAYS_90, clock()), clock())
    again = post(db, clock, "e1")
    assert (again.duplicate, again.event_id) == (True, first.event_id)


def test_a_stale_version_is_superseded_by_a_purged_one(db: Database, clock: Clock) -> None:
    """Otherwise an old state of an order overwrites the newest one, once that was purged."""
    ((_, newer),) = post(db, clock, "e2", entity="order-1", version="2").deliveries
    end(db, clock, newer)
    clock.forward(days=400)
    purge(db, ages(DAYS_90, clock()), clock())
    ((_, stale),) = post(db, clock, "e1", entity="order-1", version="1").deliveries
    assert deliveries.claim(db, stale, clock(), LEASE) is None
    shown = search.show_delivery(db, stale)
    assert shown is not None
    assert shown["state"] == State.SUPERSEDED


@pytest.mark.parametrize("state", [state for state in State if state not in ENDED])
def test_nothing_unfinished_is_purged(db: Database, clock: Clock, state: State) -> None:
    """Otherwise an outage of a CRM that lasts longer than the age loses what waits for it."""
    ((_, done), (_, other)) = post(db, clock, "e1", to=("opla", "centia")).deliveries
    end(db, clock, done)
    force(db, other, state)
    clock.forward(days=4000)
    everything = Ages(dict.fromkeys(ENDED, clock()), clock(), clock())
    assert purge(db, everything, clock()) == Slice(1)
    assert payloads(db) == [b'{"name": "Lan"}']


@pytest.mark.parametrize(
    ("state", "retention"),
    [
        (State.DELIVERED, DAYS_90),
        (State.SUPERSEDED, DAYS_90),
        (State.SKIPPED, Retention(ignored=timedelta(days=90))),
        (State.FAILED, Retention(failed=timedelta(days=90))),
    ],
)
def test_each_end_has_its_own_age(db: Database, clock: Clock, state: State, retention: Retention) -> None:
    """Otherwise what a person still has to look at goes with what was delivered."""
    ((_, delivery),) = post(db, clock, "e1").deliveries
    end(db, clock, delivery, state)
    clock.forward(days=91)
    others = Retention(
        **{
            name: None if getattr(retention, name) else timedelta(days=1)
            for name in ("delivered", "ignored", "failed")
        }
    )
    assert purge(db, ages(others, clock()), clock()).emptied == 0
    assert purge(db, ages(retention, clock()), clock()).emptied == 1


def test_what_had_nowhere_to_go_is_ignored(db: Database, clock: Clock) -> None:
    """Otherwise pings and tests of a sender are kept for ever, or only what was delivered is not."""
    post(db, clock, "e1", to=())
    clock.forward(days=31)
    assert purge(db, ages(DAYS_90, clock()), clock()).emptied == 0
    assert purge(db, ages(Retention(ignored=timedelta(days=30)), clock()), clock()).emptied == 1


def test_the_age_counts_from_the_end_and_not_from_the_post(db: Database, clock: Clock) -> None:
    """Otherwise what waited for a year goes on the day of its delivery, before anybody saw it."""
    ((_, delivery),) = post(db, clock, "e1").deliveries
    clock.forward(days=365)
    end(db, clock, delivery)
    assert purge(db, ages(DAYS_90, clock()), clock()) == Slice(1)


def test_the_row_goes_after_its_second_age_and_the_links_stay(db: Database, clock: Clock) -> None:
    """Otherwise the ledger grows for ever, or the update of an old order makes a second one."""
    ((_, delivery),) = post(db, clock, "e1").deliveries
    end(db, clock, delivery)
    both = Retention(delivered=timedelta(days=90), remembered=timedelta(days=730))
    clock.forward(days=729)
    assert purge(db, ages(both, clock()), clock()) == Slice(1, emptied=1)
    clock.forward(days=2)
    assert purge(db, ages(both, clock()), clock()) == Slice(1, deleted=1)
    assert (count(db, events), count(db, delivery_table), count(db, attempts)) == (0, 0, 0)
    with db.read() as c:
        assert c.execute(select(links.c.key, links.c.record_id)).all() == [(f"shop-{delivery}", "R1")]


def test_a_purged_delivery_is_not_released(db: Database, clock: Clock) -> None:
    """Otherwise an operator releases it, and it fails for want of a body."""
    ((_, delivery),) = post(db, clock, "e1").deliveries
    end(db, clock, delivery, State.FAILED)
    assert purge(db, Ages({State.FAILED: clock() + timedelta(1)}), clock()).emptied == 1
    assert not search.release(db, delivery, "lan", clock())


def test_pages_are_small_and_none_is_forgotten(
    db: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one transaction holds the ledger for as long as it is large, and senders are refused."""
    monkeypatch.setattr(purging, "PAGE", 3)
    for number in range(8):
        for _, delivery in post(db, clock, f"e{number}").deliveries:
            if number != 4:
                end(db, clock, delivery)
    clock.forward(days=91)
    parts = list(purging.purge(db, ages(DAYS_90, clock()), clock()))
    assert [(part.looked_at, part.emptied) for part in parts] == [(3, 3), (3, 2), (2, 2)]


def test_the_duty_does_a_round_an_hour_in_one_process(db: Database, clock: Clock) -> None:
    """Otherwise retention is a promise that somebody has to keep by hand, or every worker walks the ledger."""
    ((_, delivery),) = post(db, clock, "e1").deliveries
    end(db, clock, delivery)
    clock.forward(days=91)
    one, other = (Retaining(DAYS_90, db, clock) for _ in range(2))
    assert one.once() == Slice(1, emptied=1)
    assert duties.last_done(db, DUTY) == clock()
    assert other.once() == one.once() == Slice()
    clock.forward(minutes=59)
    assert other.once() == Slice()
    clock.forward(minutes=2)
    other.once()
    assert duties.last_done(db, DUTY) == clock()


def test_without_an_age_nothing_ever_goes(db: Database, clock: Clock) -> None:
    """Otherwise an upgrade deletes what nobody asked it to delete."""
    ((_, delivery),) = post(db, clock, "e1").deliveries
    end(db, clock, delivery)
    clock.forward(days=36500)
    assert Retaining(Retention(), db, clock).once() == Slice()
    assert payloads(db) == [b'{"name": "Lan"}']


def test_what_is_fetched_late_brings_no_forgotten_person_back(db: Database, clock: Clock) -> None:
    """Otherwise a sender that answers after the lease is over undoes an erasure."""
    one, other = (post(db, clock, key).event_id for key in ("e1", "e2"))
    with db.write() as c:
        purging.empty(c, [one], clock())
    for event_id in (one, other):
        keep_fetched(db, event_id, '{"email": "lan@example.com"}')
    with db.read() as c:
        kept = c.execute(select(events.c.fetched).order_by(events.c.id)).scalars().all()
    assert kept == [None, '{"email": "lan@example.com"}']
