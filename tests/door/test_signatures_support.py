"""Inboxes and help desks prove who they are, each in its own way; whatever else is refused at the real door."""

from __future__ import annotations

import base64
import hmac
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.test import TestResponse

from mappings.protection import Hmac
from mappings.sources import SOURCES
from tests.conftest import NOON, Clock
from tests.door.door_requests import Door, open_door
from webhooks.signatures import signed_headers
from worker.ledger.database import Database

KEY, OLD_KEY, STRANGE_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))


def shown(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public half of `key` as SendGrid shows it."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


KINDS = ("crisp", "intercom", "mailgun", "sendgrid", "zendesk")
SECRETS = {f"{kind.upper()}_{age}": f"{kind}-secret-{age}" for kind in KINDS for age in ("NEW", "OLD")}
SECRETS |= {"SENDGRID_NEW": shown(KEY), "SENDGRID_OLD": shown(OLD_KEY), "DESK": "desk-token", "API": "api"}
ROUTES = "\n".join(f'[[routes]]\nsource = "{kind}"\nto = ["opla"]' for kind in (*KINDS, "freshdesk", "parse"))
TOML = (
    "\n".join(
        f'[sources.{kind}]\ntype = "{kind}"\nsecret_env = ["{kind.upper()}_NEW", "{kind.upper()}_OLD"]'
        + ('\napi_token_env = "API"' if kind == "crisp" else "")
        for kind in KINDS
    )
    + '\n[sources.freshdesk]\ntype = "freshdesk"\ntoken_env = "DESK"'
    + '\n[sources.parse]\ntype = "sendgrid"\ntoken_env = "DESK"\n'
    + '[connections.opla]\nvendor = "oplacrm"\nbase_url = "https://api-admin.oplacrm.com/api"\n'
    + 'token_env = "OPLA_TOKEN"\n[connections.opla.values]\nowner = "MNV_001"\nlead_status = "New"\n'
    + 'lead_source = "Website"\nsale_process = "Web shop"\nstage = "Ordered"\nticket_as = "lead"\n'
    + ROUTES
)
FORM = "multipart/form-data; boundary=b"
MAIL = b'--b\r\nContent-Disposition: form-data; name="from"\r\n\r\nlan@example.com\r\n--b--\r\n'


@dataclass(frozen=True)
class Post:
    """A request of a sender."""

    source: str
    body: bytes
    headers: Mapping[str, str]
    content_type: str = "application/json"


@pytest.fixture
def desk(empty_ledger: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """A door for every inbox and help desk."""
    monkeypatch.setattr("tests.door.door_requests.SECRETS", {"OPLA_TOKEN": "opla-token", **SECRETS})
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    yield open_door(tmp_path, db, clock, TOML)
    db.close()


def sent(desk: Door, post: Post, body: bytes | None = None, query: str = "") -> TestResponse:
    """Post it, with another body if one is given."""
    raw = post.body if body is None else body
    return desk.client.post(
        f"/webhooks/{post.source}",
        query_string=query,
        headers=dict(post.headers),
        content_type=post.content_type,
        input_stream=io.BytesIO(raw),
        content_length=len(raw),
    )


def mailgun(secret: str, **changed: str) -> Post:
    """Return an e-mail that is signed with `secret`, and then changed."""
    token = "t0k3n"
    signature = hmac.digest(secret.encode(), b"1772443800" + token.encode(), "sha256").hex()
    fields = {"from": "lan@example.com", "timestamp": "1772443800", "token": token, "signature": signature}
    body = urlencode(fields | changed).encode()
    return Post("mailgun", body, {}, "application/x-www-form-urlencoded")


def signed(kind: str, age: str) -> Post:
    """Return a genuine request of this kind of source, signed with the secret of that age."""
    secret = SECRETS.get(f"{kind.upper()}_{age}", "a secret of somebody else")
    if kind == "mailgun":
        return mailgun(secret)
    if kind == "sendgrid":
        key = {"NEW": KEY, "OLD": OLD_KEY}.get(age, STRANGE_KEY)
        signature = base64.b64encode(key.sign(b"1772443800" + MAIL, ec.ECDSA(SHA256()))).decode()
        name = "X-Twilio-Email-Event-Webhook"
        return Post(kind, MAIL, {f"{name}-Signature": signature, f"{name}-Timestamp": "1772443800"}, FORM)
    body = json.dumps({"id": "n1", "text": "é €"}, ensure_ascii=False).encode()
    (scheme,) = SOURCES[kind].signatures
    assert isinstance(scheme, Hmac)
    return Post(kind, body, signed_headers(scheme, secret, body, NOON))


@pytest.mark.parametrize("age", ["NEW", "OLD"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_genuine_request_is_taken_while_the_secret_is_rotated(desk: Door, kind: str, age: str) -> None:
    """Otherwise every request for help is lost between the change there and the change here."""
    answer = sent(desk, signed(kind, age))
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "accepted")


@pytest.mark.parametrize("kind", KINDS)
def test_a_strange_secret_is_refused(desk: Door, kind: str) -> None:
    """Otherwise anybody writes tickets."""
    answer = sent(desk, signed(kind, "STRANGE"))
    assert (answer.status_code, desk.count()) == (401, 0)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mailgun"])
def test_an_altered_byte_is_refused(desk: Door, kind: str) -> None:
    """Otherwise somebody on the way writes his own text into a ticket."""
    post = signed(kind, "NEW")
    for place in range(len(post.body)):
        altered = post.body[:place] + bytes([post.body[place] ^ 1]) + post.body[place + 1 :]
        assert sent(desk, post, altered).status_code == 401, place
    assert sent(desk, post, post.body + b" ").status_code == 401
    assert desk.count() == 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mailgun"])
def test_an_unsigned_or_redated_request_is_refused(desk: Door, kind: str) -> None:
    """Otherwise a signature that was seen once is good for another time."""
    post = signed(kind, "NEW")
    for name in post.headers:
        others = {k: v for k, v in post.headers.items() if k != name}
        assert sent(desk, Post(kind, post.body, others, post.content_type)).status_code == 401, name
    for name in (name for name in post.headers if "imestamp" in name):
        moved = {**post.headers, name: post.headers[name].replace("2", "3", 1)}
        assert sent(desk, Post(kind, post.body, moved, post.content_type)).status_code == 401
    assert desk.count() == 0


@pytest.mark.parametrize("changed", ["timestamp", "token", "signature"])
def test_mailguns_proof_in_the_body_is_refused_when_altered(desk: Door, changed: str) -> None:
    """Otherwise anybody makes a new proof out of an old one."""
    for value in ("", "1772443801", "0" * 64, "é"):
        answer = sent(desk, mailgun(SECRETS["MAILGUN_NEW"], **{changed: value}))
        assert answer.status_code == 401, value
    assert desk.count() == 0


def test_a_mailgun_proof_is_good_for_one_mail(desk: Door) -> None:
    """Otherwise who has seen one signed post signs as many mails as he likes: its text is not covered."""
    assert (sent(desk, mailgun(SECRETS["MAILGUN_NEW"])).json or {})["status"] == "accepted"
    forged = sent(desk, mailgun(SECRETS["MAILGUN_NEW"], **{"from": "forger@example.com"}))
    assert (forged.status_code, (forged.json or {})["status"]) == (200, "duplicate")
    # Kept, because it says something else, and not delivered.
    assert [event["verdict"] for event in desk.events()] == ["routed", "duplicate"]


def test_the_last_of_a_repeated_field_counts_in_proof_and_name(desk: Door) -> None:
    """Otherwise a header of the mail named `token` stops the mail, or takes another one's place."""
    post = mailgun(SECRETS["MAILGUN_NEW"])
    raw = b"token=spoilt&signature=spoilt&" + post.body
    assert (sent(desk, post, raw).json or {})["status"] == "accepted"
    assert (sent(desk, post).json or {})["status"] == "duplicate"


@pytest.mark.parametrize(
    "post",
    [
        Post("freshdesk", b'{"ticket_id": 1}', {}),
        Post("parse", MAIL, {}, FORM),
    ],
    ids=["freshdesk", "sendgrid"],
)
def test_a_source_without_a_signature_asks_for_its_token(desk: Door, post: Post) -> None:
    """Otherwise whoever knows the address writes tickets."""
    for query in ("", "token=", "token=desk-tokeN"):
        assert sent(desk, post, query=query).status_code == 401
    assert (sent(desk, post, query="token=desk-token").json or {})["status"] == "accepted"
    basic = {"Authorization": "Basic " + base64.b64encode(b"relay:desk-token").decode()}
    again = sent(desk, Post(post.source, post.body, basic, post.content_type))
    assert (again.json or {})["status"] == "duplicate"


def test_intercom_finds_the_address_when_it_is_saved(desk: Door) -> None:
    """Otherwise Intercom does not let the address be saved."""
    assert desk.client.head("/webhooks/intercom").status_code == 200
    assert desk.client.head("/webhooks/zendesk").status_code == 405


def test_a_ping_of_intercom_is_answered_and_delivered_nowhere(desk: Door) -> None:
    """Otherwise the test in its settings fails, or opens a ticket about nothing."""
    body = b'{"type": "notification_event", "topic": "ping", "id": null, "data": {"item": {"type": "ping"}}}'
    (scheme,) = SOURCES["intercom"].signatures
    assert isinstance(scheme, Hmac)
    headers = signed_headers(scheme, SECRETS["INTERCOM_NEW"], body, NOON)
    answer = sent(desk, Post("intercom", body, headers))
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "ignored")


@pytest.mark.parametrize("kind", ["crisp", "zendesk"])
def test_a_tolerance_of_relay_toml_refuses_old_requests(
    empty_ledger: Path, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Otherwise an operator who wants old requests refused is not obeyed."""
    monkeypatch.setattr("tests.door.door_requests.SECRETS", {"OPLA_TOKEN": "opla-token", **SECRETS})
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    toml = f"{TOML}\n[sources.{kind}.signature]\ntolerance_seconds = 300"
    desk = open_door(tmp_path, db, clock, toml)
    clock.forward(seconds=299)
    assert sent(desk, signed(kind, "NEW")).status_code == 200
    clock.forward(seconds=2)
    assert sent(desk, signed(kind, "NEW")).status_code == 401
    db.close()
