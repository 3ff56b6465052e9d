"""What leaves for Sentry and for the log: our own faults, never a customer's data or a credential."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import flask
import pytest
import sentry_sdk
from greenlet import greenlet
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from tests.engine.harness import Bench
from tests.engine.jobs import FORM, URLENCODED
from worker.delivery import deliver
from worker.http import Answer, Http, Request
from worker.ledger.tables import State
from worker.masking import EXCERPT_LENGTH, excerpt, masked
from worker.telemetry import scrubbed, start_logging, start_sentry

EMAIL, PHONE, TOKEN = "lan.nguyen@example.com", "+84 901 234 567", "sk7f9Qe2LmZ0aB"
NOTE = "please-ring-at-the-back-door"
PLANTED = (EMAIL, "lan.nguyen", PHONE, "901 234 567", TOKEN, NOTE)


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events += [item.payload.json for item in envelope.items if item.payload.json is not None]


@pytest.fixture
def sent() -> Iterator[list[Any]]:
    """The SDK as the worker starts it, up to the last step before the network."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # send_default_pii, which releases of today still read
        start_sentry("http://public@127.0.0.1:9/1", "worker")
    client = sentry_sdk.get_client()
    assert client.transport is not None
    client.transport.kill()
    kept = Kept()
    client.transport = kept
    with sentry_sdk.isolation_scope():
        yield kept.events
    sentry_sdk.get_global_scope().set_client(None)
    sentry_sdk.get_global_scope().remove_tag("process")


def crash(text: str) -> None:
    customer = {"email": EMAIL, "phone": PHONE, "note": NOTE, "token": TOKEN}
    raise ValueError(f"cannot read {text}, {len(customer)} fields")


