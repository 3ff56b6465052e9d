"""Whatever is posted to whichever source is named, and then a command or parked with a reason: never a crash."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simplejson import dumps

from mappings.commands import RecordOrder, as_json
from mappings.errors import BadBody, CannotMap
from mappings.formats.money import rounded
from mappings.source import Arrival, Event, Naming
from mappings.sources import SOURCES
from tests.mappings.test_sources import BODIES, arrival_of, beside, event_of, json_values

each_source = pytest.mark.parametrize("kind", SOURCES)
quick = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
ODD = json_values | st.sampled_from(
    [
        "",
        " ",
        "\ufffd",
        "<a ",
        "9" * 400,
        10**400,
        -1,
        1.5,
        True,
        [],
        {},
        [[]],
        [None],
        "2026-02-30T25:00:00Z",
    ]
)
#: What a parser meets: its sender's own letters, pieces of other formats, and anything.
PIECES = st.lists(
    st.sampled_from(
        [b'{"', b'":', b"[", b"]}", b"--x\r\n", b"--x--", b"\r\n\r\n", b"a[b]=1&", b"%ff", b"\x00"]
    )
    | st.binary(max_size=12),
    max_size=12,
).map(b"".join)


def as_read(kind: str, payload: Any) -> Any:
    """Return `payload` as the source reads it from JSON; one that takes forms only has an object of fields."""
    if "application/json" in SOURCES[kind].media_types:
        return SOURCES[kind].read(
            dumps(payload, use_decimal=True, ignore_nan=True).encode(), "application/json"
        )
    return payload if isinstance(payload, dict) else {"field": payload}


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container in `value` with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


def named(arrival: Arrival) -> Naming:
    """Name an arrival, and see that the ledger can hold the name."""
    naming = SOURCES[arrival.source].name(arrival)
    assert naming.type
    assert naming.dedup_key
    for text in (naming.type, naming.dedup_key, naming.entity or "", naming.version or ""):
        text.encode()
        assert "\0" not in text
    return naming


def handled(event: Event) -> None:
    """Map an event; what comes out is JSON, and an order adds up."""
    kind = SOURCES[event.source]
    for fetch in kind.fetches(event) if kind.fetches else ():
        assert ".." not in fetch.path
        assert not set(fetch.path) & set("?#\\ ")
    try:
        made = list(kind.handlers[event.type](event))
    except CannotMap:
        return
    for command in made:
        as_json(command)
        if isinstance(command, RecordOrder):
            parts = sum(line.total for line in command.lines) + command.shipping + command.tax
            assert rounded(parts - command.discount - command.total, command.currency) == 0


@pytest.mark.parametrize("body", BODIES, ids=lambda p: f"{p.parent.name}/{p.stem}")
@settings(quick, max_examples=12)
@given(data=st.data())
def test_a_field_that_its_sender_changed_stops_the_worker(body: Any, data: st.DataObject) -> None:
    arrival = arrival_of(body)
    whole = {"payload": copy.deepcopy(arrival.payload), "fetched": beside(body, "fetched")}
    spots = [spot for spot in places(whole) if spot[0] is not whole] or places(whole)
    for container, key in data.draw(st.lists(st.sampled_from(spots), min_size=1, max_size=3)):
        if key not in container if isinstance(container, dict) else key >= len(container):
            continue
        if data.draw(st.booleans()) and isinstance(container, dict):
            del container[key]
        else:
            container[key] = data.draw(ODD)
    type_ = event_of(arrival).type
    named(replace(arrival, payload=whole["payload"]))
    event = event_of(replace(arrival, payload=whole["payload"]))
    handled(replace(event, type=type_, fetched=whole["fetched"]))


@each_source
@quick
@given(payload=json_values, fetched=json_values)
def test_somebody_who_knows_the_address_stops_the_worker_with_any_json(
    kind: str, payload: Any, fetched: Any
) -> None:
    source = SOURCES[kind]
    try:
        payload = as_read(kind, payload)
    except BadBody:
        return
    for part in source.parts(payload) if source.parts else [payload]:
        named(Arrival(kind, {}, part, "digest"))
        for type_ in source.handlers:
            answers = dict.fromkeys(
                (
                    "order",
                    "products",
                    "lead",
                    "contact",
                    "item",
                    "requester",
                    "comments",
                    "question",
                    "claim",
                ),
                fetched,
            )
            handled(Event(kind, "1", type_, part, {}, fetched=answers))


@each_source
@quick
@given(body=PIECES)
def test_bytes_that_are_nothing_stop_the_door(kind: str, body: bytes) -> None:
    for media_type in sorted(SOURCES[kind].media_types):
        for content_type in (media_type, f"{media_type}; boundary=x", f"{media_type}; charset=utf-16"):
            try:
                payload = SOURCES[kind].read(body, content_type)
            except BadBody:
                continue
            named(Arrival(kind, {}, payload, hashlib.sha256(body).hexdigest()))
