"""Two states of one thing within a second, arriving in either order: the CRM ends with the newer one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ROOT, Bench
from tests.engine.test_thin_support import SETTINGS
from worker.ledger.database import Database

SAMPLES = ROOT / "tests" / "fixtures" / "sources"
PAID, CANCELLED = 4, 5  # stages of relay.toml at CRMTop; 1 is that of an open order


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


class Desk(BaseHTTPRequestHandler):
    """Plays a sender's interface: answers as things stand now."""

    stands: dict[str, Any] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        body = json.dumps(next(v for end, v in self.stands.items() if path.endswith(end))).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    """A worker that knows all sources, which have their interface at a server of the test's own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    Thread(target=server.serve_forever, daemon=True).start()
    Desk.stands.clear()
    db = Database(sqlite_url)
    here = f"http://127.0.0.1:{server.server_port}"
    with running(CREDENTIALS) as sandbox:
        bench = Bench(db, clock, sandbox, tmp_path)
        known = {
            name: replace(source, api_url=here, api_token="t", renewal=None) if source.api_url else source
            for name, source in SETTINGS.sources.items()
        }
        bench.engine = replace(bench.engine, settings=replace(bench.engine.settings, sources=known))
        yield bench
        bench.close()
    db.close()
    server.shutdown()
    server.server_close()


def sent(bench: Bench, source: str, payload: Any, to: str, headers: dict[str, str] | None = None) -> None:
    stored = bench.post(source, json.dumps(payload).encode(), headers=headers or {}, to=to)
    assert not stored.duplicate
    # Not `until_ended`, which lets a second pass.
    bench.attempt(stored.deliveries[0][1])
    assert bench.show(stored.deliveries[0][1])["state"] in ("delivered", "superseded")


def stage(bench: Bench) -> int:
    (opportunity,) = bench.records("crmtop", "opportunity")
    return int(opportunity["body"]["stage"])


def order(source: str, name: str, topic: str, **newer: Any) -> Any:
    return pytest.param(source, name, topic, newer, id=source)


WHOLE = [
    order("shop", "shopify/orders__create__ids_beyond_doubles", "x-shopify-topic", financial_status="paid"),
    order("haravan", "haravan/orders__create__counter", "x-haravan-topic", financial_status="paid"),
    order("sapo", "sapo/orders__create__tax_included", "x-sapo-topic", financial_status="paid"),
    order(
        "woo",
        "woocommerce/order.created__yen_on_delivery",
        "x-wc-webhook-topic",
        status="processing",
        date_paid_gmt="2026-03-02T09:30:00",
    ),
]


@pytest.mark.parametrize("late_is_older", [False, True])
@pytest.mark.parametrize(("source", "name", "header", "newer"), WHOLE)
def test_an_order_that_was_paid_in_the_second_of_its_making(
    bench: Bench, source: str, name: str, header: str, newer: dict[str, Any], late_is_older: bool
) -> None:
    """Otherwise it depends on luck whether a sale is won: both posts are on their way at the same time."""
    topic = "order.updated" if source == "woo" else "orders/updated"
    made = {**sample(name), "financial_status": "pending", "cancelled_at": None, "cancelled_on": None}
    if source == "woo":
        made |= {"status": "pending", "date_paid_gmt": None, "date_paid": None}
    states = [made, {**made, **newer}]
    for state in reversed(states) if late_is_older else states:
        sent(bench, source, state, "crmtop", {header: topic})
    assert stage(bench) == PAID


@pytest.mark.parametrize("late_is_older", [False, True])
def test_a_payment_that_came_in_the_second_of_its_checkout(bench: Bench, late_is_older: bool) -> None:
    """Otherwise an order that is paid waits for its money at the CRM for ever."""
    Desk.stands["line_items"] = sample("stripe/checkout.session.completed__yen_not_yet_paid.fetched")[
        "line_items"
    ]
    waiting = sample("stripe/checkout.session.completed__yen_not_yet_paid")
    paid = {**waiting, "id": "evt_3", "type": "checkout.session.async_payment_succeeded"}
    paid["data"] = {"object": {**waiting["data"]["object"], "payment_status": "paid"}}
    for event in (paid, waiting) if late_is_older else (waiting, paid):
        sent(bench, "payments", event, "crmtop")
    assert stage(bench) == PAID


NOTICE = {"resource": "/orders/2000003692581726", "user_id": 468424240, "topic": "orders_v2", "attempts": 1}
BIG = {"scope": "store/order/updated", "data": {"type": "order", "id": 250}, "hash": "h", "created_at": 9}
TIENDA = {"store_id": 123456, "event": "order/updated", "id": 871254203}
#: Two posts, what is read for them, and what the second change sets.
READ: dict[str, tuple[Any, Any, str, dict[str, Any]]] = {
    "big": (BIG, BIG, "bigcommerce/store__order__created__coupon_and_handling", {"status_id": 5}),
    "tienda": (TIENDA, TIENDA, "tiendanube/order__paid__card", {"status": "cancelled"}),
    "market": (
        {**NOTICE, "_id": "a", "sent": "2026-03-02T16:19:20.129Z"},
        {**NOTICE, "_id": "b", "sent": "2026-03-02T16:19:20.130Z"},
        "mercado_libre/orders_v2__discount_and_variation",
        {"status": "cancelled"},
    ),
}


@pytest.mark.parametrize("late_is_older", [False, True])
@pytest.mark.parametrize("source", READ)
def test_an_order_that_is_read_for_each_of_two_posts(bench: Bench, source: str, late_is_older: bool) -> None:
    """Otherwise the second of two equal posts counts as the first one's repetition, and the CRM stays behind."""
    first, second, answers, cancelled = READ[source]
    answer = sample(f"{answers}.fetched")
    before, after = answer["order"], {**answer["order"], **cancelled}
    # Whoever posts the second one has made both changes.
    told = [(second, after), (first, after)] if late_is_older else [(first, before), (second, after)]
    for post, now in told:
        Desk.stands.update({"products": answer.get("products"), str(now["id"]): now})
        sent(bench, source, post, "crmtop")
    assert stage(bench) == CANCELLED


