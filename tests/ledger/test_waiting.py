"""Deliveries that wait for what becomes of a checkout: an order ends them, and so does an operator's word."""

from __future__ import annotations

from datetime import timedelta

from mappings.source import Naming
from tests.conftest import Clock
from worker.ledger import deliveries, intake, search
from worker.ledger.database import Database
from worker.ledger.new_events import NewEvent, Stored
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict

HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)


def stored(db: Database, clock: Clock, naming: Naming) -> Stored:
    event = NewEvent(
        "shop", naming, Verdict.ROUTED, "application/json", {}, b"{}", ["opla"], reachable=["opla"]
    )
    clock.forward(microseconds=1)
    return intake.store(db, event, clock())


def checkout(db: Database, clock: Clock, version: str) -> str:
    """Store a checkout that waits for an hour; return its delivery."""
    naming = Naming("checkouts/create", "c1", "checkout-5", version, settle=HOUR, settles="checkout-5")
    event_id = stored(db, clock, naming).event_id
    (delivery,) = search.list_deliveries(db, event_id=event_id)
    return str(delivery["id"])


def state(db: Database, delivery_id: str) -> str:
    found = search.show_delivery(db, delivery_id)
    assert found is not None
    return str(found["state"])


def test_an_order_ends_its_checkout_however_versions_are_sorted(db: Database, clock: Clock) -> None:
    """Otherwise everybody who paid at once is called as a lead, on PostgreSQL with its usual collation.

    Under en_US.UTF-8 no sign sorts behind all versions; here the version sorts behind all signs.
    """
    waiting = checkout(db, clock, "\U0010ffff")
    stored(db, clock, Naming("orders/create", "o1", "order-1001", "2026", settles="checkout-5"))
    assert state(db, waiting) == State.SUPERSEDED


def test_of_a_checkout_an_older_state_ends_no_newer_one(db: Database, clock: Clock) -> None:
    """Otherwise news that come late undo newer ones."""
    waiting = checkout(db, clock, "2026-03-02T12:10")
    older = Naming(
        "checkouts/update", "c2", "checkout-5", "2026-03-02T12:09", settle=HOUR, settles="checkout-5"
    )
    stored(db, clock, older)
    assert state(db, waiting) == State.PENDING


def test_an_operator_need_not_wait_for_what_becomes_of_a_checkout(db: Database, clock: Clock) -> None:
    """Otherwise `relay replay ID`, which the manual names for this, says "0 of 1 released"."""
    waiting = checkout(db, clock, "2026")
    assert deliveries.claim(db, waiting, clock(), LEASE) is None
    assert search.release(db, waiting, "lan", clock())
    assert deliveries.claim(db, waiting, clock(), LEASE) is not None


def test_what_is_due_anyway_is_not_released(db: Database, clock: Clock) -> None:
    """Otherwise the audit says that somebody released what went its usual way."""
    ((_, due),) = stored(db, clock, Naming("orders/create", "o1")).deliveries
    assert not search.release(db, due, "lan", clock())
