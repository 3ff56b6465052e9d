"""Forms on public pages: robots are kept out, seen and forgiven; visitors get back to the page."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlencode

import pytest
from limits.storage import Storage
from werkzeug.test import TestResponse

from tests.conftest import NOON, Clock
from tests.door.door_requests import SECRETS, TOML, Door, open_door
from tests.stopwatch import Stopwatch
from webhooks.forms import ALONE_SECONDS, COUNT_SECONDS, Guards, storage_for
from worker.ledger import search
from worker.ledger.database import Database

OPENED = int(NOON.timestamp())
PERSON = {"name": "Lan Nguyen", "email": "lan@example.com"}
FORM = """
[sources.website.form]
honeypot = "website_url"
filled_at = "opened"
least_seconds = 4
return_hosts = ["www.example.com"]
"""
PAGE = {"Accept": "text/html,application/xhtml+xml"}


def with_form(table: str) -> str:
    return TOML.replace("[sources.landing]", f"{table}\n[sources.landing]")


Opener = Callable[..., Door]


@pytest.fixture
def opened(empty_ledger: Path, tmp_path: Path, clock: Clock) -> Iterator[Opener]:
    """Opens a door over an empty ledger, with a relay.toml and guards of the test's own."""
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    yield lambda toml, guards=None: open_door(tmp_path, db, clock, toml, guards)
    db.close()


@pytest.fixture
def form(opened: Opener) -> Door:
    return opened(with_form(FORM))


def post(door: Door, fields: dict[str, str], **headers: str) -> TestResponse:
    return door.client.post("/webhooks/website", data=fields, headers=headers)


def test_a_person_who_takes_their_time_is_a_lead(form: Door) -> None:
    """Otherwise the guard turns customers away."""
    answer = post(form, {**PERSON, "website_url": "", "opened": str(OPENED - 5)})
    assert (answer.json or {})["status"] == "accepted"
    assert form.events()[0]["verdict"] == "routed"
    assert len(form.hand_off.given) == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"website_url": "https://spam.example.com", "opened": str(OPENED - 60)}, "website_url"),
        ({"website_url": "", "opened": str(OPENED - 3)}, "4 s"),
        ({"website_url": "", "opened": str((OPENED - 3) * 1000)}, "4 s"),
        ({"website_url": ""}, "4 s"),
        ({"website_url": "", "opened": "1e5"}, "4 s"),
        ({"website_url": "", "opened": "9" * 4000}, "4 s"),
    ],
    ids=["honeypot", "too quick", "too quick in milliseconds", "no time", "no number", "absurd number"],
)
def test_a_robot_is_stored_as_spam_and_learns_nothing(form: Door, fields: dict[str, str], why: str) -> None:
    """Otherwise the CRM fills with robots, or what was wrongly judged is gone for good."""
    answer = post(form, {**PERSON, **fields})
    assert answer.status_code == 200
    assert (answer.json or {})["status"] == "accepted"
    (event,) = form.events()
    assert event["verdict"] == "spam"
    assert form.hand_off.given == []
    (delivery,) = search.list_deliveries(form.db)
    assert delivery["state"] == "skipped"
    assert why in str(delivery["reason"])
    assert search.release(form.db, str(delivery["id"]), "olga", NOON)
    assert search.list_deliveries(form.db)[0]["state"] == "pending"


def test_a_person_who_was_taken_for_a_robot_is_heard_the_second_time(form: Door, clock: Clock) -> None:
    """Otherwise what was judged spam eats the same words of the person who wrote them, who is told "accepted"."""
    quick = post(form, {**PERSON, "website_url": "", "opened": str(OPENED)})
    clock.forward(seconds=9)
    again = post(form, {**PERSON, "website_url": "", "opened": str(OPENED)})
    assert [(answer.json or {})["status"] for answer in (quick, again)] == ["accepted", "accepted"]
    assert [event["verdict"] for event in form.events()] == ["spam", "routed"]
    assert len(form.hand_off.given) == 1


def test_what_was_released_from_spam_is_a_lead_already(form: Door, clock: Clock) -> None:
    """Otherwise the visitor's second try makes a second lead beside the one that the operator let through."""
    assert (post(form, {**PERSON, "opened": str(OPENED)}).json or {})["status"] == "accepted"
    (delivery,) = search.list_deliveries(form.db)
    assert search.release(form.db, str(delivery["id"]), "olga", clock())
    clock.forward(seconds=9)
    assert (post(form, {**PERSON, "opened": str(OPENED)}).json or {})["status"] == "duplicate"


def test_a_page_opened_anew_does_not_make_the_same_words_another_lead(form: Door, clock: Clock) -> None:
    """Otherwise a visitor who goes back, loads the page again and sends it again is two leads."""
    opened = (OPENED - 60, OPENED - 30)
    answers = [post(form, {**PERSON, "website_url": "", "opened": str(at)}) for at in opened]
    assert [(answer.json or {})["status"] for answer in answers] == ["accepted", "duplicate"]
    assert len(form.hand_off.given) == 1


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("https://www.example.com/thanks?from=form", True),
        ("https://evil.example.net/thanks", False),
        ("//evil.example.net", False),
        ("https://www.example.com@evil.example.net/", False),
        ("javascript:alert(1)", False),
        ("https://www.example.com.evil.example.net/", False),
        ("", False),
    ],
)
def test_a_visitor_goes_back_only_to_our_own_pages(form: Door, target: str, goes: bool) -> None:
    """Otherwise our address lends its good name to anybody's page (an open redirect)."""
    answer = post(form, {**PERSON, "opened": str(OPENED - 9), "_next": target}, **PAGE)
    assert answer.status_code == (303 if goes else 200)
    assert answer.headers.get("Location") == (target if goes else None)
    assert len(form.events()) == 1


