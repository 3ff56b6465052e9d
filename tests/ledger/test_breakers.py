"""The breaker in the ledger, on both databases and with many threads: one probe, one opening, a bound in flight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Clock
from tests.ledger.test_ledger import LEASE, at_once, state, stored
from worker.breaker import Breaker, Drained, Failed, Observation, Phase, Refused, Succeeded, Terms
from worker.ledger import breakers, deliveries, limits, search, standing
from worker.ledger.breakers import Change
from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, Closing
from worker.ledger.tables import State, audit

THREE = Terms(breaker_after=3)
MINUTE = timedelta(minutes=1)


def claim(db: Database, clock: Clock, delivery: str, terms: Terms = THREE) -> Claim | None:
    return deliveries.claim(db, delivery, clock(), LEASE, terms=terms)


def ended(db: Database, clock: Clock, mine: Claim, heard: Observation, terms: Terms = THREE) -> Change | None:
    """Close a claim as a delivery does that is tried again a minute later, or that is delivered."""
    closing = Closing(State.DELIVERED, clock(), spent=True)
    if not isinstance(heard, Succeeded):
        closing = Closing(State.WAITING, clock() + MINUTE, "VendorDown", "503", spent=True, failed_try=True)
    return deliveries.close(db, mine, closing, None, clock(), heard=heard, terms=terms)


def fails(db: Database, clock: Clock, delivery: str, terms: Terms = THREE) -> Change:
    mine = claim(db, clock, delivery, terms)
    assert mine is not None
    changed = ended(db, clock, mine, Failed(delivery, "VendorDown: 503"), terms)
    assert changed is not None
    return changed


def opened(db: Database, clock: Clock) -> None:
    """Let three deliveries fail, which opens the connection for five seconds."""
    for number in range(3):
        fails(db, clock, stored(db, clock, f"down-{number}"))
    assert phase(db) == Phase.OPEN


def phase(db: Database) -> Phase:
    return db.reading(lambda t: breakers.gate_as_stored(t, "opla")).breaker.phase


def test_what_is_held_spends_nothing_and_says_why(db: Database, clock: Clock) -> None:
    """Otherwise an outage uses up the attempts of the whole backlog, and each of its orders needs a person."""
    opened(db, clock)
    waiting = stored(db, clock)
    assert claim(db, clock, waiting) is None
    row = search.show_delivery(db, waiting)
    assert row is not None
    assert (row["state"], row["attempts"], row["reason"]) == ("held", 0, "VendorDown: 503")
    assert row["due_at"] > clock() + timedelta(seconds=4)
    assert breakers.room(db, "opla", clock(), THREE) == 0
    assert breakers.room(db, "centia", clock(), THREE) is None, "its neighbour notices nothing"


def test_twelve_failures_at_once_open_it_once(db: Database, clock: Clock) -> None:
    """Otherwise each of a hundred deliveries in flight wakes somebody at night."""
    claims = [claim(db, clock, stored(db, clock, f"e{n}")) for n in range(12)]
    waiting = iter([mine for mine in claims if mine is not None])
    changes = at_once(12, lambda: _fail_next(db, clock, waiting))
    openings = [c for c in changes if c.before.phase == Phase.CLOSED and c.after.phase == Phase.OPEN]
    assert len(openings) == 1
    assert {c.after.openings for c in changes if c.after.phase == Phase.OPEN} == {1}


def _fail_next(db: Database, clock: Clock, waiting: Any) -> Change:
    mine = next(waiting)
    changed = ended(db, clock, mine, Failed(mine.id, "VendorDown: 503"))
    assert changed is not None
    return changed


def test_of_sixteen_workers_one_probes(db: Database, clock: Clock) -> None:
    """Otherwise a CRM that may just be coming back is hit by the whole backlog at once."""
    opened(db, clock)
    clock.forward(seconds=6)
    ids = [stored(db, clock, f"e{n}") for n in range(16)]
    waiting = iter(ids)
    claims = [c for c in at_once(16, lambda: claim(db, clock, next(waiting))) if c is not None]
    assert len(claims) == 1
    assert (phase(db), claims[0].probes) == (Phase.HALF_OPEN, 1)
    held = [search.show_delivery(db, i) for i in ids if i != claims[0].id]
    assert {row["state"] for row in held if row} == {"held"}
    assert breakers.room(db, "opla", clock(), THREE) == 0


def test_a_probe_whose_worker_died_is_replaced_by_one(db: Database, clock: Clock) -> None:
    """Otherwise one killed worker keeps a CRM that is back out of use for ever."""
    opened(db, clock)
    clock.forward(seconds=6)
    dead = claim(db, clock, stored(db, clock, "dead"))
    assert dead is not None
    clock.forward(seconds=29)
    early = stored(db, clock, "early")
    assert claim(db, clock, early) is None
    clock.forward(seconds=2)
    assert breakers.room(db, "opla", clock(), THREE) == 1
    waiting = iter([dead.id, *(stored(db, clock, f"e{n}") for n in range(7))])
    claims = [c for c in at_once(8, lambda: claim(db, clock, next(waiting))) if c is not None]
    assert len(claims) == 1


def test_it_is_released_in_rounds(db: Database, clock: Clock) -> None:
    """Otherwise a CRM that has just come back is buried under its backlog and goes down again."""
    opened(db, clock)
    clock.forward(seconds=6)
    terms = Terms(breaker_after=3, concurrency=8)
    widths, number = [], 0
    while phase(db) != Phase.CLOSED:
        ids = [stored(db, clock, f"r{number}-{n}") for n in range(10)]
        number += 1
        claims = [c for c in (claim(db, clock, i, terms) for i in ids) if c is not None]
        widths.append(len(claims))
        for mine in claims:
            ended(db, clock, mine, Succeeded(mine.id), terms)
    assert widths == [1, 1, 2, 4], "the probe, then rounds of 1, 2 and 4; eight is all that it may have"
    assert breakers.room(db, "opla", clock(), terms) is None


def test_a_failed_probe_opens_it_for_longer(db: Database, clock: Clock) -> None:
    """Otherwise a CRM that is down all night is knocked at every five seconds."""
    opened(db, clock)
    for seconds in (10, 20, 40):
        clock.forward(seconds=400)
        changed = fails(db, clock, stored(db, clock, f"probe-{seconds}"))
        assert changed.before.phase == Phase.HALF_OPEN
        assert changed.after.until == clock() + timedelta(seconds=seconds)
    assert changed.after.openings == 4


def test_refused_credentials_open_it_at_once(db: Database, clock: Clock) -> None:
    """Otherwise an expired password is tried often enough to lock the account."""
    mine = claim(db, clock, stored(db, clock))
    assert mine is not None
    changed = ended(db, clock, mine, Refused(mine.id, "401"))
    assert changed is not None
    assert (changed.after.phase, changed.after.until) == (Phase.OPEN, clock() + MINUTE)


def test_a_success_in_between_is_remembered(db: Database, clock: Clock) -> None:
    """Otherwise three failures of a whole month close a CRM that works."""
    for number in range(6):
        fails(db, clock, stored(db, clock, f"bad-{number}"))
        mine = claim(db, clock, stored(db, clock, f"good-{number}"))
        assert mine is not None
        changed = ended(db, clock, mine, Succeeded(mine.id))
        assert changed == Change(Breaker(failures=1), Breaker())
    mine = claim(db, clock, stored(db, clock, "last"))
    assert mine is not None
    assert ended(db, clock, mine, Succeeded(mine.id)) is None, "where nothing was wrong nothing is written"


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_are_in_flight_than_may_be(db: Database, clock: Clock, most: int) -> None:
    """Otherwise a CRM that allows three requests at once gets one from each thread of each worker."""
    terms = Terms(concurrency=most)
    ids = [stored(db, clock, f"e{n}") for n in range(12)]
    waiting = iter(ids)
    claims = [c for c in at_once(12, lambda: claim(db, clock, next(waiting), terms)) if c is not None]
    assert len(claims) == most
    ended(db, clock, claims[0], Succeeded(claims[0].id), terms)
    clock.forward(seconds=1)
    left = [i for i in ids if state(db, i) == "held"]
    assert len(left) == 12 - most
    assert claim(db, clock, left[0], terms) is not None
    assert claim(db, clock, left[1], terms) is None
    clock.forward(seconds=60)  # the workers of all of them are dead
    assert claim(db, clock, left[1], terms) is not None


def test_an_operators_hold_and_reset(db: Database, clock: Clock) -> None:
    """Otherwise nobody can stop what goes to a CRM, or let it go on once the CRM is mended."""
    opened(db, clock)
    standing.hold(db, "opla", "ana", datetime(9999, 1, 1, tzinfo=clock().tzinfo), clock())
    waiting = stored(db, clock)
    clock.forward(hours=100)
    assert claim(db, clock, waiting) is None
    assert state(db, waiting) == "held"
    assert standing.reset(db, "opla", "ana", clock()) == Phase.OPEN
    assert phase(db) == Phase.CLOSED
    assert claim(db, clock, waiting) is not None
    assert _audited(db) == [("ana", "hold connection", "opla"), ("ana", "reset connection", "opla")]


def _audited(db: Database) -> list[tuple[str, str, str]]:
    from_ledger: Callable[..., Any] = audit.select
    with db.read() as c:
        rows = c.execute(from_ledger().order_by(audit.c.at))
        return [(row.operator, row.action, row.subject) for row in rows]


def test_how_a_connection_stands(db: Database, clock: Clock) -> None:
    """Otherwise an operator cannot tell whether a backlog moves."""
    for number in range(4):
        mine = claim(db, clock, stored(db, clock, f"done-{number}"))
        assert mine is not None
        ended(db, clock, mine, Succeeded(mine.id))
    clock.forward(minutes=4)
    oldest = clock()
    opened(db, clock)
    held = stored(db, clock, "held")
    claim(db, clock, held)
    limits.hold(db, "opla", clock() + MINUTE, "429")
    stands = standing.standing(db, "opla", clock())
    assert (stands.breaker.phase, stands.held_until, stands.held_reason) == (
        Phase.OPEN,
        clock() + MINUTE,
        "429",
    )
    assert (stands.waiting, stands.oldest) == ({"waiting": 3, "held": 1}, oldest)
    assert (stands.in_flight, stands.drained) == (0, 4)
    clock.forward(minutes=2)
    assert standing.standing(db, "opla", clock()).drained == 0
    assert standing.standing(db, "centia", clock()).waiting == {}


def test_a_backlog_that_is_gone_ends_the_release(db: Database, clock: Clock) -> None:
    """Otherwise a CRM with three leads a day counts as broken until next week."""
    opened(db, clock)
    clock.forward(seconds=6)
    mine = claim(db, clock, stored(db, clock, "probe"))
    assert mine is not None
    ended(db, clock, mine, Succeeded(mine.id))
    assert phase(db) == Phase.RELEASING
    changed = breakers.tell(db, "opla", Drained(), clock(), THREE)
    assert (changed.before.phase, changed.after.phase) == (Phase.RELEASING, Phase.CLOSED)
