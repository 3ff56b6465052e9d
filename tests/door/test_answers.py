"""What the door answers to genuine events, and what it then has stored and handed over."""

from __future__ import annotations

import json
import secrets
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from mappings.sources.postmark import CHECK_ID
from tests.conftest import Clock
from tests.door.door_requests import (
    GENUINE,
    LEAD,
    MAIL,
    ORDER,
    SECRETS,
    SITE,
    Door,
    Webhook,
    open_door,
    refused,
)
from worker.ledger import search
from worker.ledger.database import Database

ALL = pytest.mark.parametrize("webhook", GENUINE, ids=lambda w: w.source)
CHECK = Webhook("inbox", json.dumps({"MessageID": CHECK_ID, "From": "x@example.com"}).encode())


@ALL
def test_an_event_is_stored_before_it_is_accepted(either_door: Door, webhook: Webhook) -> None:
    """Otherwise a sender is told that its event is safe, and it is not."""
    answer = either_door.post(webhook)
    (event,) = either_door.events()
    (delivery,) = search.list_deliveries(either_door.db)
    assert (answer.status_code, answer.json) == (200, {"status": "accepted", "event_id": event["id"]})
    assert (event["source"], event["body"], event["verdict"]) == (webhook.source, webhook.body, "routed")
    assert event["content_type"] == webhook.content_type
    assert (delivery["connection"], delivery["state"], delivery["attempts"]) == ("opla", "pending", 0)
    assert either_door.hand_off.given == [("opla", delivery["id"])]


@ALL
def test_the_same_event_again_is_answered_with_the_first_ones_id(either_door: Door, webhook: Webhook) -> None:
    """Otherwise a sender that posts twice makes two leads."""
    first = either_door.post(webhook).json
    again = either_door.post(webhook)
    assert first is not None
    assert (again.status_code, again.json) == (200, {"status": "duplicate", "event_id": first["event_id"]})
    assert (either_door.count(), len(either_door.hand_off.given)) == (1, 1)


@ALL
def test_of_many_posts_at_once_one_is_accepted(either_door: Door, webhook: Webhook) -> None:
    """Otherwise a double click makes two leads, or one of the two senders sees a fault."""
    answers: list[str] = []
    app = either_door.client.application

    def post() -> None:
        door = replace(either_door, client=app.test_client())
        answers.append((door.post(webhook).json or {})["status"])

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == ["accepted"] + ["duplicate"] * 7
    assert either_door.count() == 1


def test_the_same_form_is_news_when_its_window_is_over(door: Door, clock: Clock) -> None:
    """Otherwise somebody who asks again next week is never heard."""
    assert (door.post(LEAD).json or {})["status"] == "accepted"
    clock.forward(minutes=11)
    assert (door.post(LEAD).json or {})["status"] == "accepted"
    assert door.count() == 2


@ALL
@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nowhere.sqlite", "postgresql://nobody@127.0.0.1:1/none"], ids=["sqlite", "pg"]
)
def test_without_a_ledger_the_sender_is_asked_to_come_again(
    tmp_path: Path, clock: Clock, webhook: Webhook, url: str
) -> None:
    """Otherwise the event is lost: a sender drops it on a 4xx and believes a 200."""
    door = open_door(tmp_path, Database(url), clock)
    answer = door.post(webhook)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert (answer.json or {})["status"] == "refused"
    assert door.hand_off.given == []
    door.db.close()


def test_a_ledger_that_somebody_else_holds_is_not_waited_for(either_door: Door) -> None:
    """Otherwise one stuck transaction stops every thread of the door."""
    lock = "SELECT 1" if either_door.db.is_sqlite else "LOCK TABLE events IN ACCESS EXCLUSIVE MODE"
    other = Database(either_door.db.engine.url.render_as_string(hide_password=False), threads=1)
    begun = time.monotonic()
    with other.write() as c:
        c.execute(text(lock))
        answer = either_door.post(LEAD)
    other.close()
    assert time.monotonic() - begun < 50
    refused(either_door, answer, 503, "send it again")
    assert (either_door.post(LEAD).json or {})["status"] == "accepted"


@pytest.mark.parametrize(
    ("webhook", "topic"),
    [(ORDER, "products/create"), (ORDER, "app/uninstalled"), (CHECK, "")],
    ids=["product", "uninstalled", "check"],
)
def test_what_is_ignored_is_stored_and_not_delivered(door: Door, webhook: Webhook, topic: str) -> None:
    """Otherwise the sender's own test button makes a ticket, or nobody can see that something was left out."""
    answer = door.post(webhook, headers={"X-Shopify-Topic": topic} if topic else {})
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "ignored")
    (event,) = door.events()
    (delivery,) = search.list_deliveries(door.db)
    assert (answer.json or {})["event_id"] == event["id"]
    assert (delivery["state"], delivery["reason"]) == ("skipped", (answer.json or {})["reason"])
    assert door.hand_off.given == []


def test_a_test_order_is_ignored(door: Door) -> None:
    """Otherwise every try in the shop's settings is an order in the CRM."""
    answer = door.post(ORDER, headers={"X-Shopify-Test": "true"})
    assert (answer.json or {})["status"] == "ignored"
    assert door.hand_off.given == []


def test_an_unknown_event_is_kept_for_a_person(door: Door) -> None:
    """Otherwise what the sender invents next year is lost without a word."""
    answer = door.post(ORDER, headers={"X-Shopify-Topic": "orders/teleported"})
    (delivery,) = search.list_deliveries(door.db)
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "accepted")
    assert delivery["state"] == "failed"
    assert "orders/teleported" in delivery["reason"]
    assert door.hand_off.given == []


