"""Sources of leads at the real door: what their senders sign is taken, and nothing that is altered."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from door_requests import CONNECTION, SECRETS, Door, open_door
from werkzeug.test import TestResponse

from mappings.protection import Hmac
from mappings.sources import SOURCES
from tests.conftest import NOON, Clock
from webhooks.signatures import signed_headers
from worker.ledger.database import Database
from worker.settings import SettingsError
from worker.settings.configuration import load

ADDRESS = "https://hooks.example.com/webhooks/hubspot"
NEW, OLD = SECRETS["SHOP_SECRET"], SECRETS["SHOP_SECRET_OLD"]
FURTHER = {
    "hubspot": f'api_token_env = "OPLA_TOKEN"\npublic_url = "{ADDRESS}"',
    "meta_lead_ads": 'api_token_env = "OPLA_TOKEN"\napi_version = "v23.0"\ntoken_env = "INBOX_TOKEN"',
}
KINDS = ("calendly", "google_ads", "hubspot", "meta_lead_ads", "tally", "typeform", "webflow")
TOML = CONNECTION + "".join(
    f'[sources.{kind}]\ntype = "{kind}"\nsecret_env = ["SHOP_SECRET", "SHOP_SECRET_OLD"]\n{FURTHER.get(kind, "")}\n'
    f'[[routes]]\nsource = "{kind}"\nto = ["opla"]\n'
    for kind in KINDS
)
TOML += '[sources.dashboard]\ntype = "webflow"\ntoken_env = "INBOX_TOKEN"\n'
BODY = b'{"n": "\xc3\xa9"}'
SCHEMES = [
    (kind, scheme) for kind in KINDS for scheme in SOURCES[kind].signatures if isinstance(scheme, Hmac)
]
NAMES = [f"{kind}-{scheme.header}{(scheme.only_if or ('',))[-1]}" for kind, scheme in SCHEMES]
each_scheme = pytest.mark.parametrize(("kind", "scheme"), SCHEMES, ids=NAMES)
LEAD = {"lead_id": "L1", "google_key": NEW, "user_column_data": []}


@pytest.fixture
def leads(empty_ledger: Path, tmp_path: Path, clock: Clock) -> Iterator[Door]:
    """A door with every source of leads."""
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    yield open_door(tmp_path, db, clock, TOML)
    db.close()


def post(door: Door, source: str, body: bytes, headers: dict[str, str], query: str = "") -> TestResponse:
    """Post `body` as it is."""
    return door.client.post(
        f"/webhooks/{source}",
        query_string=query,
        headers=headers,
        content_type="application/json",
        input_stream=io.BytesIO(body),
        content_length=len(body),
    )


def signed(scheme: Hmac, body: bytes = BODY, secret: str = NEW, at: datetime = NOON) -> dict[str, str]:
    """Return the headers with which the sender sends `body`."""
    return signed_headers(scheme, secret, body, at, url=ADDRESS)


def test_no_scheme_is_forgotten() -> None:
    """Otherwise the tests below pass for a source that checks nothing."""
    assert {kind for kind, _ in SCHEMES} == set(KINDS) - {"google_ads"}
    assert len(SCHEMES) == 8


@each_scheme
def test_a_genuine_post_is_taken(leads: Door, kind: str, scheme: Hmac) -> None:
    """Otherwise leads are lost at the door; both secrets count while one is rotated."""
    for number, secret in enumerate((NEW, OLD)):
        body = json.dumps({"n": number}).encode()
        answer = post(leads, kind, body, signed(scheme, body, secret))
        assert (answer.status_code, (answer.json or {})["status"]) == (200, "accepted")
    assert leads.count() == 2


@each_scheme
def test_an_altered_byte_is_refused(leads: Door, kind: str, scheme: Hmac) -> None:
    """Otherwise anybody changes a lead on its way."""
    headers = signed(scheme)
    for place in range(len(BODY)):
        altered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert post(leads, kind, altered, headers).status_code == 401
    assert post(leads, kind, BODY + b" ", headers).status_code == 401
    assert leads.count() == 0


@each_scheme
def test_a_wrong_or_missing_signature_is_refused(leads: Door, kind: str, scheme: Hmac) -> None:
    """Otherwise anybody who knows the address fills the CRM."""
    right = signed(scheme)
    digest = right[scheme.header]
    cut = {**right, scheme.header: digest[:-1]}
    swapped = {**right, scheme.header: digest[:-3] + ("AAA" if digest[-3:] != "AAA" else "BBB")}
    absent = {name: value for name, value in right.items() if name != scheme.header}
    for headers in (signed(scheme, secret="a secret of somebody else"), cut, swapped, absent, {}):
        assert post(leads, kind, BODY, headers).status_code == 401
    if scheme.prefix:
        assert (
            post(leads, kind, BODY, {**right, scheme.header: digest.removeprefix(scheme.prefix)}).status_code
            == 401
        )
    assert leads.count() == 0


@each_scheme
def test_an_old_post_is_played_again(leads: Door, kind: str, scheme: Hmac) -> None:
    """Otherwise who recorded a post may send it for ever; the schemes without a time rely on the dedup key."""
    if scheme.tolerance is None:
        assert "{ts}" not in scheme.signed
        return
    for age in (-301, 301):
        assert post(leads, kind, BODY, signed(scheme, at=NOON + timedelta(seconds=age))).status_code == 401
    old, fresh = signed(scheme, at=NOON - timedelta(seconds=301)), signed(scheme)
    if scheme.timestamp_header:
        forged = {**old, scheme.timestamp_header: fresh[scheme.timestamp_header]}
    else:
        stamps = (headers[scheme.header].partition(scheme.parted_by)[0] for headers in (old, fresh))
        forged = {scheme.header: old[scheme.header].replace(*stamps)}
    assert post(leads, kind, BODY, forged).status_code == 401
    assert post(leads, kind, BODY, signed(scheme, at=NOON - timedelta(seconds=299))).status_code == 200


def test_hubspot_signs_the_address_that_it_calls(leads: Door) -> None:
    """Otherwise every post fails behind a proxy, or one for another address is taken."""
    newest, second, first = SOURCES["hubspot"].signatures
    assert isinstance(newest, Hmac)
    assert isinstance(second, Hmac)
    assert isinstance(first, Hmac)
    for scheme in (newest, second):
        elsewhere = signed_headers(scheme, NEW, BODY, NOON, url="https://other.example.com/webhooks/hubspot")
        assert post(leads, "hubspot", BODY, elsewhere).status_code == 401
    mislabelled = {**signed(second), "x-hubspot-signature-version": "v1"}
    assert post(leads, "hubspot", BODY, mislabelled).status_code == 401
    # With both headers there, as they really come, the newest is the one that counts.
    both = {**signed(first), **signed(newest)}
    assert post(leads, "hubspot", BODY, both).status_code == 200
    spoiled = {**both, newest.header: "A" * 43 + "="}
    assert post(leads, "hubspot", BODY, spoiled).status_code == 401


def test_a_batch_becomes_as_many_events_as_it_holds(leads: Door) -> None:
    """Otherwise a busy day's leads come in by their hundreds and are stored as one; sent again, none is doubled."""
    scheme = SOURCES["hubspot"].signatures[0]
    assert isinstance(scheme, Hmac)
    batch = [
        {
            "eventId": 1,
            "subscriptionType": "contact.creation",
            "objectId": 10 + n,
            "occurredAt": 5,
            "attemptNumber": 0,
        }
        for n in range(3)
    ]
    body = json.dumps(batch).encode()
    answer = post(leads, "hubspot", body, signed(scheme, body))
    assert [e["status"] for e in (answer.json or {})["events"]] == ["accepted"] * 3
    assert [e["entity"] for e in leads.events()] == ["contact-10", "contact-11", "contact-12"]
    body = json.dumps([{**event, "attemptNumber": 1} for event in batch]).encode()
    answer = post(leads, "hubspot", body, signed(scheme, body))
    assert [e["status"] for e in (answer.json or {})["events"]] == ["duplicate"] * 3
    # They differ in the number of the attempt alone: so they are counted, and nothing of them is kept.
    assert [(e["verdict"], e["repeats"]) for e in leads.events()] == [("routed", 1)] * 3
    answer = post(leads, "hubspot", b"[]", signed(scheme, b"[]"))
    assert answer.status_code == 200


