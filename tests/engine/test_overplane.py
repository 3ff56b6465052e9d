"""Overplane at work: the life of an order, and the accounts that the API reference leaves possible."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from mappings.vendor import CheckedValues
from mappings.vendors.overplane.schemas import Values
from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ROOT, Bench
from tests.engine.jobs import EMAIL, FORM, ORDER, URLENCODED
from worker.ledger.database import Database
from worker.ledger.tables import State, deliveries

Open = Callable[..., AbstractContextManager[Bench]]
VALUES = tomllib.loads((ROOT / "relay.toml").read_text("utf-8"))["connections"]["overplane"]["values"]
CANCELLED = {"cancelled_at": "2026-03-03T09:00:00+01:00", "cancel_reason": "customer"}


@contextmanager
def account(bench: Bench, verbs: Mapping[str, str] | None = None, **values: Any) -> Iterator[None]:
    """Let the connection's part of relay.toml say something else."""
    engine = bench.engine
    before = engine.settings
    known = before.connections["overplane"]
    checked = CheckedValues(Values().load(VALUES | values))
    changed = replace(known, account=replace(known.account, values=checked), verbs=verbs or {})
    engine.__dict__["settings"] = replace(before, connections={"overplane": changed})
    yield
    engine.__dict__["settings"] = before


@pytest.fixture
def opened(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Open]:
    """A bench at an account of which the test says how it behaves."""
    db, benches = Database(sqlite_url), []

    @contextmanager
    def at(**options: str) -> Iterator[Bench]:
        with running(CREDENTIALS, options={"overplane": options}) as sandbox:
            bench = Bench(db, clock, sandbox, tmp_path)
            benches.append(bench)
            yield bench

    yield at
    for bench in benches:
        bench.close()
    db.close()


@pytest.fixture
def bench(opened: Any) -> Iterator[Bench]:
    with opened() as bench:
        yield bench


def order(bench: Bench, topic: str = "orders/create", hour: int = 9, **changes: Any) -> str:
    body = {**ORDER, "updated_at": f"2026-03-02T{hour:02}:00:00+01:00", **changes}
    headers = {"x-shopify-topic": topic}
    return bench.receive("shop", json.dumps(body).encode(), headers=headers, to="overplane")


def lead(bench: Bench, form: bytes = FORM) -> str:
    return bench.receive("website", form, URLENCODED, to="overplane")


def delivered(bench: Bench, *ids: str) -> None:
    for row in bench.until_ended(*ids):
        assert row["state"] == State.DELIVERED, (row["error"], row["reason"])


def only(bench: Bench, kind: str) -> Mapping[str, Any]:
    (record,) = bench.records("overplane", kind)
    found: Mapping[str, Any] = record["state"] if "state" in record else record["body"]
    return found


def lines(bench: Bench) -> list[tuple[Any, ...]]:
    found = [record["body"] for record in bench.records("overplane", "opportunity_item")]
    return [(line["idx"], line["item_code"], line["qty"], line["rate"]) for line in found]


def test_an_order_that_is_paid_is_won(bench: Bench) -> None:
    """Otherwise it stands in the pipeline for ever, with a probability of a half."""
    first = order(bench)
    delivered(bench, first)
    assert (only(bench, "opportunity")["status"], only(bench, "opportunity")["probability"]) == ("Open", 50)
    delivered(bench, order(bench, "orders/paid", 10, financial_status="paid"))
    won = only(bench, "opportunity")
    assert (won["status"], won["probability"], won["sales_stage"]) == ("Converted", 100, "Negotiation/Review")
    assert bench.counts("overplane") == {"customer": 1, "item": 3, "opportunity": 1, "opportunity_item": 3}


def test_an_order_that_is_cancelled_is_lost_with_its_reason(bench: Bench) -> None:
    """Otherwise nobody learns why orders are lost, or the money counts as expected."""
    delivered(bench, order(bench))
    delivered(bench, order(bench, "orders/cancelled", 10, **CANCELLED))
    lost = only(bench, "opportunity")
    assert (lost["status"], lost["probability"], lost["order_lost_reason"]) == ("Lost", 0, "customer")
    assert only(bench, "opportunity_lost_reason_detail")["lost_reason"] == "No answer"
    delivered(bench, order(bench, "orders/updated", 11))
    again = only(bench, "opportunity")
    assert (again["status"], again["order_lost_reason"]) == ("Open", "")
    assert bench.records("overplane", "opportunity_lost_reason_detail") == []


