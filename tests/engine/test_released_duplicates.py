"""A duplicate that is released: a change of the same record, or a record of its own, never an order twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine.harness import Bench
from tests.engine.jobs import EMAIL, ORDER, VENDOR_OF
from worker.ledger import search
from worker.ledger.releases import release_duplicate
from worker.ledger.tables import State

EACH = pytest.mark.parametrize("to", sorted(VENDOR_OF))


def order(bench: Bench, to: str, **changes: Any) -> Any:
    """Post the order under one and the same id of Shopify's."""
    headers = {"x-shopify-topic": "orders/create", "x-shopify-webhook-id": "b54557e4"}
    return bench.post("shop", json.dumps({**ORDER, **changes}).encode(), headers=headers, to=to)


def released(bench: Bench, event_id: str | None, to: str) -> str:
    """Release a duplicate; return its delivery's id."""
    assert event_id is not None
    assert release_duplicate(bench.engine.db, event_id, lambda source, type_: [to], "olga", bench.clock())
    (delivery,) = search.list_deliveries(bench.engine.db, event_id=event_id)
    return str(delivery["id"])


@EACH
def test_of_the_same_order_it_changes_the_record_and_makes_none(bench: Bench, to: str) -> None:
    """Otherwise releasing what dedup ate makes a second opportunity of one order."""
    first = order(bench, to)
    bench.until_ended(first.deliveries[0][1])
    before = bench.counts(VENDOR_OF[to])
    other = order(bench, to, financial_status="paid")
    (row,) = bench.until_ended(released(bench, other.kept, to))
    (original,) = search.list_deliveries(bench.engine.db, event_id=first.event_id)
    assert row["state"] in (State.DELIVERED, State.SKIPPED)  # skipped where the vendor cannot change it
    assert row["record_id"] == original["record_id"]
    assert bench.counts(VENDOR_OF[to]) == before


def test_of_the_same_order_its_content_arrives(bench: Bench) -> None:
    """Otherwise the release says "delivered" and the CRM still has what the first post said."""
    bench.until_ended(order(bench, "opla").deliveries[0][1])
    other = order(bench, "opla", financial_status="paid")
    (row,) = bench.until_ended(released(bench, other.kept, "opla"))
    assert row["state"] == State.DELIVERED
    (opportunity,) = bench.records("oplacrm", "opportunity")
    assert opportunity["body"]["stage_close"] == "CLOSE_WON"


def test_released_before_the_first_is_delivered_it_waits_for_it(bench: Bench) -> None:
    """Otherwise both make the order at the same moment."""
    first = order(bench, "opla")
    later = released(bench, order(bench, "opla", financial_status="paid").kept, "opla")
    assert bench.attempt(later) is None
    assert bench.show(later)["state"] == State.BLOCKED
    rows = bench.until_ended(first.deliveries[0][1], later)
    assert [row["state"] for row in rows] == [State.DELIVERED, State.DELIVERED]
    assert bench.counts("oplacrm")["opportunity"] == 1


def test_of_another_order_it_is_a_record_of_its_own(bench: Bench) -> None:
    """Otherwise two orders under one id of the sender's end in one record, and the first is overwritten."""
    first = order(bench, "opla")
    other = order(bench, "opla", id=5002, name="#1002")
    assert other.duplicate
    rows = bench.until_ended(first.deliveries[0][1], released(bench, other.kept, "opla"))
    assert [row["state"] for row in rows] == [State.DELIVERED, State.DELIVERED]
    assert len({row["record_id"] for row in rows}) == 2
    assert bench.counts("oplacrm")["opportunity"] == 2


def test_an_older_state_of_the_order_is_superseded(bench: Bench) -> None:
    """Otherwise a release takes a paid order back to what it was."""
    first = order(bench, "opla", updated_at="2026-03-02T11:00:00+01:00", financial_status="paid")
    bench.until_ended(first.deliveries[0][1])
    other = order(bench, "opla", updated_at="2026-03-02T10:00:00+01:00")
    (row,) = bench.until_ended(released(bench, other.kept, "opla"))
    assert row["state"] == State.SUPERSEDED
    (opportunity,) = bench.records("oplacrm", "opportunity")
    assert opportunity["body"]["stage_close"] == "CLOSE_WON"


def test_an_email_that_stands_for_itself_is_a_ticket_of_its_own(bench: Bench) -> None:
    """Otherwise two customers' mails with one message id share a ticket, and the second is never answered."""
    first = bench.post("inbox", json.dumps(EMAIL).encode())
    other = bench.post("inbox", json.dumps({**EMAIL, "Subject": "And the chair, too"}).encode())
    rows = bench.until_ended(first.deliveries[0][1], released(bench, other.kept, "opla"))
    assert [row["state"] for row in rows] == [State.DELIVERED, State.DELIVERED]
    assert len({row["record_id"] for row in rows}) == 2
