"""An order whose first event is its cancellation is nowhere a sale that somebody waits for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.harness import Bench
from tests.engine.jobs import ORDER
from worker.ledger.tables import State

#: Where each CRM says that an opportunity is lost, and its word for that in the sandbox's account and relay.toml.
LOST = {
    "opla": ("oplacrm", "stage_close", "CLOSE_LOST"),
    "centia": ("centiacrm", "stage_id", 16),
    "overplane": ("overplane", "status", "Lost"),
    "crmtop": ("crmtop", "stage", 5),
}
CANCELLED = {
    **ORDER,
    "cancelled_at": "2026-03-04T09:00:00+01:00",
    "updated_at": "2026-03-04T09:00:00+01:00",
    "cancel_reason": "customer",
}


def delivered(bench: Bench, to: str, content: dict[str, Any]) -> None:
    headers = {"x-shopify-topic": "orders/updated"}
    delivery = bench.receive("shop", json.dumps(content).encode(), headers=headers, to=to)
    assert bench.attempt(delivery) == State.DELIVERED, bench.show(delivery)["reason"]


def cancelled(bench: Bench, to: str) -> None:
    delivered(bench, to, CANCELLED)


@pytest.mark.parametrize("to", LOST)
def test_an_order_that_is_cancelled_when_we_first_hear_of_it_is_lost(bench: Bench, to: str) -> None:
    """Otherwise the sales forecast counts money that will never come."""
    vendor, field, word = LOST[to]
    cancelled(bench, to)
    (opportunity,) = bench.records(vendor, "opportunity")
    assert opportunity["body"][field] == word


def test_an_order_that_is_cancelled_when_we_first_hear_of_it_is_lost_at_onlyoffice(bench: Bench) -> None:
    """As above; there the stage is the portal's own, found by its type, and no invoice is made."""
    cancelled(bench, "office")
    (opportunity,) = bench.records("onlyoffice", "opportunity")
    assert opportunity["body"]["successProbability"] == 0
    assert str(opportunity["body"]["actualCloseDate"]) == "2026-03-04"
    assert "invoice" not in bench.counts("onlyoffice")


def test_the_day_of_a_cancellation_is_the_day_that_closes_the_opportunity_at_crmtop(bench: Bench) -> None:
    """Otherwise reports on sales lost in a month know nothing of it."""
    delivered(bench, "crmtop", ORDER)
    (opportunity,) = bench.records("crmtop", "opportunity")
    assert "actualCloseDate" not in opportunity["body"]
    cancelled(bench, "crmtop")
    (opportunity,) = bench.records("crmtop", "opportunity")
    assert opportunity["body"]["stage"] == 5
    assert opportunity["body"]["actualCloseDate"] == "2026-03-04T15:00:00+07:00"
