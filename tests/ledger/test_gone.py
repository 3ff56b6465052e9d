"""Forgetting the link of a record that is no longer at the vendor."""

from __future__ import annotations

from tests.conftest import Clock
from tests.ledger.test_returned_persons import checkpoints
from worker.ledger.database import Database
from worker.ledger.steps import Linked, Reserved, StepName

STEP = StepName("product", "prod-TAX", 0, "d" * 64)


def test_a_record_that_is_gone_is_made_anew(db: Database, clock: Clock) -> None:
    """Otherwise one product deleted in the CRM lets all later orders with it fail."""
    made(db, clock, "1")
    second = checkpoints(db, clock, "second")
    assert second.open(STEP) == Linked("1")
    second.forget("product", "prod-TAX", "1")
    assert second.open(STEP) == Reserved(None)


def test_what_another_delivery_has_made_anew_meanwhile_stays(db: Database, clock: Clock) -> None:
    """Otherwise two orders that both miss a deleted product make it twice."""
    made(db, clock, "1")
    second, third = checkpoints(db, clock, "second"), checkpoints(db, clock, "third")
    assert second.open(STEP) == third.open(STEP) == Linked("1")
    second.forget("product", "prod-TAX", "1")
    assert second.open(STEP) == Reserved(None)
    second.finish(STEP, "2")
    second.write()
    third.forget("product", "prod-TAX", "1")
    assert third.open(STEP) == Linked("2")


def made(db: Database, clock: Clock, record_id: str) -> None:
    first = checkpoints(db, clock, "first")
    first.open(STEP)
    first.finish(STEP, record_id)
    first.write()
