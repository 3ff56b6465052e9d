"""A create whose answer was lost, and an event that comes before the look-up and says otherwise who it is about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ENVIRON, ROOT, SECRETS_OF_EVERY_SOURCE, Bench
from tests.engine.jobs import ORDER, VENDOR_OF
from tests.engine.test_overplane import account
from worker.ledger import purging, search
from worker.ledger.database import Database
from worker.ledger.tables import State
from worker.settings.configuration import load

EVERY = {**ENVIRON, **SECRETS_OF_EVERY_SOURCE, "RELAY_CONFIG": str(ROOT / "docs" / "every-source.toml")}
#: The same customer, who writes another name at the next order …
RENAMED = {"email": "ana@example.com", "first_name": "Ana María", "last_name": "García López"}
#: … and another one, to whom the shop has moved the order.
SOMEBODY = {"email": "luis@example.com", "first_name": "Luis", "last_name": "Vega", "phone": "+34600111222"}
#: The creates of records that several orders share, and what a CRM holds of two such orders.
SHARED = (
    ("opla", "account_create", {"account": 1, "contact": 1, "product": 3}),
    ("opla", "contact_create", {"account": 1, "contact": 1, "product": 3}),
    ("centia", "companies_create_company", {"company": 1, "contact": 1, "product": 3}),
    ("centia", "contacts_create_contact", {"company": 1, "contact": 1, "product": 3}),
    ("centia", "products_create_product", {"company": 1, "contact": 1, "product": 3}),
    ("office", "person_create", {"person": 1, "contact_info": 1, "invoice_item": 3}),
    ("office", "contact_info_add", {"person": 1, "contact_info": 1, "invoice_item": 3}),
    ("office", "invoiceitem_create", {"person": 1, "contact_info": 1, "invoice_item": 3}),
    ("overplane", "customer_create", {"customer": 1, "item": 3}),
    ("overplane", "item_create", {"customer": 1, "item": 3}),
    ("crmtop", "customer_create", {"customer": 1, "contact": 1, "product": 3}),
    ("crmtop", "contact_create", {"customer": 1, "contact": 1, "product": 3}),
    ("crmtop", "product_create", {"customer": 1, "contact": 1, "product": 3}),
)
#: The creates of what is one order's, or one ticket's, alone.
OF_ORDERS = (
    ("opla", "opportunity_create", {"opportunity": 1}),
    ("centia", "opportunities_create_opportunity", {"opportunity": 1}),
    ("office", "opportunity_create", {"opportunity": 1, "invoice": 1}),
    ("office", "invoice_create", {"opportunity": 1, "invoice": 1}),
    ("overplane", "opportunity_create", {"opportunity": 1, "opportunity_item": 3}),
    ("overplane", "opportunity_item_create", {"opportunity": 1, "opportunity_item": 3}),
    ("crmtop", "opportunity_create", {"opportunity": 1, "order": 1}),
    ("crmtop", "order_create", {"opportunity": 1, "order": 1}),
)
OF_TICKETS = (
    ("opla", "lead_create", {"lead": 1}),
    ("centia", "tickets_create_ticket", {"ticket": 1}),
    ("office", "case_create", {"case": 1, "task": 1}),
    ("office", "history_add", {"case": 1, "task": 1, "history": 3}),
    ("office", "task_create", {"case": 1, "task": 1}),
    ("overplane", "issue_create", {"issue": 1}),
    ("crmtop", "ticket_create", {"ticket": 1, "ticket_comment": 2}),
    ("crmtop", "ticket_send_comment", {"ticket": 1, "ticket_comment": 2}),
)


def bench_of(db: Database, clock: Clock, folder: Path) -> Iterator[Bench]:
    with running(CREDENTIALS) as sandbox:
        bench = Bench(db, clock, sandbox, folder)
        desk = next(source for source in load(EVERY).sources.values() if source.type == "freshdesk")
        known = bench.engine.settings
        sources = {**known.sources, "desk": replace(desk, name="desk", options={})}
        bench.engine = replace(bench.engine, settings=replace(known, sources=sources))
        yield bench
        bench.close()


@pytest.fixture
def bench(clock: Clock, ledger: Database, tmp_path: Path) -> Iterator[Bench]:
    """A worker at all CRMs that knows a help desk, too."""
    yield from bench_of(ledger, clock, tmp_path)


@pytest.fixture
def either(clock: Clock, db: Database, tmp_path: Path) -> Iterator[Bench]:
    """The same over each of the two databases."""
    yield from bench_of(db, clock, tmp_path)


def order(
    bench: Bench, to: str, number: int = 5001, who: Mapping[str, str] | None = None, minute: int = 0
) -> str:
    """Receive an order, Ana's unless it is of `who`, as it was `minute` minutes past nine."""
    customer = who or {"email": "ana@example.com", "first_name": "Ana", "last_name": "Garcia"}
    body = {
        **ORDER,
        "id": number,
        "name": f"#{number}",
        "email": customer["email"],
        "customer": {"id": 9, **customer},
        "updated_at": f"2026-03-02T09:{minute:02}:00+01:00",
    }
    return bench.receive(
        "shop", json.dumps(body).encode(), headers={"x-shopify-topic": "orders/updated"}, to=to
    )