def leaks(event: Any) -> list[str]:
    """Return where in `event` something of a customer's or a credential stands, source lines left out."""
    found: list[str] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key not in ("context_line", "pre_context", "post_context"):
                    walk(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                walk(inner, f"{path}[{place}]")
        elif any(part in str(value) for part in PLANTED):
            found.append(f"{path}: {value}")

    walk(event, "")
    return found


def test_a_crash_within_a_request_says_which_process_it_was(sent: list[Any]) -> None:
    """Otherwise nobody knows whether the receiver or a worker is at fault: each request is a greenlet."""
    greenlet(lambda: sentry_sdk.capture_message("a fault")).switch()
    assert sent[-1]["tags"] == {"process": "worker"}


def test_a_crash_reaches_sentry_without_what_it_was_about(sent: list[Any]) -> None:
    """Otherwise customers' data stand at a third party, for each fault of ours."""
    try:
        crash(f"{EMAIL} {PHONE} token={TOKEN}")
    except ValueError as error:
        sentry_sdk.capture_exception(error)
    (event,) = sent
    assert leaks(event) == []
    (entry,) = event["exception"]["values"]
    assert entry["type"] == "ValueError"
    assert entry["value"] == "cannot read <email> <number> token=<secret>, 4 fields"
    frame = entry["stacktrace"]["frames"][-1]
    assert (frame["function"], frame["filename"]) == ("crash", "tests/engine/test_telemetry.py")
    assert "vars" not in frame
    assert event["tags"] == {"process": "worker"}


def test_a_crash_in_a_request_tells_nothing_of_the_request(sent: list[Any]) -> None:
    """Otherwise each fault of the receiver sends the form, the token in its URL and the visitor's address."""
    app = flask.Flask("door")

    @app.post("/webhooks/website")
    def receive() -> str:
        crash("the form")
        return ""

    app.test_client().post(
        f"/webhooks/website?token={TOKEN}",
        data={"email": EMAIL, "phone": PHONE, "note": NOTE},
        headers={"X-Forwarded-For": "203.0.113.7", "Authorization": f"Bearer {TOKEN}", "Cookie": NOTE},
    )
    (event,) = sent
    assert leaks(event) == []
    assert "203.0.113.7" not in json.dumps(event)
    assert event["request"] == {"url": "http://localhost/webhooks/website", "method": "POST"}


def test_what_was_logged_before_a_crash_is_masked_too(sent: list[Any]) -> None:
    """Otherwise a library's log line carries into Sentry what we keep out of it everywhere else."""
    logging.getLogger("some.library").warning("retrying %s for %s", f"token={TOKEN}", EMAIL)
    sentry_sdk.add_breadcrumb(category="query", message=f"SELECT '{EMAIL}'", data={"phone": PHONE})
    try:
        crash("it")
    except ValueError as error:
        sentry_sdk.capture_exception(error)
    (event,) = sent
    assert leaks(event) == []


def test_an_error_that_a_library_logs_is_masked(sent: list[Any]) -> None:
    """Otherwise Celery's own report of a task sends what the task failed on."""
    logging.getLogger("celery").error("Task failed: %s", f"{EMAIL} {PHONE}", extra={"email": EMAIL})
    (event,) = sent
    assert leaks(event) == []
    assert event["logentry"]["message"]


def test_what_sentry_adds_of_its_own_is_taken_away() -> None:
    """Otherwise a release of the SDK that adds a field adds a leak."""
    event: Any = {
        "message": f"mail to {EMAIL}",
        "user": {"email": EMAIL},
        "extra": {"celery-job": {"args": [EMAIL]}},
        "server_name": "crm-1.internal",
        "request": {"method": "POST", "url": f"https://x.example/?t={TOKEN}", "data": NOTE, "cookies": NOTE},
        "logentry": {"message": f"to {EMAIL}", "params": [EMAIL], "formatted": EMAIL},
        "exception": {"values": [{"type": "E", "value": PHONE}, {"type": "F", "value": None}]},
    }
    found = scrubbed(event, {})
    assert found is not None
    assert leaks(found) == []
    assert not {"user", "extra", "server_name"} & set(found)
    assert found["message"] == "mail to <email>"


def test_without_a_dsn_nothing_is_started() -> None:
    """Otherwise an installation without Sentry talks to it."""
    start_sentry("", "worker")
    assert not sentry_sdk.get_client().is_active()


TEXTS = {
    "mail lan@example.com now": "mail <email> now",
    "lê.lan+x@mail.example.co.uk": "<email>",
    "+84 901 234 567": "<number>",
    "call (090) 123-4567.": "call (<number>.",
    "0901234567": "<number>",
    "Bearer abc.def-123": "Bearer <secret>",
    "authorization: Basic dXNlcjpwYXNz": "authorization: Basic <secret>",
    '{"access_token": "abc", "id": 4}': '{"access_token": "<secret>", "id": 4}',
    "api_key=abc&x=1": "api_key=<secret>&x=1",
    "password: hunter2, then": "password: <secret>, then",
    "client_secret=abc": "client_secret=<secret>",
    "answered 503 after 20 s": "answered 503 after 20 s",
    "order #1001, 12.50 EUR": "order #1001, 12.50 EUR",
    "delivery 01a1fc76-f9ef-7045-a9ff-c0bb697ea43d": "delivery 01a1fc76-f9ef-7045-a9ff-c0bb697ea43d",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items(), ids=[t[:20] or "empty" for t in TEXTS])
def test_a_text_is_masked(text: str, expected: str) -> None:
    """Otherwise the operator sees too much, or too little to act on."""
    assert masked(text) == expected
    assert masked(masked(text)) == expected


def test_an_excerpt_is_short_and_masked_before_it_is_cut() -> None:
    """Otherwise half an address at the cut looks like no address and stays."""
    for before in range(EXCERPT_LENGTH - 40, EXCERPT_LENGTH + 5):
        found = excerpt("x" * before + f" {EMAIL} token={TOKEN}")
        assert len(found) <= EXCERPT_LENGTH
        assert "lan." not in found
        assert "sk7" not in found
    assert excerpt(b"\xff\x00 a\n\n  b") == "\ufffd\x00 a b"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the log holds so far, each line read as JSON, by its event."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    start_logging()

    def read() -> dict[str, Any]:
        return {line["event"]: line for line in map(json.loads, written.getvalue().splitlines())}

    return read


FORM_VALUES = ("lan", "Lan", "0901234567", "901234567", "Hong", "Please")
FIELDS = {
    *("event", "level", "at"),
    *("event_id", "source", "connection", "delivery_id", "attempt", "outcome", "error", "ms"),
}


def test_a_delivery_is_one_line_with_all_that_one_asks_for(bench: Bench, lines: Any) -> None:
    """Otherwise one joins lines by their time to learn what became of a delivery."""
    delivery = bench.receive("website", FORM, URLENCODED)
    assert bench.attempt(delivery) == State.DELIVERED
    (line,) = lines().values()
    assert set(line) == FIELDS
    assert (line["event"], line["delivery_id"]) == ("delivery.attempted", delivery)
    assert (line["source"], line["connection"]) == ("website", "opla")
    assert (line["attempt"], line["outcome"], line["error"]) == (1, "delivered", None)
    assert not any(value in json.dumps(line, ensure_ascii=False) for value in FORM_VALUES)


def test_a_failed_delivery_is_told_the_same_way(bench: Bench, lines: Any) -> None:
    """Otherwise failures look different from successes and no search finds both."""
    bench.fault(vendor="oplacrm", operation="lead_create", fault="status", status=503, times=1)
    bench.attempt(bench.receive("website", FORM, URLENCODED))
    (line,) = lines().values()
    assert set(line) == FIELDS
    assert (line["outcome"], line["error"]) == ("unknown", "OutcomeUnknown")


class Talkative(Http):
    """A fault of our own whose text holds what it was about, as texts of ValueError often do."""

    def send(self, request: Request, seconds: float) -> Answer:
        raise ValueError(f"cannot send {(request.body or b'').decode()}")


def test_a_fault_of_our_own_is_logged_without_the_payload(bench: Bench, lines: Any) -> None:
    """Otherwise the log, which many read and nobody deletes, fills with customers' data."""
    delivery = bench.receive("website", FORM, URLENCODED)
    engine = replace(bench.engine, http=Talkative())
    deliver(engine, delivery, engine.settings.connections["opla"])
    told = lines()
    assert set(told) == {"delivery.crashed", "delivery.attempted"}
    assert told["delivery.crashed"]["delivery_id"] == delivery
    assert "ValueError" in told["delivery.crashed"]["exception"]
    text = json.dumps(told, ensure_ascii=False)
    assert "lan@example.com" not in text
    assert "901234567" not in text