def test_a_script_gets_json_and_no_redirect(form: Door) -> None:
    """Otherwise fetch() follows the redirect and reads a page where it wants an answer."""
    fields = {**PERSON, "opened": str(OPENED - 9), "_next": "https://www.example.com/thanks"}
    assert (post(form, fields, Accept="application/json").json or {})["status"] == "accepted"


class Captcha(BaseHTTPRequestHandler):
    """Plays the captcha services: `good` passes, `low` passes with a score of 0.1; keeps what it was asked."""

    asked: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        answer, secret = form["response"][0], form["secret"][0]
        self.asked.append(answer)
        said: dict[str, object] = {
            "success": secret == SECRETS["LANDING_TOKEN"] and answer in ("good", "low")
        }
        if answer == "low":
            said |= {"score": 0.1}
        body = b"<html>" if answer == "broken" else json.dumps(said).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def captcha_service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Captcha)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/siteverify"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("service", "field"),
    [
        ("turnstile", "cf-turnstile-response"),
        ("recaptcha", "g-recaptcha-response"),
        ("hcaptcha", "h-captcha-response"),
    ],
)
def test_a_captcha_is_asked_once_and_believed(opened: Opener, service: str, field: str) -> None:
    """Otherwise the captcha on the page keeps out nobody, or everybody when its service is away."""
    toml = with_form(f'[sources.website.form]\ncaptcha = "{service}"\ncaptcha_secret_env = "LANDING_TOKEN"\n')
    Captcha.asked.clear()
    with captcha_service() as address:
        guards = Guards(captchas={service: (address, field)})
        door = opened(toml, guards)
        for answer in ("good", "bad", "low", "broken", ""):
            post(door, {**PERSON, "message": f"a {answer} one", field: answer})
    post(door, {**PERSON, "message": "the service is away", field: "good"})
    verdicts = [event["verdict"] for event in door.events()]
    assert verdicts == ["routed", "spam", "spam", "routed", "spam", "routed"]
    assert Captcha.asked == ["good", "bad", "low", "broken"]  # an answer that is asked twice is spent
    guards.http.close()


@pytest.mark.parametrize("counts_in", ["a process", "the broker", "a broker that is gone"])
def test_one_address_cannot_flood_a_form(
    opened: Opener, broker_url: str, broker: object, counts_in: str
) -> None:
    """Otherwise one robot fills the disk and the CRM; and the broker's failure must not open the door."""
    assert broker is not None
    url = {"a process": "", "the broker": broker_url}.get(counts_in, "redis+socket:///nonexistent/b.sock")
    storage: Storage = storage_for(url)
    toml = with_form('[sources.website.form]\nrate = "3/minute"\n')
    door = opened(toml, Guards(storage))
    answers = [post(door, {**PERSON, "message": str(n)}) for n in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) == 60
    assert len(door.events()) == 3
    other = door.client.post(
        "/webhooks/website",
        data=urlencode(PERSON),
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
        content_type="application/x-www-form-urlencoded",
    )
    assert other.status_code == 200


def test_a_frozen_broker_holds_up_one_post_and_not_each(opened: Opener) -> None:
    """Otherwise visitors wait seconds for their form while the broker hangs, and a flood takes every thread."""
    seconds = [100.0]
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        storage = storage_for(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        toml = with_form('[sources.website.form]\nrate = "40/minute"\n')
        door = opened(toml, Guards(storage, clock=lambda: seconds[0]))
        begun = time.monotonic()
        answers = [post(door, {**PERSON, "message": "first"}).status_code]
        assert time.monotonic() - begun >= COUNT_SECONDS
        with Stopwatch() as watch:
            answers += [post(door, {**PERSON, "message": str(n)}).status_code for n in range(40)]
        assert answers == [200] * 40 + [429]
        assert watch.seconds < 40 * COUNT_SECONDS / 2, "they asked the broker again"
        seconds[0] += ALONE_SECONDS
        begun = time.monotonic()
        assert post(door, {**PERSON, "message": "later"}).status_code == 429
        assert time.monotonic() - begun >= COUNT_SECONDS, "it is never asked again"


def test_only_the_listed_networks_may_post(opened: Opener) -> None:
    """Otherwise a sender that signs nothing can be played by anybody who learns the address."""
    listed = 'type = "postmark"\nallowed_addresses = ["192.0.2.0/24", "2001:db8::1"]'
    toml = TOML.replace('type = "postmark"\ntoken_env = ["INBOX_TOKEN", "INBOX_TOKEN_OLD"]', listed)
    door = opened(toml)
    statuses = {
        address: door.client.post(
            "/webhooks/inbox", json={"MessageID": address}, environ_base={"REMOTE_ADDR": address}
        ).status_code
        for address in ("192.0.2.7", "192.0.3.7", "2001:db8::1", "2001:db8::2", "nonsense")
    }
    assert statuses == {
        "192.0.2.7": 200,
        "192.0.3.7": 401,
        "2001:db8::1": 200,
        "2001:db8::2": 401,
        "nonsense": 401,
    }