def test_an_order_that_changes_changes_its_lines(bench: Bench) -> None:
    """Otherwise the opportunity's lines and amount are those of an order that nobody wants any more."""
    delivered(bench, order(bench))
    assert lines(bench) == [(1, "LAMP-1", 3, 8.95), (2, "SHIPPING", 1, 5.0), (3, "TAX", 1, 5.0)]
    table = {"title": "Table", "sku": "TABLE-1", "quantity": 1, "price": "99.00"}
    fewer = {"line_items": [table], "shipping_lines": [], "total_tax": "0", "total_price": "99.00"}
    delivered(bench, order(bench, "orders/updated", 10, **fewer))
    assert lines(bench) == [(1, "TABLE-1", 1, 99.0)]
    assert only(bench, "opportunity")["opportunity_amount"] == 99.0
    chair = {"title": "Chair", "sku": "CHAIR-1", "quantity": 3, "price": "10.00"}
    more = {"line_items": [table, chair], "shipping_lines": [], "total_tax": "0", "total_price": "128.99"}
    delivered(bench, order(bench, "orders/updated", 11, **more))
    assert lines(bench)[:2] == [(1, "TABLE-1", 1, 99.0), (2, "CHAIR-1", 3, 10.0)]
    assert sum(pieces * rate for _, _, pieces, rate in lines(bench)) == pytest.approx(128.99)


def test_a_total_that_the_vendor_reckons_otherwise_stops(bench: Bench) -> None:
    """Otherwise a line that somebody added by hand, or a rounding, goes unnoticed until the books are closed."""
    first = order(bench)
    delivered(bench, first)
    (opportunity,) = bench.records("overplane", "opportunity")
    url = f"{bench.sandbox.url}/overplane/api/crm/opportunity-item"
    bench.control.post(
        url,
        json={"opportunity_id": opportunity["id"], "item_code": "LAMP-1", "qty": 1, "rate": 7},
        headers={"authorization": "Bearer overplane-token"},
    ).raise_for_status()
    (row,) = bench.until_ended(order(bench, "orders/updated", 10))
    assert (row["state"], row["error"]) == (State.FAILED, "Rejected")
    assert "43.85 at the vendor, 36.85 was sent" in row["reason"]
    with account(bench, check_total=False):
        delivered(bench, order(bench, "orders/updated", 11))


def test_a_vendor_that_reckons_no_total_takes_orders(opened: Open) -> None:
    """Otherwise every order is parked, though made: the reference shows a total of 0 and says of no sum."""
    with opened(totals="left") as bench:
        delivered(bench, order(bench))
        assert only(bench, "opportunity")["opportunity_amount"] == 36.85


def test_what_an_earlier_event_left_in_doubt_is_brought_up_to_date(bench: Bench) -> None:
    """Otherwise an order whose creation was given up after a lost answer stays open although it is paid."""
    bench.fault(vendor="overplane", operation="opportunity_create", fault="drop_after", times=1)
    first = order(bench)
    assert bench.attempt(first) == State.UNKNOWN
    # Given up, as after a day in which the look-up failed while other calls worked.
    with bench.engine.db.write() as c:
        c.execute(update(deliveries).where(deliveries.c.id == first).values(state=State.FAILED))
    delivered(bench, order(bench, "orders/paid", 10, financial_status="paid"))
    assert only(bench, "opportunity")["status"] == "Converted"


def test_a_second_order_finds_the_customer_however_it_is_written(bench: Bench) -> None:
    """Otherwise one customer who types in capitals becomes two."""
    delivered(bench, order(bench))
    loud = {**ORDER["customer"], "email": "ANA@Example.com"}  # type: ignore[dict-item]
    delivered(bench, order(bench, id=5002, name="#1002", email="ANA@Example.com", customer=loud))
    assert bench.counts("overplane")["customer"] == 1
    assert bench.counts("overplane")["opportunity"] == 2


