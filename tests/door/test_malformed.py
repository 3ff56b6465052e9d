"""Whatever a genuine sender's body holds, the answer is one of the door's own, and a 200 is a stored event."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.sources import SOURCES
from tests.conftest import Clock
from tests.door.door_bodies import CORPUS, DISPOSITION, MEDIA_TYPES, SLOW
from tests.door.door_requests import Door, Webhook, open_door
from worker.ledger.database import Database
from worker.ledger.tables import events

NAMES = ["website", "landing", "shop", "inbox"]
TOPICS = ["orders/create", "customers/create", "products/create", "orders/new", "", "\xff", "o" * 3000]

#: Seconds that one answer may take: far more than any needs; a body of 64 KiB that takes longer is an attack.
#: Of CPU time, as the clock says how busy the machine is.
PATIENCE = 5.0
CAREFUL = settings(
    max_examples=150,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def shared(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One door for all bodies; what each of them leaves in its ledger is taken out again."""
    folder = tmp_path_factory.mktemp("malformed")
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, folder)}")
    yield open_door(folder, db, Clock())
    db.close()


def answered(door: Door, webhook: Webhook) -> int:
    """Post `webhook`, check the answer and what is stored against each other, and return the status."""
    begun = time.thread_time()
    answer = door.post(webhook)
    assert time.thread_time() - begun < PATIENCE
    said = answer.json or {}
    stored = [(event["id"], event["source"], event["body"]) for event in door.events()]
    if stored:
        with door.db.write() as c:
            c.execute(events.delete())
    assert answer.status_code in (200, 400, 413, 415), (answer.status_code, said)
    assert answer.mimetype == "application/json"
    if answer.status_code == 200:
        assert said["status"] in ("accepted", "ignored")
        assert stored == [(said["event_id"], webhook.source, webhook.body)]
    else:
        assert stored == []
        assert said["status"] == "refused"
        assert said["error"]
    return int(answer.status_code)


def is_read_again(webhook: Webhook) -> None:
    """The worker reads the stored bytes once more, and must see something that the ledger can hold."""
    kind = {"website": "form", "landing": "form", "shop": "shopify", "inbox": "postmark"}[webhook.source]
    payload = SOURCES[kind].read(webhook.body, webhook.content_type)
    for text in texts(payload):
        assert "\0" not in text
        text.encode("utf-8")


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.items() for part in item for text in texts(part))
    elif isinstance(value, list):
        yield from (text for item in value for text in texts(item))


@pytest.mark.parametrize("source", NAMES)
def test_every_known_trick_is_answered(shared: Door, source: str) -> None:
    """Otherwise one strange body is retried for days, or takes the door down for everybody."""
    for number, body in enumerate(CORPUS):
        # The other three read a body as `website` does, or as JSON whatever its content type claims.
        step = 2 if source == "website" and len(body) < 5_000 else 5
        for media_type in MEDIA_TYPES[number % step :: step]:
            topic = TOPICS[number % len(TOPICS)]
            webhook = Webhook(source, body, media_type, {"X-Shopify-Topic": topic})
            if answered(shared, webhook) == 200:
                is_read_again(webhook)


@pytest.mark.parametrize("body", SLOW, ids=range(len(SLOW)))
def test_no_small_body_takes_long(shared: Door, body: bytes) -> None:
    """Otherwise anybody who can post a form stops a whole process of the door with a few kilobytes."""
    begun = time.thread_time()
    assert answered(shared, Webhook("website", body)) == 400
    assert time.thread_time() - begun < 2


def damaged(good: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return bodies of `good`, some with a piece taken out, doubled, or replaced by anything."""
    places = st.floats(0, 1)
    pieces = st.sampled_from(
        [b"", b"\x00", b"\xff", b'"', b"}", b"[", b"\\ud800", b"%", b"=", b"--x", b"\r\n"]
    )

    def cut(body: bytes, start: float, end: float, piece: bytes) -> bytes:
        first, last = sorted((int(start * len(body)), int(end * len(body))))
        return body[:first] + piece + body[last:]

    return st.one_of(good, st.builds(cut, good, places, places, pieces))


TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=8,
)
KEYS = st.sampled_from(
    "id name test updated_at created_at MessageID Headers From Subject email phone".split()
)
OBJECTS = st.dictionaries(st.one_of(KEYS, TEXT), VALUES, max_size=8)
AS_JSON = st.builds(
    lambda o, ascii_: json.dumps(o, ensure_ascii=ascii_).encode("utf-8", "surrogatepass"),
    OBJECTS,
    st.booleans(),
)
AS_FORM = st.lists(
    st.sampled_from([b"a", b"b", b"[", b"]", b"=", b"&", b"%", b"00", b"ff", b"+", b";", b"\n", b"\xff"]),
    max_size=40,
).map(b"".join)
AS_PARTS = st.lists(
    st.sampled_from(
        [
            b"--x",
            b"--",
            b"\r\n",
            b"\n",
            b"\r",
            DISPOSITION,
            b"; filename=b",
            b"\r\n\r\n",
            b"1",
            b"\xff",
            b":",
            b"\r\n--x--",
        ]
    ),
    max_size=20,
).map(b"".join)


@given(source=st.sampled_from(NAMES), body=damaged(AS_JSON), topic=st.sampled_from(TOPICS))
@CAREFUL
def test_any_json_is_answered(shared: Door, source: str, body: bytes, topic: str) -> None:
    """Otherwise there is an object that is retried for days."""
    answered(shared, Webhook(source, body, headers={"X-Shopify-Topic": topic}))


@given(media_type=st.sampled_from(MEDIA_TYPES), body=damaged(st.one_of(AS_FORM, AS_PARTS, AS_JSON)))
@CAREFUL
def test_any_form_is_answered(shared: Door, media_type: str, body: bytes) -> None:
    """Otherwise there is a form that is retried for days."""
    answered(shared, Webhook("website", body, media_type))


@given(body=damaged(AS_PARTS))
@CAREFUL
def test_any_multipart_form_is_answered(shared: Door, body: bytes) -> None:
    """Otherwise there is an upload that is retried for days."""
    answered(shared, Webhook("landing", body, "multipart/form-data; boundary=x"))


@given(source=st.sampled_from(NAMES), media_type=st.sampled_from(MEDIA_TYPES), body=st.binary(max_size=200))
@CAREFUL
def test_any_bytes_are_answered(shared: Door, source: str, media_type: str, body: bytes) -> None:
    """Otherwise there are bytes that are retried for days."""
    answered(shared, Webhook(source, body, media_type))


LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60)
HEADERS = st.sampled_from(
    "X-Shopify-Topic X-Shopify-Webhook-Id X-Shopify-Triggered-At X-Shopify-Test Origin X-Y".split()
)


@given(source=st.sampled_from(NAMES), headers=st.dictionaries(HEADERS, LATIN, max_size=4))
@CAREFUL
def test_any_headers_are_answered(shared: Door, source: str, headers: dict[str, str]) -> None:
    """Otherwise a proxy's header in another charset loses every event behind it."""
    answered(shared, Webhook(source, b'{"id":1,"From":"lan@example.com"}', headers=headers))
