"""What the door refuses, with which status and words; nothing is stored then."""

from __future__ import annotations

import base64
import gzip
import hmac
from dataclasses import replace

import pytest

from tests.door.door_requests import GENUINE, LEAD, MAIL, ORDER, SECRETS, Door, Webhook, refused

LANDING = replace(LEAD, source="landing")
HEADER = "x-shopify-hmac-sha256"


def signed(secret: str) -> dict[str, str]:
    return {HEADER: base64.b64encode(hmac.digest(secret.encode(), ORDER.body, "sha256")).decode()}


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"relay:{password}".encode()).decode()}


def test_either_secret_signs_while_one_is_rotated(door: Door) -> None:
    """Otherwise every event is lost between the change at the shop and the change here."""
    for number, secret in enumerate(("SHOP_SECRET", "SHOP_SECRET_OLD")):
        headers = {**signed(SECRETS[secret]), "X-Shopify-Webhook-Id": f"w{number}"}
        assert (door.post(ORDER, headers=headers).json or {})["status"] == "accepted"
    assert door.count() == 2


def test_a_body_with_any_byte_altered_is_refused(door: Door) -> None:
    """Otherwise somebody between the shop and us writes his own orders."""
    altered = [
        ORDER.body[:i] + bytes([ORDER.body[i] ^ bit]) + ORDER.body[i + 1 :]
        for i in range(len(ORDER.body))
        for bit in (1, 32, 128)
    ]
    for body in (*altered, ORDER.body[:-1], ORDER.body + b"\n", b" " + ORDER.body, b""):
        answer = door.post(ORDER, data=body)
        assert answer.status_code == 401, body
    refused(door, answer, 401, "does not fit the body")


@pytest.mark.parametrize(
    "signature",
    [
        "",
        " ",
        "=",
        "not base64 \xff\xfc",
        "ÿ" * 44,
        "a" * 8000,
        signed("another secret")[HEADER],
        signed("")[HEADER],
        signed(SECRETS["SHOP_SECRET"])[HEADER].rstrip("="),
        signed(SECRETS["SHOP_SECRET"])[HEADER].lower(),
        signed(SECRETS["SHOP_SECRET"])[HEADER] + ", x",
    ],
)
def test_a_bad_signature_is_refused(door: Door, signature: str) -> None:
    """Otherwise anybody can write orders, or a strange byte ends in a fault that the shop drops events for."""
    refused(door, door.post(ORDER, headers={HEADER: signature}), 401, HEADER)


def test_an_unsigned_order_is_refused(door: Door) -> None:
    """Otherwise anybody can write orders."""
    answer = door.client.post("/webhooks/shop", data=ORDER.body, headers=dict(ORDER.headers))
    refused(door, answer, 401, "is missing")


@pytest.mark.parametrize("webhook", [MAIL, LANDING], ids=["inbox", "landing"])
def test_the_token_is_taken_as_the_password_too(door: Door, webhook: Webhook) -> None:
    """Otherwise https://relay:TOKEN@host/ works in a browser and not in the sender's settings."""
    token = SECRETS[f"{webhook.source.upper()}_TOKEN"]
    assert (door.post(webhook, query="", headers=basic(token)).json or {})["status"] == "accepted"
    assert (door.post(webhook).json or {})["status"] == "duplicate"


def test_either_token_opens_while_one_is_rotated(door: Door) -> None:
    """Otherwise every e-mail is lost between the change there and the change here."""
    old = f"token={SECRETS['INBOX_TOKEN_OLD']}"
    assert (door.post(MAIL, query=old).json or {})["status"] == "accepted"
    assert (door.post(MAIL).json or {})["status"] == "duplicate"


BAD_QUERIES = [
    "",
    "token",
    "token=",
    "token=&token=inbox-token-of-today",
    "token=wrong&token=inbox-token-of-today",
    "Token=inbox-token-of-today",
    "token=INBOX-TOKEN-OF-TODAY",
    "token=inbox-token-of-today%00",
    "token=inbox-token-of-today%20",
    "token=%ff%fe",
    "token=%ED%A0%80",
    "token=%C3%BC",
    "token[]=inbox-token-of-today",
    "&&=&;%",
    "token=" + "a" * 3000,
    "&".join("a" for _ in range(1500)),
]


@pytest.mark.parametrize("query", BAD_QUERIES)
@pytest.mark.parametrize("webhook", [MAIL, LANDING], ids=["inbox", "landing"])
def test_a_bad_token_is_refused(door: Door, webhook: Webhook, query: str) -> None:
    """Otherwise whoever knows the address can write tickets."""
    query = query.replace("inbox-token-of-today", "no") if webhook is LANDING else query
    answer = door.post(webhook, query=query)
    refused(door, answer, 401, "token")


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ",
        "Basic ====",
        "Basic \xff\xfe",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + "A" * 7000,
        "Bearer",
        "Bearer inbox-token-of-yesterday",
        'Digest username="a", realm="b", response=""',
        "Digest =,=,",
        "\xc3\xa9 \xfc",
        "",
    ],
)
def test_a_malformed_authorization_is_refused(door: Door, authorization: str) -> None:
    """Otherwise it ends in a fault of ours, and the sender tries for days."""
    refused(door, door.post(MAIL, query="", headers={"Authorization": authorization}), 401, "token")


@pytest.mark.parametrize(
    "path", ["none", "Shop", "shop%00", "%ff%fe", "..%2fhealthz", "a" * 300, "%F0%9F%98%80"]
)
def test_an_unknown_source_is_not_found(door: Door, path: str) -> None:
    """Otherwise a typing error in the sender's settings looks like a success."""
    refused(door, door.client.post(f"/webhooks/{path}", data=LEAD.body), 404)


@pytest.mark.parametrize("path", ["/", "/webhooks", "/webhooks/", "/webhooks/shop/", "/webhooks/shop/x"])
def test_an_address_beside_the_door_is_not_found(door: Door, path: str) -> None:
    """Otherwise a sender follows a redirect, which turns its POST into a GET without a body."""
    refused(door, door.client.post(path, data=LEAD.body), 404)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_only_post_is_taken(door: Door, method: str) -> None:
    """Otherwise a link checker makes leads."""
    answer = door.client.open("/webhooks/website", method=method, data=LEAD.body)
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"POST", "OPTIONS"})
    assert door.events() == []
    assert door.client.post("/healthz").status_code == 405


@pytest.mark.parametrize("webhook", GENUINE, ids=lambda w: w.source)
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "application/xml",
        "application/octet-stream",
        "json",
        "ÿ",
        "application/json2",
        ";",
        "/",
    ],
)
def test_another_content_type_is_refused(door: Door, webhook: Webhook, content_type: str) -> None:
    """Otherwise something is stored that no worker can read."""
    refused(door, door.post(webhook, content_type=content_type), 415, "this source takes")


@pytest.mark.parametrize("webhook", GENUINE, ids=lambda w: w.source)
@pytest.mark.parametrize("coding", ["gzip", "br", "identity, gzip", "GZIP", "ÿ", ","])
def test_a_compressed_body_is_refused(door: Door, webhook: Webhook, coding: str) -> None:
    """Otherwise a few bytes become gigabytes in our memory."""
    bomb = replace(webhook, body=gzip.compress(bytes(10_000_000)))
    refused(door, door.post(bomb, headers={"Content-Encoding": coding}), 415, "Content-Encoding")
