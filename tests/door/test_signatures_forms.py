"""Form builders at the door: WPForms' signature, the tokens of those that sign nothing, and what is answered."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from mappings.sources.wpforms import SIGNATURE
from tests.conftest import NOON, Clock
from tests.door.door_requests import CONNECTION, Door, open_door, refused
from webhooks.signatures import signed_headers
from worker.ledger.database import Database

SECRET, OLD, TOKEN = "secret of today", "secret of last week", "token & more/="
SOURCES = ("elementor", "contact_form_7", "gravity_forms", "google_forms", "jotform")
TABLES = "\n".join(f'[sources.{kind}]\ntype = "{kind}"\ntoken_env = "FORMS_TOKEN"' for kind in SOURCES)
TOML = f"""
[sources.wpforms]
type = "wpforms"
secret_env = ["WPFORMS_SECRET", "WPFORMS_OLD"]
[sources.wpforms-form]
type = "wpforms"
token_env = "FORMS_TOKEN"
{TABLES}
{CONNECTION}[[routes]]
source = "wpforms"
to = ["opla"]
"""
BODY = '{"Name":"Lan \\u00e9","Email":"lan@example.com","Total":"$ 25.00 \\/ é"}'.encode()
JSON, FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded; charset=utf-8"
#: A genuine request of each sender that signs nothing.
POSTS = {
    "elementor": (urlencode({"Email": "lan@example.com", "form_id": "1"}).encode(), FORM),
    "contact_form_7": (b'{"your-email": "lan@example.com"', "text/plain; charset=UTF-8"),
    "gravity_forms": (b'{"id":"5","form_id":"2","2":"lan@example.com"}', "application/json"),
    "google_forms": (b'{"responseId":"2_A","namedValues":{"Name":["Lan"]}}', "application/json"),
    "jotform": (
        b'--b\r\nContent-Disposition: form-data; name="rawRequest"\r\n\r\n{"q3_name":"Lan"}\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "wpforms-form": (urlencode({"Name": "Lan"}).encode(), FORM),
}


@pytest.fixture
def forms(
    empty_ledger: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    secrets = {"WPFORMS_SECRET": SECRET, "WPFORMS_OLD": OLD, "FORMS_TOKEN": TOKEN}
    monkeypatch.setattr("tests.door.door_requests.SECRETS", {"OPLA_TOKEN": "opla-token", **secrets})
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    yield open_door(tmp_path, db, clock, TOML)
    db.close()


def wpforms(
    door: Door,
    body: bytes = BODY,
    signed: bytes = BODY,
    secret: str = SECRET,
    age: float = 0,
    media: str = JSON,
) -> TestResponse:
    headers = signed_headers(SIGNATURE, secret, signed, NOON - timedelta(seconds=age))
    return door.client.post("/webhooks/wpforms", data=body, content_type=media, headers=headers)


def test_a_genuine_submission_is_let_in(forms: Door) -> None:
    """Otherwise a lead is lost: WPForms sends nothing twice."""
    answer = wpforms(forms)
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "accepted")
    again = wpforms(forms, age=1)
    assert (again.status_code, (again.json or {})["status"]) == (200, "duplicate")
    assert forms.count() == 1


def test_a_submission_signed_with_the_secret_that_is_rotated_out_is_let_in(forms: Door) -> None:
    """Otherwise leads are lost while the secret is changed at both ends."""
    assert wpforms(forms, secret=OLD).status_code == 200


def test_the_header_is_read_as_the_addon_writes_it(forms: Door) -> None:
    """Otherwise our own signer and verifier agree with each other and with nobody else."""
    # As class Process of the addon does: the time, a point and the body; then "t=" and "v=" with a comma.
    stamp = int(NOON.timestamp())
    digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + BODY, hashlib.sha256).hexdigest()
    headers = {"X-WPForms-Webhook-Signature": f"t={stamp},v={digest}", "X-WPForms-Webhook-Id": "2"}
    answer = forms.client.post("/webhooks/wpforms", data=BODY, content_type=JSON, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("place", range(len(BODY)))
def test_a_body_altered_on_its_way_is_refused(forms: Door, place: int) -> None:
    """Otherwise anybody on the way writes into the CRM."""
    altered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
    refused(forms, wpforms(forms, altered), 401, "does not fit")


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + " ", SECRET.upper()])
def test_a_wrong_secret_opens_no_door(forms: Door, secret: str) -> None:
    """Otherwise the signature protects nothing."""
    refused(forms, wpforms(forms, secret=secret), 401)


@pytest.mark.parametrize("age", [301, -301, 86400])
def test_a_recorded_submission_is_refused_later(forms: Door, age: float) -> None:
    """Otherwise whoever saw one request may repeat it once the window of equal answers is over."""
    refused(forms, wpforms(forms, age=age), 401, "300 s")
    assert wpforms(forms, age=299).status_code == 200


@pytest.mark.parametrize("header", [None, "", "t=1772452800", "v=00", "t=,v=", "t=now,v=00", "v0=00,t=1"])
def test_a_request_without_a_signature_is_refused(forms: Door, header: str | None) -> None:
    """Otherwise to leave the signature out is enough."""
    headers = {} if header is None else {"X-WPForms-Webhook-Signature": header}
    answer = forms.client.post("/webhooks/wpforms", data=BODY, content_type=JSON, headers=headers)
    refused(forms, answer, 401)


def test_a_format_that_cannot_be_verified_is_refused_where_there_is_a_secret(forms: Door) -> None:
    """Otherwise the format that cannot be verified gets around the signature.

    The addon signs a JSON text that it does not send; such a webhook needs a source with a token.
    """
    refused(forms, wpforms(forms, b"Name=Lan", b'{"Name":"Lan"}', media=FORM), 401, "does not fit")


@pytest.mark.parametrize("source", POSTS)
def test_a_sender_of_forms_that_signs_nothing_needs_its_token(forms: Door, source: str) -> None:
    """Otherwise anybody who finds the address writes into the CRM."""
    body, media = POSTS[source]
    for query in ("", "?token=", "?token=wrong", "?token=" + TOKEN[:5]):
        answer = forms.client.post(f"/webhooks/{source}{query}", data=body, content_type=media)
        refused(forms, answer, 401, "token")


@pytest.mark.parametrize("source", POSTS)
def test_a_sender_with_its_token_gets_200(forms: Door, source: str) -> None:
    """Otherwise Elementor and Contact Form 7 tell the visitor that the form failed, and the lead is lost."""
    body, media = POSTS[source]
    address = f"/webhooks/{source}"
    answer = forms.client.post(f"{address}?{urlencode({'token': TOKEN})}", data=body, content_type=media)
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "accepted")
    headers = {"X-Relay-Token": TOKEN}
    again = forms.client.post(address, data=body, content_type=media, headers=headers)
    assert (again.status_code, (again.json or {})["status"]) == (200, "duplicate")
    assert forms.count() == 1


@pytest.mark.parametrize(
    ("source", "body", "media"),
    [
        ("google_forms", b"{", "application/json"),
        ("contact_form_7", b"{", "application/json"),
        ("gravity_forms", b"[]", "application/json"),
        ("jotform", b"x", "multipart/form-data; boundary=b"),
        ("elementor", b"  ", FORM),
    ],
)
def test_a_body_that_is_not_what_it_says_is_refused(
    forms: Door, source: str, body: bytes, media: str
) -> None:
    """Otherwise it fails again and again in the worker, where nobody can tell the sender."""
    answer = forms.client.post(
        f"/webhooks/{source}?{urlencode({'token': TOKEN})}", data=body, content_type=media
    )
    refused(forms, answer, 400)
