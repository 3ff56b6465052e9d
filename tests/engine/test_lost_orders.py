"""An order whose first event is its cancellation is nowhere a sale that somebody waits for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, Bench
from tests.engine.jobs import ORDER
from worker.ledger.database import Database
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


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    db = Database(sqlite_url)
    with running(CREDENTIALS) as sandbox:
        bench = Bench(db, clock, sandbox, tmp_path)
        yield bench
        bench.close()
    db.close()


def cancelled(bench: Bench, to: str) -> None:
    body, headers = json.dumps(CANCELLED).encode(), {"x-shopify-topic": "orders/cancelled"}
    delivery = bench.receive("shop", body, headers=headers, to=to)
    assert bench.attempt(delivery) == State.DELIVERED, bench.show(delivery)["reason"]


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
    made: dict[str, Any] = bench.counts("onlyoffice")
    assert "invoice" not in made
