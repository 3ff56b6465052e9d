"""Who is next: the sources of a connection take turns, and one entity's events keep their order, with a bound."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mappings.source import Naming
from tests.conftest import Clock
from tests.ledger.test_ledger import LEASE, claimed, state, stored
from worker.breaker import Failed, Terms
from worker.ledger import breakers, deliveries, due, intake, search
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Closing
from worker.ledger.new_events import NewEvent
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict

HOUR = timedelta(hours=1)


def posted(db: Database, clock: Clock, source: str, count: int) -> list[str]:
    ids = []
    for number in range(count):
        naming = Naming(type="submitted", dedup_key=f"{source}-{number}")
        event = NewEvent(source, naming, Verdict.ROUTED, "application/json", {}, b"{}", ["opla"])
        ids += [delivery for _, delivery in intake.store(db, event, clock()).deliveries]
        clock.forward(microseconds=1)
    return ids


@pytest.mark.timeout(240)
def test_five_live_leads_pass_an_import_of_five_thousand(db: Database, clock: Clock) -> None:
    """Otherwise a bulk import keeps every live lead waiting until it is through."""
    bulk = posted(db, clock, "import", 5000)
    leads = posted(db, clock, "website", 5)
    clock.forward(seconds=6)
    handed = due.hand_over(db, "opla", 500, clock(), LEASE, turn=0)
    assert len(handed) == len(set(handed)) == 500
    assert [handed.index(lead) for lead in leads] == [1, 3, 5, 7, 9]
    assert [i for i in handed if i not in leads] == bulk[:495], (
        "each source's own in the order of their coming"
    )
    assert due.hand_over(db, "opla", 500, clock(), LEASE, turn=1) == bulk[495:995]


def test_with_one_place_at_a_time_the_sources_alternate(db: Database, clock: Clock) -> None:
    """Otherwise the source that was first has all the places of a CRM that allows one request a second."""
    first, second, third = (posted(db, clock, source, 3) for source in ("a", "b", "c"))
    clock.forward(seconds=6)
    handed = [due.hand_over(db, "opla", 1, clock(), LEASE, turn=turn)[0] for turn in range(9)]
    expected = [delivery for three in zip(first, second, third, strict=True) for delivery in three]
    assert handed == expected


def test_what_a_dead_worker_had_comes_first(db: Database, clock: Clock) -> None:
    """Otherwise an order that was half made waits behind a whole import."""
    (half_made,) = posted(db, clock, "shop", 1)
    claimed(db, clock, half_made)
    bulk = posted(db, clock, "import", 3)
    clock.forward(seconds=31)
    assert due.hand_over(db, "opla", 2, clock(), LEASE) == [half_made, bulk[0]]


def failing(db: Database, clock: Clock, delivery: str, error: str = "Bug", spent: bool = False) -> None:
    """Try a delivery in vain; it is due again at once."""
    closing = Closing(State.WAITING, clock(), error, "again", spent=spent, failed_try=True)
    deliveries.close(db, claimed(db, clock, delivery), closing, Attempt(1, error), clock())


def tried(db: Database, clock: Clock, delivery: str) -> bool:
    return deliveries.claim(db, delivery, clock(), LEASE, terms=Terms(patience=24 * HOUR)) is not None


def done(db: Database, clock: Clock, delivery: str) -> None:
    deliveries.close(db, claimed(db, clock, delivery), Closing(State.DELIVERED, clock()), None, clock())


@pytest.mark.parametrize("versions", [("1", "2"), ("2", "2"), (None, None), ("1", None), (None, "2")])
def test_a_poisoned_update_does_not_block_its_entity_for_ever(
    db: Database, clock: Clock, versions: tuple[str | None, str | None]
) -> None:
    """Otherwise one event that we cannot map keeps an order open in the CRM that was paid a month ago."""
    poisoned, later = (
        stored(db, clock, f"e{n}", entity="order-1", version=version) for n, version in enumerate(versions)
    )
    for _ in range(24):
        failing(db, clock, poisoned)
        assert not tried(db, clock, later)
        assert state(db, later) == "blocked"
        clock.forward(hours=1)
    assert state(db, poisoned) == "waiting"
    done(db, clock, later)
    assert not tried(db, clock, poisoned)
    row = search.show_delivery(db, poisoned)
    assert row is not None
    assert (row["state"], later in str(row["reason"])) == ("superseded", True)


def test_the_older_one_waits_while_the_one_that_passed_it_is_at_work(db: Database, clock: Clock) -> None:
    """Otherwise both write at the same time, and the stale one may be the last."""
    poisoned, later = (stored(db, clock, f"e{n}", entity="order-1", version=str(n)) for n in (1, 2))
    failing(db, clock, poisoned)
    clock.forward(hours=25)
    assert tried(db, clock, later)
    assert not tried(db, clock, poisoned)
    assert state(db, poisoned) == "blocked"


def test_a_failed_one_blocks_nobody_and_is_superseded_when_released(db: Database, clock: Clock) -> None:
    """Otherwise the order's next update waits for a person, or that person's replay undoes it."""
    failed, later = (stored(db, clock, f"e{n}", entity="order-1", version=str(n)) for n in (1, 2))
    deliveries.close(
        db, claimed(db, clock, failed), Closing(State.FAILED, clock(), "Rejected"), None, clock()
    )
    done(db, clock, later)
    assert search.release(db, failed, "ana", clock())
    assert not tried(db, clock, failed)
    assert state(db, failed) == "superseded"


def test_an_outage_longer_than_the_bound_keeps_the_order(db: Database, clock: Clock) -> None:
    """Otherwise after a weekend without the CRM every order's `paid` overtakes its `created`."""
    first, second = (stored(db, clock, f"e{n}", entity="order-1", version=str(n)) for n in (1, 2))
    failing(db, clock, first, "Unreachable")
    breakers.tell(db, "opla", Failed(first, "Unreachable"), clock(), Terms(breaker_after=1))
    clock.forward(hours=60)
    assert not tried(db, clock, second)
    assert state(db, second) == "blocked"
    clock.forward(hours=24 * 7)
    assert tried(db, clock, second), "not even a connection that breaks every day blocks an entity for ever"


def test_what_is_let_go_late_keeps_the_task_that_it_has_by_then(db: Database, clock: Clock) -> None:
    """Otherwise what a slow hand-off lets go after it was tried is published a second time."""
    (delivery,) = posted(db, clock, "shop", 1)
    clock.forward(minutes=1)
    later = Closing(State.WAITING, clock(), "VendorDown")
    deliveries.close(db, claimed(db, clock, delivery), later, None, clock())
    assert due.hand_over(db, "opla", 10, clock(), LEASE) == [delivery]
    due.let_go(db, [delivery])
    assert due.hand_over(db, "opla", 10, clock(), LEASE) == []