def test_the_key_in_the_body_is_asked_for(leads: Door) -> None:
    """Otherwise anybody posts leads in Google's name."""
    for key in (NEW[:-1], NEW + " ", NEW.upper(), "", None, 5, [NEW], {"a": NEW}):
        assert (
            post(leads, "google_ads", json.dumps({**LEAD, "google_key": key}).encode(), {}).status_code == 401
        )
    for body in (b"[]", b"5", b'"x"', json.dumps({"lead_id": "L1"}).encode()):
        assert post(leads, "google_ads", body, {}).status_code in (400, 401)
    for place in range(len(NEW)):
        altered = NEW[:place] + chr(ord(NEW[place]) ^ 1) + NEW[place + 1 :]
        assert (
            post(leads, "google_ads", json.dumps({**LEAD, "google_key": altered}).encode(), {}).status_code
            == 401
        )
    assert leads.count() == 0
    for number, key in enumerate((NEW, OLD)):
        body = json.dumps({**LEAD, "lead_id": f"L{number}", "google_key": key}).encode()
        assert (post(leads, "google_ads", body, {}).json or {})["status"] == "accepted"
    test = post(leads, "google_ads", json.dumps({**LEAD, "lead_id": "T", "is_test": True}).encode(), {})
    assert (test.status_code, (test.json or {})["status"]) == (200, "ignored")


