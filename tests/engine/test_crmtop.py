"""What becomes of CRMTop's records after they were made, and whichever way the undocumented turns out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mappings.commands import Comment, OpenTicket, Person, TicketStatus
from mappings.vendor import CheckedValues, Record
from mappings.vendors import VENDORS as MAPPINGS
from tests.conftest import Clock
from tests.engine.harness import ENVIRON, Bench, benched
from tests.engine.jobs import EMAIL, JOBS, ORDER, Job
from worker.http import Http
from worker.ledger import deliveries
from worker.ledger.deliveries import Closing
from worker.ledger.steps import Checkpoints
from worker.ledger.tables import State
from worker.settings.configuration import load
from worker.steps import Made, Steps
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

MINE = {job.name: job for job in JOBS if job.connection == "crmtop"}
LEASE = timedelta(seconds=30)


@contextmanager
def configured(path: Path, url: str, clock: Clock, values: dict[str, Any], **options: str) -> Iterator[Bench]:
    with benched(clock, url, path, options={"crmtop": options}) as bench:
        before = bench.engine.settings.connections["crmtop"]
        account = replace(before.account, values=CheckedValues({**before.account.values, **values}))
        known = {**bench.engine.settings.connections, "crmtop": replace(before, account=account)}
        bench.engine.__dict__["settings"] = replace(bench.engine.settings, connections=known)
        yield bench


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    with configured(tmp_path, sqlite_url, clock, {}) as bench:
        yield bench


def api_of(bench: Bench) -> Api:
    connection = bench.engine.settings.connections["crmtop"]
    return Api(VENDORS["crmtop"], connection, bench.engine.http, Session(), lambda: None)


def order(bench: Bench, topic: str, **changes: Any) -> str:
    body = {**ORDER, **changes}
    headers = {"x-shopify-topic": topic}
    return bench.receive("shop", json.dumps(body).encode(), headers=headers, to="crmtop")


def receive(bench: Bench, job: Job) -> str:
    return bench.receive(job.source, job.body, job.content_type, job.headers, "crmtop")


def delivered(bench: Bench, *ids: str) -> None:
    for row in bench.until_ended(*ids):
        assert row["state"] == State.DELIVERED, (row["error"], row["reason"])


def only(bench: Bench, kind: str) -> dict[str, Any]:
    """Return the one record of a kind, as the vendor shows it."""
    (record,) = bench.records("crmtop", kind)
    shown: dict[str, Any] = api_of(bench).call(f"{kind}_get", {"id": record["id"]})
    return shown


def test_a_paid_order_changes_opportunity_and_order_and_keeps_what_people_typed(bench: Bench) -> None:
    """Otherwise a full update wipes out the owner, the approval and the notes that people have entered."""
    delivered(bench, order(bench, "orders/create"))
    api = api_of(bench)
    api.call("order_approve", {"id": only(bench, "order")["id"], "approve": True})
    typed = {**only(bench, "opportunity"), "description": "Called twice", "probability": 80}
    api.call("opportunity_update", {k: v for k, v in typed.items() if v is not None})
    later = {"financial_status": "paid", "updated_at": "2026-03-02T10:00:00+01:00"}
    delivered(bench, order(bench, "orders/paid", **later))
    opportunity, bought = only(bench, "opportunity"), only(bench, "order")
    assert (opportunity["stage"], opportunity["description"], opportunity["probability"]) == (
        4,
        "Called twice",
        80,
    )
    assert (bought["status"], bought["approved"]) == (2, True)
    assert opportunity["code"] == bought["code"] == "shop-order-5001"
    assert bench.counts("crmtop") == MINE["order"].holds


def test_a_cancelled_order_is_lost_for_a_reason(bench: Bench) -> None:
    """Otherwise salespeople call a customer who has sent it all back, and nobody knows why."""
    delivered(bench, order(bench, "orders/create"))
    at = "2026-03-02T11:00:00+01:00"
    for topic in ("orders/cancelled", "orders/updated"):
        gone = {"cancelled_at": at, "cancel_reason": "inventory", "updated_at": at}
        delivered(bench, order(bench, topic, **gone))
        at = "2026-03-02T12:00:00+01:00"
    assert only(bench, "opportunity")["stage"] == 5
    bought = only(bench, "order")
    assert bought["status"] == 3
    assert bought["note"].startswith("Order #1001 [shop-order-5001]")
    assert bought["note"].count("inventory") == 1
    assert "status" not in bought["note"]


def test_an_updated_order_has_its_new_lines(bench: Bench) -> None:
    """Otherwise the CRM shows what was ordered first, at the first price, with a discount that is gone."""
    delivered(bench, order(bench, "orders/create"))
    api = api_of(bench)
    moved = {**only(bench, "opportunity"), "stage": 2}
    api.call("opportunity_update", {k: v for k, v in moved.items() if v is not None})
    lamp = {"title": "Lamp", "sku": "LAMP-1", "quantity": 2, "price": "10.00"}
    now = {"line_items": [lamp], "shipping_lines": [], "total_price": "20.00", "total_tax": "0.00"}
    delivered(bench, order(bench, "orders/updated", updated_at="2026-03-02T10:00:00+01:00", **now))
    bought = only(bench, "order")
    figures = (bought["totalAmount"], bought["taxAmount"], bought["discountAmount"])
    assert [float(figure) for figure in figures] == [20, 0, 0]
    product = bench.records("crmtop", "product")[0]["id"]
    (one,) = json.loads(bought["products"])
    assert (one["productId"], one["quantity"], one["price"]) == (product, 2, 10)
    opportunity = only(bench, "opportunity")
    assert (float(opportunity["amount"]), opportunity["stage"]) == (20, 2), "the stage is the salespeople's"


def run_ticket(bench: Bench, delivery: str, ticket: OpenTicket) -> Made:
    """Carry out a ticket under a delivery of its own, as no source sends comments yet."""
    claim = deliveries.claim(bench.engine.db, delivery, bench.clock(), LEASE)
    assert claim is not None
    checkpoints = Checkpoints(bench.engine.db, claim, bench.clock, LEASE)
    api = api_of(bench)
    plan = MAPPINGS["crmtop"].planners[OpenTicket](ticket, api.connection.account)
    closing = Closing(State.WAITING, bench.clock())
    try:
        return Steps(api, checkpoints, bench.clock, lambda: None).run([plan])
    finally:
        deliveries.close(bench.engine.db, claim, closing, None, bench.clock(), checkpoints.write_into)


def test_a_ticket_moves_and_takes_comments_once(bench: Bench) -> None:
    """Otherwise a solved request stays open, or each message on it stands there twice."""
    ticket = OpenTicket("mail-1", "Broken", "It broke.", Person(email="lan@example.com"))
    said = Comment("c1", "Lan", "Any news?")
    second = replace(ticket, status=TicketStatus.SOLVED, comments=(said,))
    ids = [
        bench.receive("inbox", json.dumps({**EMAIL, "MessageID": f"{n}"}).encode(), to="crmtop")
        for n in "123"
    ]
    made = run_ticket(bench, ids[0], ticket)
    bench.fault(vendor="crmtop", operation="ticket_send_comment", fault="drop_after", times=1)
    with pytest.raises(Exception, match="no whole answer"):
        run_ticket(bench, ids[1], second)
    bench.clock.forward(seconds=60)
    again = run_ticket(bench, ids[1], second)
    assert (made.record_id, made.left_as_it_was) == (again.record_id, False)
    assert bench.counts("crmtop") == {"customer": 1, "contact": 1, "ticket": 1, "ticket_comment": 1}
    assert only(bench, "ticket")["status"] == 3
    assert bench.records("crmtop", "ticket_comment")[0]["body"]["message"] == "[mail-1.c1]\nAny news?"


#: What the document leaves open: the vendor's way, and what relay.toml then has to say.
WAYS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "pages from 0": ({"first_page": "0"}, {"first_page": 0, "page_size": 1}),
    "short pages": ({}, {"page_size": 1}),
    "exact searches": ({"search_match": "exact"}, {}),
    "fields in the form": ({"multipart_fields": "form"}, {"multipart_fields": "form"}),
    "ids of ours": ({"client_id_honoured": "yes"}, {"client_ids": True}),
    "ids of ours for nothing": ({}, {"client_ids": True}),
    "a code only once": ({"repeat_code": "refuse"}, {}),
    "problem details": ({"error_style": "problem"}, {}),
    "401 in a 200": ({"auth_error": "envelope"}, {}),
    "expiration as a time": ({"expiration": "epoch"}, {}),
    "expiration as a time in ms": ({"expiration": "epoch_ms"}, {}),
    "updates that merge": ({"update": "merge"}, {}),
    "products as JSON only": ({"products_format": "json"}, {}),
    "products as text": ({}, {"products_format": "text"}),
}


@pytest.mark.parametrize(("options", "values"), WAYS.values(), ids=WAYS)
def test_every_way_that_the_document_leaves_open_works(
    tmp_path: Path, sqlite_url: str, clock: Clock, options: dict[str, str], values: dict[str, Any]
) -> None:
    """Otherwise the first tenant whose CRM behaves so gets nothing, or everything twice."""
    with configured(tmp_path, sqlite_url, clock, values, **options) as bench:
        for create in ("customer_create", "order_create", "ticket_create", "lead_create"):
            bench.fault(vendor="crmtop", operation=create, fault="drop_after", times=1)
        bench.fault(vendor="crmtop", operation="product_create", fault="expire_token", times=1)
        delivered(bench, *(receive(bench, job) for job in MINE.values()))
        later = {"financial_status": "paid", "updated_at": "2026-03-02T10:00:00+01:00"}
        delivered(bench, order(bench, "orders/paid", **later))
        # The order's customer and the ticket's are two people.
        assert bench.counts("crmtop") == {
            "lead": 1,
            "customer": 2,
            "contact": 2,
            "product": 3,
            "opportunity": 1,
            "order": 1,
            "ticket": 1,
        }
        assert only(bench, "order")["status"] == 2


def test_pages_from_0_are_noticed_where_nobody_said_so(tmp_path: Path, sqlite_url: str, clock: Clock) -> None:
    """Otherwise the first page is never looked at, and all that stands on it is made again."""
    with configured(tmp_path, sqlite_url, clock, {}, first_page="0") as bench:
        (row,) = bench.until_ended(receive(bench, MINE["order"]))
        assert (row["state"], row["error"]) == (State.FAILED, "NotConfigured")
        assert "values.first_page = 0" in row["reason"]
        assert bench.counts("crmtop") == {}


@pytest.mark.parametrize(
    ("typed", "is_theirs"),
    [
        ({"name": "Ana", "email": "ANA@example.com"}, True),
        ({"name": "Ana", "phone": "0901 234 567"}, False),
        ({"name": "Ana", "phone": "0901234567"}, True),
        ({"name": "Husband", "phone": "0901234567", "email": "other@example.com"}, False),
    ],
)
def test_a_customer_that_somebody_typed_is_found(
    bench: Bench, typed: dict[str, str], is_theirs: bool
) -> None:
    """Otherwise the CRM has everybody twice; but two people who share a phone stay two."""
    there = api_of(bench).call("customer_create", typed)
    who = {**ORDER["customer"], "phone": "+84901234567"}  # type: ignore[dict-item]
    delivered(bench, order(bench, "orders/create", customer=who, phone="+84901234567"))
    assert bench.counts("crmtop")["customer"] == (1 if is_theirs else 2)
    assert (only(bench, "order")["customerId"] == there) is is_theirs


def answering(found: dict[str, Any], whole: dict[str, Any] | None) -> tuple[Api, list[str]]:
    """Return an account whose searches show `found` and whose records are `whole`, and the calls made."""
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path.removeprefix("/api/v1/"))
        said = {"success": True, "code": 200, "message": None, "errors": None, "meta": None}
        if "/search" in request.url.path:
            data: Any = {"currentPage": 1, "hasPreviousPage": False, "hasNextPage": False, "data": [found]}
        elif "/auth/" in request.url.path:
            data = {"accessToken": "t", "refreshToken": "", "expiration": 0}
        elif whole is None:
            return httpx.Response(200, json={**said, "success": False, "code": 404, "data": None})
        else:
            data = whole
        return httpx.Response(200, json={**said, "data": data})

    connection = load(ENVIRON).connections["crmtop"]
    http = Http(httpx.MockTransport(answer))
    return Api(VENDORS["crmtop"], connection, http, Session(), lambda: None), calls


#: What a search shows, what the record then is, and whether it is ours.
SHOWN: dict[str, tuple[dict[str, Any], dict[str, Any] | None, bool, int]] = {
    "the notes": ({"id": "l1", "notes": "[site-1]\nHi"}, {}, True, 0),
    "no notes": ({"id": "l1"}, {"id": "l1", "notes": "[site-1]\nHi"}, True, 1),
    "empty notes": ({"id": "l1", "notes": None}, {"id": "l1", "notes": "[site-1]"}, True, 1),
    "another's notes": ({"id": "l1", "notes": "[site-10]"}, {}, False, 0),
    "another": ({"id": "l1"}, {"id": "l1", "notes": "[site-10]"}, False, 1),
    "one that is gone": ({"id": "l1"}, None, False, 1),
    "nothing": ({"id": "l1"}, {}, False, 1),
}


@pytest.mark.parametrize(("found", "whole", "is_ours", "reads"), SHOWN.values(), ids=SHOWN)
def test_a_candidate_is_read_whole_where_the_search_does_not_tell(
    found: dict[str, Any], whole: dict[str, Any] | None, is_ours: bool, reads: int
) -> None:
    """Otherwise a search whose items show no notes lets each doubtful lead be made again."""
    api, calls = answering(found, whole)
    find = VENDORS["crmtop"].kinds["lead"].find
    assert find is not None
    lead = Record("lead", "site-1", {}, {"marker": "site-1", "email": "lan@example.com"})
    assert find(api, lead, None) == ("l1" if is_ours else None)
    assert calls.count("lead/get/l1") == reads
