"""Bodies that are too long, too short, or not what they claim to be: refused in words, and nothing is stored."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from typing import Any

import pytest

from tests.door.door_requests import GENUINE, LEAD, Door, Webhook, refused

LIMIT = 1024 * 1024

BAD_BODIES: list[tuple[str, bytes, str]] = [
    ("application/json", b"", "empty"),
    ("application/json", b' {"a": 1,}', "column"),
    ("application/json", b'{"a": 1', "column"),
    ("application/json", b'{"a": 1} x', "column 10"),
    ("application/json", b'\xff{"a": 1}', "offset 0"),
    ("application/json", b'{"a": NaN}', "NaN is no JSON number, line 1 column 7"),
    ("application/json", b'{"a": 1, "b": -Infinity}', "column 15"),
    ("application/json", b'{"a": 1, "a": 2}', "'a' twice"),
    ("application/json", b'{"a": ' + b"9" * 5000 + b"}", "4300 characters, line 1 column 7"),
    ("application/json", b'{"a": 1e999999999}', "out of range"),
    ("application/json", b'{"a":' * 100 + b"1" + b"}" * 100, "deeper than 64"),
    ("application/json", b"[" * 500_000, "deeper than 64"),
    ("application/json", b"[1]", "an array, where an object"),
    ("application/json", b"null", "null, where an object"),
    ("application/json", gzip.compress(b"{}", mtime=0), "offset 1"),
]
BAD_FORMS: list[tuple[str, bytes, str]] = [
    ("application/x-www-form-urlencoded", b"", "empty"),
    ("application/x-www-form-urlencoded", b"a=1&" * 1001, "more than 1000 fields"),
    ("text/plain", b"hello", "line 1"),
    ("multipart/form-data", b"--x--", "boundary"),
    ("multipart/form-data; boundary=x", b"--x\r\nname: a", "broken after part 0"),
    (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
        "no name",
    ),
]


@pytest.mark.parametrize(
    ("webhook", "content_type", "body", "words"),
    [(w, *bad) for w in GENUINE for bad in BAD_BODIES] + [(LEAD, *bad) for bad in BAD_FORMS],
)
def test_a_body_that_is_not_what_it_claims_is_named(
    door: Door, webhook: Webhook, content_type: str, body: bytes, words: str
) -> None:
    """Otherwise the sender's programmer has nothing to go by, or we store what nobody can read."""
    refused(door, door.post(replace(webhook, body=body), content_type=content_type), 400, words)


@pytest.mark.parametrize("length", [LIMIT + 1, LIMIT + 2, 3 * LIMIT])
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_a_body_over_the_limit_is_refused(door: Door, length: int, announced: bool) -> None:
    """Otherwise its first part is taken for the whole, or it fills the memory."""
    body = b"name=" + b"a" * (length - 5)
    more: dict[str, Any] = {"data": body} if announced else chunked(body)
    refused(door, door.post(replace(LEAD, body=body), **more), 413, str(LIMIT))


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_a_body_of_just_the_limit_is_taken(door: Door, announced: bool) -> None:
    """Otherwise the limit is not the one that the configuration says."""
    body = b"name=" + b"a" * (LIMIT - 5)
    more: dict[str, Any] = {"data": body} if announced else chunked(body)
    assert (door.post(replace(LEAD, body=body), **more).json or {})["status"] == "accepted"
    assert door.events()[0]["body"] == body


def chunked(body: bytes) -> dict[str, Any]:
    """Return what makes the test client send `body` as a server hands over a chunked one."""
    environ = {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
    }
    return {"environ_overrides": environ}


@pytest.mark.parametrize("announced", ["100", "40", "1048576"])
def test_a_body_that_ends_too_early_is_refused(door: Door, announced: str) -> None:
    """Otherwise half of a message is a lead, and the whole one that follows is a second."""
    environ = {
        "wsgi.input": io.BytesIO(LEAD.body),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": announced,
    }
    answer = door.post(LEAD, environ_overrides=environ)
    refused(door, answer, 400, f"{len(LEAD.body)} of {announced} bytes")