def test_an_event_without_a_route_is_kept(door: Door) -> None:
    """Otherwise a form that is not routed yet loses its first leads."""
    answer = door.post(replace(LEAD, source="landing"))
    (event,) = door.events()
    assert ((answer.json or {})["status"], event["verdict"]) == ("accepted", "unrouted")
    assert door.hand_off.given == []


#: Headers in which a secret travels, as senders and proxies write them.
REVEALING = {
    "Authorization": "Bearer abc-secret",
    "Cookie": "session=abc-secret",
    "X-Api-Key": "abc-secret",
    "X-Hub-Signature-256": "sha256=abc-secret",
    "Referer": f"https://relay.example.com/webhooks/inbox?token={SECRETS['INBOX_TOKEN']}",
    "X-Forwarded-Uri": f"/webhooks/inbox?token={SECRETS['INBOX_TOKEN'].replace('-', '%2D')}",
}


@ALL
def test_no_secret_is_kept_or_logged(door: Door, webhook: Webhook) -> None:
    """Otherwise whoever reads the ledger, a backup of it, or the log can post in the sender's name."""
    open_inbox = webhook.source == "inbox"
    revealing = {k: v for k, v in REVEALING.items() if open_inbox or "webhooks" not in v}
    with capture_logs() as lines:
        assert door.post(webhook, headers={**revealing, "X-Kept": "ü"}).status_code == 200
        assert door.post(webhook, query="token=wrong-secret").status_code in (200, 401)
    (event,) = door.events()
    kept = json.loads(event["headers"])
    assert kept["x-kept"] == "ü"
    for text_ in (event["headers"], json.dumps(lines)):
        assert "secret" not in text_
        assert not any(secret in text_ for secret in SECRETS.values())
        assert "token" not in text_
        assert "hmac" not in text_


def test_health_is_that_of_the_process(tmp_path: Path, clock: Clock) -> None:
    """Otherwise an outage of the ledger restarts the door again and again."""
    door = open_door(tmp_path, Database("sqlite:////proc/nowhere.sqlite"), clock)
    assert (door.client.get("/healthz").status_code, door.client.get("/healthz").json) == (
        200,
        {"status": "ok"},
    )
    ready = door.client.get("/readyz")
    assert (ready.status_code, (ready.json or {})["status"]) == (503, "not ready")
    assert (ready.json or {})["ledger"].startswith("out of reach")
    assert (ready.json or {})["broker"].startswith("out of reach")
    door.db.close()


def test_a_page_of_the_site_may_post_its_form(door: Door) -> None:
    """Otherwise the browser sends nothing, or hides from the page that all went well."""
    asked = {"Origin": SITE, "Access-Control-Request-Method": "POST"}
    preflight = door.client.options("/webhooks/website", headers=asked)
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"]
    answer = door.post(LEAD, headers={"Origin": SITE})
    broken = door.post(replace(LEAD, body=b"{", content_type="application/json"), headers={"Origin": SITE})
    assert (answer.status_code, broken.status_code) == (200, 400)
    for given in (preflight, answer, broken):
        assert given.headers["Access-Control-Allow-Origin"] == SITE
        assert "Origin" in given.headers["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", f"{SITE}.evil.example", "null", SITE.upper(), ""])
def test_a_page_of_another_site_is_not_told_anything(door: Door, origin: str) -> None:
    """Otherwise any page can make its visitors' browsers read what the door answers."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    given = [door.client.options("/webhooks/website", headers=asked), door.post(LEAD, headers=asked)]
    given += [door.client.options("/webhooks/shop", headers={"Origin": SITE})]
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in given)
    assert "Origin" in given[0].headers["Vary"]  # else a cache gives one site's answer to another


def test_what_is_stored_is_what_the_sender_posts_again(door: Door, clock: Clock) -> None:
    """Otherwise a form in another spelling of the same bytes is a second lead, or its first bytes are changed."""
    spelt = replace(LEAD, body=b"name=Lan%20Nguyen&email=lan@example.com&_ts=1")
    assert (door.post(LEAD).json or {})["status"] == "accepted"
    assert (door.post(spelt).json or {})["status"] == "duplicate"
    event, kept = door.events()
    assert (event["body"], event["repeats"], event["received_at"]) == (LEAD.body, 1, clock())
    assert (kept["verdict"], kept["duplicate_of"], kept["body"]) == ("duplicate", event["id"], spelt.body)
    assert len(door.hand_off.given) == 1
    clock.forward(days=1)
    assert event["received_at"] + timedelta(days=1) == clock()


def test_an_email_is_known_by_its_id_and_not_by_its_bytes(door: Door) -> None:
    """Otherwise a retry with one header more is a second ticket."""
    assert (door.post(MAIL).json or {})["status"] == "accepted"
    assert (door.post(replace(MAIL, body=MAIL.body + b"\n")).json or {})["status"] == "duplicate"


def test_a_very_long_id_of_the_sender_is_an_id(either_door: Door) -> None:
    """Otherwise the index of PostgreSQL refuses it, and the sender is asked to come again for ever."""
    number = secrets.token_hex(4_000)  # random: PostgreSQL would compress a repetition
    mail = Webhook("inbox", json.dumps({"MessageID": number, "From": "lan@example.com"}).encode())
    for webhook, headers in ((ORDER, {"X-Shopify-Webhook-Id": number}), (mail, {})):
        assert (either_door.post(webhook, headers=headers).json or {})["status"] == "accepted"
        assert (either_door.post(webhook, headers=headers).json or {})["status"] == "duplicate"
