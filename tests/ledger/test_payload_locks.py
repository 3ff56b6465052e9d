"""A release and what empties payloads, at the same moment: whoever comes second sees what the first one did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from tests.conftest import Clock, wait_for
from tests.ledger.test_purging import end, post
from worker.ledger import persons, purging, search
from worker.ledger.database import Database
from worker.ledger.giving_back import Lost, give_back
from worker.ledger.tables import State, attempts, deliveries, events, steps
from worker.privacy.retention import ages
from worker.settings import Retention

QUARTER = Retention(delivered=timedelta(days=90), failed=timedelta(days=90))
#: Seconds that a statement takes to come to where it waits, on SQLite.
A_MOMENT = 0.3
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
Work = Callable[[Database, Clock, str], Any]


def purge(db: Database, clock: Clock, event: str) -> Any:
    return list(purging.purge(db, ages(QUARTER, clock()), clock()))


def forget(db: Database, clock: Clock, event: str) -> Any:
    with db.write() as c:
        return persons.erase_events(c, [event], [], clock())


def release(db: Database, delivery: str, clock: Clock) -> Any:
    return search.release(db, delivery, "olga", clock())


def make_again(db: Database, delivery: str, clock: Clock) -> Any:
    lost = [Lost("opportunity", f"shop-{delivery}", "R1")]
    return bool(give_back(db, delivery, lost, "olga", clock())[1])


@contextmanager
def held_up(db: Database, table: Any, delivery: str) -> Iterator[None]:
    """Let whoever comes to this delivery's rows of `table` wait there, with all that it has locked until then."""
    touched = table.c[next(name for name in ("outcome", "position") if name in table.c)]
    with db.write() as c:
        c.execute(update(table).where(table.c.delivery_id == delivery).values({touched: touched}))
        yield


def one_after_the_other(db: Database, table: Any, delivery: str, *works: Callable[[], Any]) -> list[Any]:
    """Begin each of `works` while the ones before it are held up in their midst; return what each returned."""
    results: list[Any] = [None] * len(works)

    def run(place: int) -> None:
        results[place] = works[place]()

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(works))]
    with held_up(db, table, delivery):
        for thread in threads:
            thread.start()
            if db.is_sqlite:  # where it waits for its turn, which nobody sees from outside
                time.sleep(A_MOMENT)
                continue
            wait_for(lambda: waiting(db) > threads.index(thread), 60, "who is held up")  # noqa: B023
    for thread in threads:
        thread.join(60)
    return results


def waiting(db: Database) -> int:
    """Return how many wait for what somebody else has locked."""
    with db.read() as c:
        return int(c.execute(WAITING).scalar_one())


def standing(db: Database, delivery: str) -> tuple[str, bool]:
    """Return the delivery's state, and whether its payload is gone."""
    both = select(deliveries.c.state, events.c.purged_at).join(events).where(deliveries.c.id == delivery)
    with db.read() as c:
        row = c.execute(both).one()
    return row.state, row.purged_at is not None


@pytest.mark.parametrize("empties", [purge, forget])
@pytest.mark.parametrize(("again", "ended"), [(release, State.FAILED), (make_again, State.DELIVERED)])
def test_what_is_being_emptied_is_not_made_due(
    db: Database, clock: Clock, empties: Work, again: Callable[..., Any], ended: State
) -> None:
    """Otherwise a release within a millisecond of a purge tries a delivery whose payload is gone, in vain."""
    stored = post(db, clock, "e1")
    ((_, delivery),) = stored.deliveries
    end(db, clock, delivery, ended)
    clock.forward(days=91)
    _, is_released = one_after_the_other(
        db,
        attempts,
        delivery,
        lambda: empties(db, clock, stored.event_id),
        lambda: again(db, delivery, clock),
    )
    state, is_gone = standing(db, delivery)
    assert is_gone != is_released
    assert (state == State.PENDING) == is_released
    if not db.is_sqlite:  # there, whoever has the turn first
        assert not is_released


def test_what_is_being_released_is_not_emptied(db: Database, clock: Clock) -> None:
    """Otherwise a purge within a millisecond of a release takes the payload of what is due."""
    stored = post(db, clock, "e1")
    ((_, delivery),) = stored.deliveries
    end(db, clock, delivery, State.FAILED)
    with db.write() as c:
        c.execute(update(steps).where(steps.c.delivery_id == delivery).values(state="unknown"))
    clock.forward(days=91)
    is_released, _ = one_after_the_other(
        db,
        steps,
        delivery,
        lambda: search.release(db, delivery, "olga", clock(), not_made=True),
        lambda: purge(db, clock, stored.event_id),
    )
    state, is_gone = standing(db, delivery)
    assert is_gone != is_released
    assert (state == State.PENDING) == is_released
    if not db.is_sqlite:
        assert is_released