def ticket(bench: Bench, to: str, email: str, comment: str, minute: int) -> str:
    """Receive what a rule of the help desk tells of ticket 7."""
    body = {
        "ticket_id": "7",
        "ticket_subject": "Wet box",
        "ticket_status": "Open",
        "ticket_contact_email": email,
        "ticket_latest_public_comment": comment,
        "email": email,
        "updated": f"2026-03-02T12:{minute:02d}:00Z",
    }
    return bench.receive("desk", json.dumps(body).encode(), to=to)


def lose_the_answer(bench: Bench, to: str, create: str) -> None:
    """Let the next answer to `create` be lost, after the record was made."""
    bench.fault(vendor=VENDOR_OF[to], operation=create, times=1, fault="drop_after")


def refused_look_up(bench: Bench, delivery: str) -> None:
    """Let the look-up after the doubt be refused, which parks the delivery: later ones no longer wait for it."""
    bench.clock.forward(seconds=5)
    to = bench.show(delivery)["connection"]
    for _ in range(3):  # a CRM that answers its failures with a 200 takes the status for one of a gateway
        bench.fault(vendor=VENDOR_OF[to], times=1, fault="status", status=400)
        if bench.attempt(delivery) == State.FAILED:
            break
        bench.clock.forward(seconds=60)
    assert bench.show(delivery)["state"] == State.FAILED
    bench.clear_faults()


def delivered(bench: Bench, *ids: str) -> None:
    rows = bench.until_ended(*ids)
    states = [row["state"] for row in rows]
    assert set(states) <= {State.DELIVERED, State.SKIPPED}, [row["reason"] for row in rows]


def held(bench: Bench, to: str, wanted: Mapping[str, int]) -> dict[str, int]:
    """Return how many records the CRM holds of the kinds that are wanted."""
    counts = bench.counts(VENDOR_OF[to])
    return {kind: counts.get(kind, 0) for kind in wanted}


@pytest.mark.parametrize(("to", "create", "wanted"), SHARED)
def test_a_customer_in_doubt_is_found_by_the_name_that_was_sent(
    bench: Bench, to: str, create: str, wanted: dict[str, int]
) -> None:
    """Otherwise who writes their name otherwise at the next order is twice in the CRM."""
    lose_the_answer(bench, to, create)
    first = order(bench, to)
    assert bench.attempt(first) == State.UNKNOWN
    second = order(bench, to, 5002, RENAMED)
    delivered(bench, second)  # it comes to the look-up first
    delivered(bench, first)
    assert held(bench, to, wanted) == wanted


def test_a_customer_in_doubt_is_found_where_customers_go_by_their_names(either: Bench) -> None:
    """Otherwise an Overplane account of the other kind gets the customer twice."""
    bench = either
    with account(bench, party_name_is="name"):
        lose_the_answer(bench, "overplane", "customer_create")
        first = order(bench, "overplane")
        assert bench.attempt(first) == State.UNKNOWN
        bench.until_ended(order(bench, "overplane", 5002, RENAMED))
        bench.until_ended(first)
    assert held(bench, "overplane", {"customer": 1}) == {"customer": 1}


@pytest.mark.parametrize(("to", "create", "wanted"), OF_ORDERS)
def test_an_order_in_doubt_is_found_at_the_customer_it_was_made_for(
    bench: Bench, to: str, create: str, wanted: dict[str, int]
) -> None:
    """Otherwise an order that is moved to another customer is twice in the CRM, and counted twice."""
    lose_the_answer(bench, to, create)
    first = order(bench, to)
    assert bench.attempt(first) == State.UNKNOWN
    refused_look_up(bench, first)
    delivered(bench, order(bench, to, who=SOMEBODY, minute=5))
    assert held(bench, to, wanted) == wanted


@pytest.mark.parametrize(("to", "create", "wanted"), OF_TICKETS)
def test_a_ticket_in_doubt_is_found_at_whom_it_was_made_for(
    bench: Bench, to: str, create: str, wanted: dict[str, int]
) -> None:
    """Otherwise a ticket that changes hands is worked on twice."""
    lose_the_answer(bench, to, create)
    first = ticket(bench, to, "lan@example.com", "Take another one.", 10)
    assert bench.attempt(first) == State.UNKNOWN
    refused_look_up(bench, first)
    delivered(bench, ticket(bench, to, "luis@example.com", "What now?", 15))
    if "history" in wanted or "ticket_comment" in wanted:
        search.release(bench.engine.db, first, "ana", bench.clock())
        delivered(bench, first)  # what was said on it is still added
    assert held(bench, to, wanted) == wanted


def test_a_doubt_whose_event_was_emptied_is_looked_up_by_what_the_next_one_says(either: Bench) -> None:
    """Otherwise what was forgotten keeps a customer's later orders from the CRM for ever."""
    bench, to, create = either, "office", "person_create"
    lose_the_answer(bench, to, create)
    first = order(bench, to)
    assert bench.attempt(first) == State.UNKNOWN
    refused_look_up(bench, first)
    with bench.engine.db.write() as c:
        purging.empty(c, [bench.show(first)["event_id"]], bench.clock())
    bench.clock.forward(days=1)
    delivered(bench, order(bench, to, 5002))
