"""The proofs of Stripe, Standard Webhooks, Svix, Tiendanube, BigCommerce, and of what relay.toml describes."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from mappings.protection import Hmac
from mappings.sources import SOURCES
from tests.conftest import NOON, Clock
from tests.door.door_requests import Door, open_door
from webhooks.signatures import signed_headers
from worker.ledger.database import Database

NEW, OLD = "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0", "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0"
TOML = """
[sources.stripe]
type = "stripe"
secret_env = ["NEW", "OLD"]
api_token_env = "NEW"
[sources.standard]
type = "standard_webhooks"
secret_env = ["NEW", "OLD"]
becomes = "lead"
[sources.tienda]
type = "tiendanube"
secret_env = ["NEW", "OLD"]
api_token_env = "NEW"
store_id = "123456"
contact = "shop@example.com"
[sources.generic]
type = "generic"
secret_env = ["NEW", "OLD"]
becomes = "lead"
[sources.generic.signature]
header = "X-Signature"
encoding = "hex"
prefix = "sha256="
[sources.big]
type = "bigcommerce"
token_env = ["NEW", "OLD"]
api_token_env = "NEW"
store_hash = "abc123"
[sources.events]
type = "cloudevents"
token_env = "NEW"
becomes = "lead"
[connections.opla]
vendor = "oplacrm"
base_url = "https://api-admin.oplacrm.com/api"
token_env = "NEW"
[[routes]]
source = "generic"
to = ["opla"]
"""
BODY = '{"id": "evt_1", "type": "é", "event": "order/paid"}'.encode()


def hmacs(kind: str) -> list[Hmac]:
    """Return the schemes of a sender, each of which is an HMAC."""
    return [scheme for scheme in SOURCES[kind].signatures if isinstance(scheme, Hmac)]


(_STRIPE,), (_STANDARD, _SVIX), (_TIENDA,) = map(hmacs, ("stripe", "standard_webhooks", "tiendanube"))
SCHEMES: dict[str, tuple[str, Hmac]] = {
    "stripe": ("stripe", _STRIPE),
    "standard": ("standard", _STANDARD),
    "svix": ("standard", _SVIX),
    "tienda": ("tienda", _TIENDA),
    "generic": ("generic", Hmac("x-signature", encoding="hex", prefix="sha256=")),
}
TIMED = ["stripe", "standard", "svix"]


@pytest.fixture
def door(tmp_path: Path, db: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Door:
    """Return a door with a source for each scheme."""
    monkeypatch.setattr("tests.door.door_requests.SECRETS", {"NEW": NEW, "OLD": OLD})
    return open_door(tmp_path, db, clock, TOML)


def post(door: Door, source: str, headers: dict[str, str], body: bytes = BODY, **more: Any) -> TestResponse:
    """Post `body` as it is."""
    content_type = more.pop("content_type", "application/json")
    return door.client.post(
        f"/webhooks/{source}",
        headers=headers,
        input_stream=io.BytesIO(body),
        content_length=len(body),
        content_type=content_type,
        **more,
    )


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("secret", [NEW, OLD])
def test_a_genuine_event_is_let_in_with_either_secret(door: Door, name: str, secret: str) -> None:
    """Otherwise genuine events are refused while a secret is rotated."""
    source, scheme = SCHEMES[name]
    answer = post(door, source, signed_headers(scheme, secret, BODY, NOON, id_="msg_1"))
    assert answer.status_code == 200
    assert door.count() == 1
    again = post(door, source, signed_headers(scheme, secret, BODY, NOON, id_="msg_1"))
    assert (again.status_code, again.json and again.json["status"]) == (200, "duplicate")


@pytest.mark.parametrize("name", SCHEMES)
def test_a_forged_event_is_refused(door: Door, name: str) -> None:
    """Otherwise whoever knows the address writes into the CRM."""
    source, scheme = SCHEMES[name]
    genuine = signed_headers(scheme, NEW, BODY, NOON, id_="msg_1")
    for place in range(len(BODY)):
        altered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert post(door, source, genuine, altered).status_code == 401
    wrong = signed_headers(scheme, NEW[:-4] + "AAAA", BODY, NOON, id_="msg_1")
    for headers in (wrong, {}, {**genuine, scheme.header: ""}, {**genuine, scheme.header: "v1,"}):
        assert post(door, source, headers).status_code == 401
    assert door.count() == 0


@pytest.mark.parametrize("name", TIMED)
@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_recorded_event_is_refused_five_minutes_later(door: Door, name: str, seconds: int) -> None:
    """Otherwise who recorded an event can play it back for ever."""
    source, scheme = SCHEMES[name]
    stale = signed_headers(scheme, NEW, BODY, NOON + timedelta(seconds=seconds), id_="msg_1")
    assert post(door, source, stale).status_code == 401
    fresh = signed_headers(scheme, NEW, BODY, NOON + timedelta(seconds=seconds * 0.9), id_="msg_1")
    assert post(door, source, fresh).status_code == 200


@pytest.mark.parametrize("name", ["standard", "svix"])
def test_a_signature_is_good_for_one_id(door: Door, name: str) -> None:
    """Otherwise an event that was recorded passes again under another id.

    The id is what a repetition is known by, so it must be signed.
    """
    source, scheme = SCHEMES[name]
    headers = signed_headers(scheme, NEW, BODY, NOON, id_="msg_1") | {scheme.id_header: "msg_2"}
    assert post(door, source, headers).status_code == 401


def test_one_of_several_signatures_that_fits_is_enough(door: Door) -> None:
    """Otherwise events are refused while their sender changes its secret."""
    headers = signed_headers(_STANDARD, NEW, BODY, NOON, id_="msg_1")
    headers["webhook-signature"] = f"v1,AAAA v1a,xyz {headers['webhook-signature']}"
    assert post(door, "standard", headers).status_code == 200
    headers = signed_headers(_STRIPE, NEW, BODY, NOON)
    stamp, digest = headers["stripe-signature"].split(",")
    headers["stripe-signature"] = f"{stamp},v1=00,{digest},v0=11"
    assert post(door, "stripe", headers).status_code == 200
    headers["stripe-signature"] = f"{stamp},v0={digest[3:]}"
    assert post(door, "stripe", headers).status_code == 401


@pytest.mark.parametrize("source", ["big", "events"])
def test_a_sender_that_signs_nothing_needs_its_token(door: Door, source: str) -> None:
    """Otherwise whoever knows the address of such a source writes into the CRM."""
    for headers in ({}, {"X-Relay-Token": "x"}, {"X-Relay-Token": NEW[:-1]}):
        assert post(door, source, headers).status_code == 401
    assert post(door, source, {"X-Relay-Token": NEW}).status_code == 200


def test_each_event_of_a_batch_is_stored(door: Door) -> None:
    """Otherwise a batch is one event, and all but its first are lost."""
    batch = b'[{"specversion":"1.0","type":"t","source":"s","id":"1"},{"type":"t","source":"s","id":"2"}]'
    sent = {"content_type": "application/cloudevents-batch+json", "query_string": {"token": NEW}}
    answer = post(door, "events", {}, batch, **sent)
    assert (answer.status_code, door.count()) == (200, 2)
    again = post(door, "events", {}, batch, **sent)
    assert again.json is not None
    assert [event["status"] for event in again.json["events"]] == ["duplicate", "duplicate"]


def test_a_sender_that_asks_for_leave_gets_it_with_its_token(door: Door) -> None:
    """Otherwise a sender that asks for leave never begins to post.

    Azure Event Grid makes no subscription before its question is answered; who has no token gets no leave.
    """
    asked = {"WebHook-Request-Origin": "eventgrid.example.com", "WebHook-Request-Rate": "120"}
    granted = door.client.options("/webhooks/events", headers=asked, query_string={"token": NEW})
    assert granted.status_code == 200
    assert granted.headers["WebHook-Allowed-Origin"] == "eventgrid.example.com"
    assert granted.headers["WebHook-Allowed-Rate"] == "*"
    assert "POST" in granted.headers["Allow"]
    for refused in (
        door.client.options("/webhooks/events", headers=asked),
        door.client.options("/webhooks/events", headers=asked, query_string={"token": NEW[:-1]}),
    ):
        assert (refused.status_code, "WebHook-Allowed-Origin" in refused.headers) == (401, False)
    for other in (
        door.client.options("/webhooks/events", query_string={"token": NEW}),
        door.client.options("/webhooks/big", headers=asked, query_string={"token": NEW}),
    ):
        assert (other.status_code, "WebHook-Allowed-Origin" in other.headers) == (200, False)
