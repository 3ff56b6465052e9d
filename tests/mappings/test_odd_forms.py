"""No submission of a form builder stops anything, whatever its shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mappings.commands import as_json
from mappings.errors import BadBody, CannotMap
from mappings.source import Arrival, Event
from mappings.sources import SOURCES
from tests.mappings.test_forms import KINDS, OURS, leaves, put
from tests.mappings.test_sources import arrival_of, json_values


def tried(arrival: Arrival) -> None:
    """Name and map `arrival`; nothing but commands and CannotMap may come of it."""
    source = SOURCES[arrival.source]
    naming = source.name(arrival)
    assert naming.dedup_key
    try:
        event = Event(
            arrival.source, "1", "submitted", arrival.payload, {}, naming.entity, None, arrival.options
        )
        for command in source.handlers["submitted"](event):
            as_json(command)
    except CannotMap:
        pass


ODD = json_values | st.sampled_from(
    ["", "[", '["a",1]', "||", "0", 10**400, -1, True, [], {}, [[]], {"": {}}]
)


@given(st.sampled_from(OURS), st.data())
def test_a_mutilated_submission_is_mapped_or_parked(body: Path, data: st.DataObject) -> None:
    """Otherwise one odd post is tried for ever, and those behind it wait."""
    arrival = arrival_of(body)
    paths = list(leaves(arrival.payload))
    for path in data.draw(st.lists(st.sampled_from(paths), max_size=3)):
        try:
            if data.draw(st.booleans()):
                put(arrival.payload, path, data.draw(ODD))
            else:
                put(arrival.payload, path, None)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has taken its place away
    tried(arrival)


@given(st.sampled_from(KINDS), ODD)
def test_a_payload_of_any_shape_is_mapped_or_parked(kind: str, payload: Any) -> None:
    """Otherwise a payload of an odd shape stops the worker."""
    tried(Arrival(kind, {}, payload, "digest"))
    keys = ("rawRequest", "namedValues", "fields", "form", "meta")
    tried(Arrival(kind, {}, dict.fromkeys(keys, payload) | {"id": "1", "form_id": "1"}, "digest"))


@given(
    st.sampled_from(KINDS), st.binary(max_size=60) | st.text('{}[]":,=&%\n1aé', max_size=40).map(str.encode)
)
def test_bytes_that_are_nothing_are_refused(kind: str, body: bytes) -> None:
    """Otherwise bytes that are nothing stop the door."""
    for media in SOURCES[kind].media_types:
        try:
            payload = SOURCES[kind].read(body, media)
        except BadBody:
            continue
        tried(Arrival(kind, {}, payload, "digest"))
