"""A create that is refused because the record is there: it is found by its key, and brought up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from tests.conftest import Clock
from tests.engine.harness import Bench, benched
from tests.engine.jobs import FORM, ORDER, URLENCODED
from worker.ledger.database import Database
from worker.ledger.tables import State, links, metadata, steps

#: CRMs that refuse a second record of one key with a plain 400, as they do with a field that is wrong.
REFUSING = {"oplacrm": {"repeat_create": "refuse"}, "crmtop": {"repeat_code": "refuse"}}


@pytest.fixture
def bench(clock: Clock, db: Database, tmp_path: Path) -> Iterator[Bench]:
    with benched(clock, db, tmp_path, options=REFUSING) as bench:
        yield bench


def lose(bench: Bench, *tables: Table) -> None:
    """Empty tables of the ledger, as a backup does that is older than what the CRM holds."""
    with bench.engine.db.write() as connection:
        for table in tables:
            connection.execute(table.delete())


def order(bench: Bench, to: str, **changes: Any) -> str:
    body = json.dumps({**ORDER, **changes}).encode()
    return bench.receive("shop", body, headers={"x-shopify-topic": "orders/updated"}, to=to)


def lead(bench: Bench) -> str:
    return bench.receive("website", FORM.replace(b"&budget=900", b""), URLENCODED, to="opla")


def lead_that_is_there(bench: Bench) -> str:
    """Receive a lead that the CRM has, with its key, and of which the ledger does not know that it left."""
    delivery = lead(bench)
    bench.kill_during(delivery, "lead_create")
    lose(bench, steps, links)
    return delivery


def asked(bench: Bench, operation: str) -> int:
    """Return how often the CRM was asked for an operation."""
    sent = bench.control.get("/requests").json()["requests"]
    return [request["operation"] for request in sent].count(operation)


def test_a_lead_that_is_there_is_taken_and_changed(bench: Bench) -> None:
    """Otherwise leads of a ledger that was restored end as failed at a CRM that knows their keys."""
    delivery = lead_that_is_there(bench)
    assert bench.attempt(delivery) == State.DELIVERED, bench.show(delivery)["reason"]
    (record,) = bench.records("oplacrm", "lead")
    assert bench.show(delivery)["record_id"] == record["id"]
    assert asked(bench, "lead_update") == 1


def test_an_order_that_is_there_is_brought_up_to_date(bench: Bench) -> None:
    """Otherwise an order that the CRM knows stays unpaid there, and somebody calls the customer for the money."""
    assert bench.attempt(order(bench, "crmtop")) == State.DELIVERED
    lose(bench, *reversed(metadata.sorted_tables))
    delivery = order(bench, "crmtop", financial_status="paid", updated_at="2026-03-02T12:00:00+01:00")
    assert bench.attempt(delivery) == State.DELIVERED, bench.show(delivery)["reason"]
    (opportunity,) = bench.records("crmtop", "opportunity")
    (made,) = bench.records("crmtop", "order")
    assert (opportunity["body"]["stage"], made["body"]["status"]) == (4, 2)


def test_a_refusal_that_is_about_something_else_fails_after_one_look_up(bench: Bench) -> None:
    """Otherwise a lead that the CRM will never take is tried for a day, or is called delivered."""
    bench.fault(vendor="oplacrm", operation="lead_create", fault="status", status=400, times=1)
    delivery = lead(bench)
    assert bench.attempt(delivery) == State.FAILED
    row = bench.show(delivery)
    assert (row["error"], row["attempts"]) == ("Rejected", 1)
    assert row["reason"].startswith("lead_create: answered 400")
    assert asked(bench, "lead_list") == 1
    assert bench.counts("oplacrm") == {}


def test_a_look_up_that_is_refused_leaves_the_refusal_as_it_was(bench: Bench) -> None:
    """Otherwise the operator reads of the search, and not of the field that is wrong."""
    for operation in ("lead_create", "lead_list"):
        bench.fault(vendor="oplacrm", operation=operation, fault="status", status=400, times=1)
    delivery = lead(bench)
    assert bench.attempt(delivery) == State.FAILED
    assert bench.show(delivery)["reason"].startswith("lead_create: answered 400")


def test_a_look_up_that_fails_decides_nothing(bench: Bench) -> None:
    """Otherwise a CRM that is overloaded for a minute turns leads that it has into failures."""
    delivery = lead_that_is_there(bench)
    bench.fault(vendor="oplacrm", operation="lead_list", fault="status", status=500, times=1)
    assert bench.attempt(delivery) == State.WAITING
    (row,) = bench.until_ended(delivery)
    assert row["state"] == State.DELIVERED, row["reason"]
    assert bench.counts("oplacrm") == {"lead": 1}