def issue(bench: Bench) -> str:
    (found,) = bench.records("overplane", "issue")
    return str(found["body"]["status"])


@pytest.mark.parametrize("late_is_older", [False, True])
@pytest.mark.parametrize(("older", "newer"), [(("open", 1), ("closed", 2)), (("closed", 2), ("open", 3))])
def test_a_conversation_that_was_closed_or_opened_in_the_second_of_a_reply(
    bench: Bench, older: tuple[str, int], newer: tuple[str, int], late_is_older: bool
) -> None:
    """Otherwise somebody waits for an answer on a request that the CRM holds for closed."""
    source = SETTINGS.sources["intercom"]  # without a token: what the notification tells is all there is
    known = {**bench.engine.settings.sources, "intercom": replace(source, api_url="", api_token="")}
    bench.engine = replace(bench.engine, settings=replace(bench.engine.settings, sources=known))
    notice = sample("intercom/conversation.user.replied__without_a_token")
    posts = []
    for state, parts in (older, newer):
        item = {
            **notice["data"]["item"],
            "state": state,
            "statistics": {"count_conversation_parts": parts},
        }
        posts.append({**notice, "id": f"notif_{parts}", "data": {"item": item}})
    for post in reversed(posts) if late_is_older else posts:
        sent(bench, "intercom", post, "overplane")
    assert issue(bench) == {"open": "Open", "closed": "Closed"}[newer[0]]


@pytest.mark.parametrize("late_is_older", [False, True])
def test_a_ticket_of_zendesk_that_was_solved_in_the_second_of_its_making(
    bench: Bench, late_is_older: bool
) -> None:
    """Otherwise a solved request stays open: the events tell fractions of a second, the ticket does not."""
    answer = sample("zendesk/ticket.created__requester_is_an_id.fetched")
    Desk.stands.update({"comments.json": answer["comments"], ".json": answer["requester"]})
    made = {**sample("zendesk/ticket.created__requester_is_an_id"), "time": "2026-03-02T08:00:00.672717030Z"}
    done = {**made, "id": "e-2", "time": "2026-03-02T08:00:00.672817030Z"}
    done |= {"type": "zen:event-type:ticket.status_changed", "detail": {**made["detail"], "status": "SOLVED"}}
    for post in (done, made) if late_is_older else (made, done):
        sent(bench, "zendesk", post, "overplane")
    assert issue(bench) == "Closed"


@pytest.mark.parametrize("source", ["zendesk", "freshdesk"])
def test_a_ticket_that_is_solved_opened_and_solved_again(bench: Bench, source: str) -> None:
    """Otherwise the third post counts as the first one's repetition, and the ticket stays open at the CRM."""
    told = {"ticket_id": "7", "subject": "Leak", "ticket_requester_email": "a@example.com"}
    told |= {"updated_at": "2026-03-02T05:35Z"} if source == "zendesk" else {}
    for call, status in enumerate(("Solved", "Open", "Solved")):
        headers = {"x-zendesk-webhook-invocation-id": f"01F1KRFQ6BG29CNWFR60NK5FN{call}"}
        post = {**told, "status": status}
        sent(bench, source, post, "overplane", headers if source == "zendesk" else {})
        again = bench.post(source, json.dumps(post).encode(), headers=headers, to="overplane")
        assert again.duplicate, "a further try of the same post"
    assert issue(bench) == "Closed"