def test_a_customer_with_two_names_is_one_where_orders_call_customers_by_name(opened: Any) -> None:
    """Otherwise the order of who signs otherwise names nobody: it is refused, and the customer made again."""
    nickname = {"id": 9, "email": "ana@example.com", "first_name": "Anita", "last_name": ""}
    with opened(party_name="name") as bench, account(bench, party_name_is="name"):
        delivered(bench, order(bench))
        delivered(bench, order(bench, id=5002, name="#1002", customer=nickname))
        parties = [record["body"]["party_name"] for record in bench.records("overplane", "opportunity")]
        assert parties == ["Ana Garcia (ana@example.com)"] * 2
        assert bench.counts("overplane")["customer"] == 1


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({"party_name": "name", "list_reference": "name"}, {"party_name_is": "name"}),
        ({"list_reference": "id"}, {"entries_by": "id"}),
        ({"list_reference": "id"}, {"entries_by": "id", "stage": "sales-stage_201"}),
        ({"list_reference": "either"}, {"entries_by": "text"}),
        ({"item_code": "free"}, {"items": "free"}),
        ({"same_item_code": "refuse"}, {}),
        ({"largest_page": "none", "create_status": "200", "invalid_status": "422"}, {}),
    ],
    ids=str,
)
def test_an_order_reaches_every_account_that_may_be(
    opened: Any, options: Mapping[str, str], values: Mapping[str, Any]
) -> None:
    """Otherwise what the vendor's document leaves open decides whether the relay works."""
    with opened(**options) as bench, account(bench, **values):
        delivered(bench, order(bench))
        delivered(bench, order(bench, "orders/cancelled", 10, **CANCELLED))
        assert only(bench, "opportunity")["status"] == "Lost"
        assert bench.counts("overplane")["opportunity_item"] == 3


def test_a_verb_that_is_another_one_is_named_and_can_be_set(opened: Any) -> None:
    """Otherwise orders that change are parked, and nobody knows which line of relay.toml mends it."""
    with opened(child_update_verb="PUT") as bench:
        delivered(bench, order(bench))
        (row,) = bench.until_ended(order(bench, "orders/updated", 10))
        assert row["error"] == "Rejected"
        assert "verbs.opportunity_item_update" in row["reason"]
        with account(bench, verbs={"opportunity_item_update": "PUT"}):
            delivered(bench, order(bench, "orders/updated", 11))


def test_a_name_that_the_account_does_not_have_is_answered_with_those_that_it_has(bench: Bench) -> None:
    """Otherwise the operator has to guess how the account spells its stages."""
    with account(bench, stage="Prospectin"):
        (row,) = bench.until_ended(order(bench))
    assert row["error"] == "NotConfigured"
    assert "values.stage: no 'Prospectin'" in row["reason"]
    assert "'Prospecting'" in row["reason"]


SECOND = FORM.replace(b"Please+call", b"Still+waiting")


def test_two_enquiries_of_one_person_are_two_leads(bench: Bench) -> None:
    """Otherwise the second question of a visitor is never seen."""
    delivered(bench, lead(bench), lead(bench, SECOND))
    titles = sorted(record["body"]["title"] for record in bench.records("overplane", "lead"))
    assert [title.partition(" [")[0] for title in titles] == [
        "Nguyễn Lan: Please call",
        "Nguyễn Lan: Still waiting",
    ]


def test_an_account_with_one_lead_for_an_email_shows_the_last_enquiry(opened: Any) -> None:
    """Otherwise a visitor who comes back is refused for a day, and then parked."""
    with opened(lead_same_email="refuse") as bench:
        delivered(bench, lead(bench))
        delivered(bench, lead(bench, SECOND))
        assert only(bench, "lead")["title"].startswith("Nguyễn Lan: Still waiting [")


def test_a_whole_message_can_be_kept_in_an_issue_of_the_lead(bench: Bench) -> None:
    """Otherwise the end of a long message and the answers to further questions are lost."""
    with account(bench, lead_message="issue"):
        first = lead(bench)
        delivered(bench, first)
        assert bench.show(first)["record_id"] == bench.records("overplane", "lead")[0]["id"]
    assert only(bench, "issue")["lead"] == bench.records("overplane", "lead")[0]["id"]
    assert only(bench, "issue")["description"].startswith("Please call\n\n")
    assert "budget: 900" in only(bench, "issue")["description"]


def test_an_account_without_leads_or_issues_is_told_how_to_go_on(opened: Any) -> None:
    """Otherwise the operator learns that it is a 404, and not that opportunities would do."""
    with opened(lead_api="absent", issue_api="absent") as bench:
        ticket = bench.receive("inbox", json.dumps(EMAIL).encode(), to="overplane")
        asked, wrote = bench.until_ended(lead(bench), ticket)
        assert (asked["error"], wrote["error"]) == ("NotConfigured", "NotConfigured")
        assert 'values.lead_as = "opportunity"' in asked["reason"]
        assert 'values.tickets = "opportunity"' in wrote["reason"]
        with account(bench, lead_as="opportunity", tickets="opportunity", ticket_opportunity_type="Support"):
            other = {**EMAIL, "MessageID": "11111111-2222-4333-8444-666666666666"}
            again = bench.receive("inbox", json.dumps(other).encode(), to="overplane")
            delivered(bench, lead(bench, SECOND), again)
        assert bench.counts("overplane") == {
            "customer": 2,
            "item": 1,
            "opportunity": 2,
            "opportunity_item": 2,
        }