def test_meta_does_not_accept_the_address(leads: Door) -> None:
    """Its dashboard saves the address only when the challenge comes back, and only to who knows the token."""
    asked = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": SECRETS["INBOX_TOKEN"],
    }
    answer = leads.client.get("/webhooks/meta_lead_ads", query_string=urlencode(asked))
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "1158201444", "text/plain")
    for wrong in ({"hub.verify_token": "guess"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}):
        answer = leads.client.get("/webhooks/meta_lead_ads", query_string=urlencode({**asked, **wrong}))
        assert answer.status_code in (401, 405)
        assert "1158201444" not in answer.text


def test_the_token_of_a_challenge_does_not_let_posts_in(tmp_path: Path, leads: Door) -> None:
    """Otherwise a source that has only a verify token takes leads from anybody."""
    body = b"{}"
    assert post(leads, "meta_lead_ads", body, {}, f"token={SECRETS['INBOX_TOKEN']}").status_code == 401
    bare = CONNECTION + (
        '[sources.meta]\ntype = "meta_lead_ads"\ntoken_env = "INBOX_TOKEN"\n'
        'api_token_env = "OPLA_TOKEN"\napi_version = "v23.0"\n'
    )
    path = tmp_path / "bare.toml"
    path.write_text(bare, "utf-8")
    with pytest.raises(SettingsError, match=r"sources\.meta\.secret_env: is missing"):
        load({**SECRETS, "RELAY_CONFIG": str(path), "RELAY_DATABASE_URL": "sqlite://"})


def test_a_dashboards_webhook_is_protected_by_its_token(leads: Door) -> None:
    """Webflow does not sign those."""
    assert post(leads, "dashboard", BODY, {}).status_code == 401
    assert post(leads, "dashboard", BODY, {}, "token=guess").status_code == 401
    assert post(leads, "dashboard", BODY, {}, f"token={SECRETS['INBOX_TOKEN']}").status_code == 200


def test_a_sender_with_its_clock_wrong_can_be_let_in(tmp_path: Path, leads: Door) -> None:
    """How old a signed time may be is a setting, since a sender's retry may bear the time of its first try."""
    wide = TOML.replace(
        "[sources.dashboard]", "[sources.calendly.signature]\ntolerance_seconds = 7200\n[sources.dashboard]"
    )
    (scheme,) = SOURCES["calendly"].signatures
    assert isinstance(scheme, Hmac)
    door = open_door(tmp_path, leads.db, Clock(), wide)
    headers = signed(scheme, at=NOON - timedelta(seconds=3600))
    assert post(leads, "calendly", BODY, headers).status_code == 401
    assert post(door, "calendly", BODY, headers).status_code == 200
    assert replace(scheme, tolerance=timedelta(hours=2)) in door.settings.sources["calendly"].signatures
