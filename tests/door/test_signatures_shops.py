"""Shops at the door: whose signature counts, and which requests are no events at all."""

from __future__ import annotations

import base64
import hmac
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.conftest import Clock
from tests.door.door_requests import CONNECTION, SECRETS, Door, open_door
from worker.ledger.database import Database
from worker.settings import SettingsError

TYPES = ("haravan", "sapo", "shopify", "woocommerce")
TOML = CONNECTION + "".join(
    f'[sources.{kind}]\ntype = "{kind}"\nsecret_env = ["SHOP_SECRET", "SHOP_SECRET_OLD"]\n'
    f'[[routes]]\nsource = "{kind}"\nto = ["opla"]\n'
    for kind in TYPES
)
TOML += """
[sources.app]
type = "haravan"
secret_env = "SHOP_SECRET"
token_env = "INBOX_TOKEN"
[sources.escaped]
type = "woocommerce"
secret_env = "LANDING_TOKEN"
[sources.own]
type = "sapo"
secret_env = "SHOP_SECRET"
[sources.own.signature]
header = "X-Own-Signature"
encoding = "hex"
"""
#: Every scheme: the source, the header of its digest, the header of its topic, a topic.
SCHEMES = {
    "haravan": ("haravan", "X-Haravan-Hmacsha256", "X-Haravan-Topic", "orders/create"),
    "sapo": ("sapo", "X-Sapo-Hmac-SHA256", "X-Sapo-Topic", "orders/create"),
    "bizweb": ("sapo", "X-Bizweb-Hmac-SHA256", "X-Bizweb-Topic", "orders/create"),
    "shopify": ("shopify", "X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "orders/create"),
    "shopify events": ("shopify", "Shopify-Hmac-Sha256", "Shopify-Topic", "orders/create"),
    "woocommerce": ("woocommerce", "X-WC-Webhook-Signature", "X-WC-Webhook-Topic", "order.created"),
}
BODY = '{"id":820982911946154508,"note":"Nguyễn \\u00e9 €","total":"10.00"}'.encode()


@pytest.fixture
def shops(empty_ledger: Path, tmp_path: Path, clock: Clock) -> Iterator[Door]:
    """A door with one source for each shop."""
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    yield open_door(tmp_path, db, clock, TOML)
    db.close()


def digest(secret: str, body: bytes = BODY) -> str:
    """Return what all of these shops send: HMAC-SHA256 of the body, in base64."""
    return base64.b64encode(hmac.new(secret.encode(), body, "sha256").digest()).decode()


def post(door: Door, scheme: str, signature: str | None, body: bytes = BODY) -> TestResponse:
    """Post `body` as the shop of `scheme` does."""
    source, header, topic_header, topic = SCHEMES[scheme]
    headers = {topic_header: topic} | ({} if signature is None else {header: signature})
    return door.client.post(
        f"/webhooks/{source}", data=body, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_genuine_event_is_taken_once(shops: Door, scheme: str) -> None:
    """If this fails, the shop's webhook is switched off by the shop, or each retry makes a deal."""
    answers = [post(shops, scheme, digest(SECRETS["SHOP_SECRET"])) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [(answer.json or {})["status"] for answer in answers] == ["accepted", "duplicate"]
    (event,) = shops.events()
    assert event["type"] == SCHEMES[scheme][3]
    assert event["entity"] == "order-820982911946154508"
    assert SCHEMES[scheme][1].lower() not in json.loads(event["headers"])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_body_with_any_byte_altered_is_refused(shops: Door, scheme: str) -> None:
    """If this fails, somebody between the shop and us writes his own orders."""
    signature = digest(SECRETS["SHOP_SECRET"])
    altered = [BODY[:i] + bytes([BODY[i] ^ 1]) + BODY[i + 1 :] for i in range(len(BODY))]
    for body in (*altered, BODY + b"\n", BODY[:-1]):
        assert post(shops, scheme, signature, body).status_code == 401, body
    assert shops.count() == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_wrong_signature_is_refused(shops: Door, scheme: str) -> None:
    """If this fails, whoever knows the address writes into the CRM."""
    right = digest(SECRETS["SHOP_SECRET"])
    hexed = hmac.new(SECRETS["SHOP_SECRET"].encode(), BODY, "sha256").hexdigest()
    for wrong in (
        None,
        "",
        digest("another"),
        digest(""),
        right.lower(),
        f"sha256={right}",
        hexed,
        right[:-2],
    ):
        assert post(shops, scheme, wrong).status_code == 401, wrong
    assert shops.count() == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_secret_of_last_week_is_good_while_it_is_rotated(shops: Door, scheme: str) -> None:
    """If this fails, events are lost between the change at the shop and the change here."""
    assert post(shops, scheme, digest(SECRETS["SHOP_SECRET_OLD"])).status_code == 200


@pytest.mark.parametrize(
    ("typed", "signs_with"),
    [
        ("a &amp; b", "a & b"),
        ("&lt;a&gt; &quot;b&quot; &#039;c&#039;", "<a> \"b\" 'c'"),
        ("&copy;right&notin", "&copy;right&notin"),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_a_secret_with_signs_of_html_fits(
    empty_ledger: Path,
    tmp_path: Path,
    clock: Clock,
    typed: str,
    signs_with: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If this fails, a shop whose secret holds such a sign can never be connected, and nobody finds out why."""
    monkeypatch.setitem(SECRETS, "LANDING_TOKEN", typed)
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    door = open_door(tmp_path, db, clock, TOML)
    headers = {"X-WC-Webhook-Topic": "order.created", "X-WC-Webhook-Signature": digest(signs_with)}
    answer = door.client.post(
        "/webhooks/escaped", data=BODY, content_type="application/json", headers=headers
    )
    db.close()
    assert answer.status_code == 200, answer.json


def test_woocommerce_can_save_its_webhook(shops: Door) -> None:
    """If this fails, the webhook is never switched on: its ping is unsigned and wants exactly 200."""
    form = "application/x-www-form-urlencoded"
    answer = shops.client.post("/webhooks/woocommerce", data=b"webhook_id=4", content_type=form)
    assert answer.status_code == 200
    for body in (b"webhook_id=4&id=1", b'{"webhook_id":4}', b"webhook_id="):
        assert shops.client.post("/webhooks/woocommerce", data=body, content_type=form).status_code in (
            401,
            415,
        )
    assert shops.count() == 0


def test_haravan_can_register_its_webhook(shops: Door) -> None:
    """If this fails, an app's callback address is refused; its token is spent there, and posts are signed."""
    asked = {"hub.challenge": "1158201444", "hub.verify_token": SECRETS["INBOX_TOKEN"]}
    for query in (asked, asked | {"hub.mode": "subscribe"}):
        answer = shops.client.get("/webhooks/app", query_string=query)
        assert (answer.status_code, answer.text) == (200, "1158201444")
    wrong = asked | {"hub.verify_token": "x"}
    assert shops.client.get("/webhooks/app", query_string=wrong).status_code == 401
    assert shops.client.get("/webhooks/haravan", query_string=asked).status_code == 401
    assert shops.client.get("/webhooks/app").status_code == 405
    headers = {"X-Haravan-Topic": "orders/create"}
    answer = shops.client.post("/webhooks/app", data=BODY, content_type="application/json", headers=headers)
    assert answer.status_code == 401


def test_the_token_of_a_challenge_alone_opens_no_door(
    empty_ledger: Path, tmp_path: Path, clock: Clock
) -> None:
    """If this fails, a source looks protected by its verify token, and anybody may post to it."""
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path)}")
    bare = TOML.replace('secret_env = "SHOP_SECRET"\ntoken_env', "token_env")
    assert bare != TOML
    with pytest.raises(SettingsError, match=r"sources\.app\.secret_env: is missing"):
        open_door(tmp_path, db, clock, bare)
    db.close()


def test_what_sapo_does_otherwise_can_be_set(shops: Door) -> None:
    """If this fails, a shop whose signature differs from what is known of Sapo needs a new version of ours."""
    signature = hmac.new(SECRETS["SHOP_SECRET"].encode(), BODY, "sha256").hexdigest()
    headers = {"X-Own-Signature": signature, "X-Sapo-Topic": "orders/create"}
    answer = shops.client.post("/webhooks/own", data=BODY, content_type="application/json", headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("scheme", "header", "topic"),
    [
        ("shopify", "X-Shopify-Topic", "fulfillments/create"),
        ("haravan", "X-Haravan-Topic", "products/update"),
        ("sapo", "X-Sapo-Topic", "orders/delete"),
        ("woocommerce", "X-WC-Webhook-Topic", "product.updated"),
    ],
)
def test_an_event_that_nobody_wants_is_taken(shops: Door, scheme: str, header: str, topic: str) -> None:
    """If this fails, it spends the shop's patience, and the webhook is switched off with all the others."""
    headers = {SCHEMES[scheme][1]: digest(SECRETS["SHOP_SECRET"]), header: topic}
    answer = shops.client.post(
        f"/webhooks/{SCHEMES[scheme][0]}", data=BODY, content_type="application/json", headers=headers
    )
    assert (answer.status_code, (answer.json or {})["status"]) == (200, "ignored")
