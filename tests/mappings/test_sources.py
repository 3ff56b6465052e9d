"""Every payload of every source means what was worked out by hand from the documents of its sender."""

from __future__ import annotations

import copy
import hashlib
import json
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.commands import as_json
from mappings.errors import CannotMap
from mappings.formats.html_text import text_of
from mappings.source import Arrival, Event
from mappings.sources import SOURCES

FIXTURES = Path(__file__).parent.parent / "fixtures" / "sources"
SIDE_FILES = (".headers.json", ".commands.json", ".options.json", ".fetched.json")
BODIES = sorted(p for p in FIXTURES.glob("*/*") if not p.name.endswith(SIDE_FILES))


def beside(body: Path, what: str) -> Any:
    """Return what the file beside `body` says: its headers, commands, options, what is fetched for it, if any."""
    path = body.with_suffix(f".{what}.json")
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal) if path.exists() else {}


def arrival_of(body: Path) -> Arrival:
    """Return the fixture as the door hands it over."""
    kind, raw, headers = body.parent.name, body.read_bytes(), beside(body, "headers")
    payload = SOURCES[kind].read(raw, headers["content-type"])
    return Arrival(kind, headers, payload, hashlib.sha256(raw).hexdigest(), beside(body, "options"))


def event_of(arrival: Arrival, fetched: Any = None) -> Event:
    """Return the arrival as the worker gets it back from the ledger, with the id `event-1`."""
    naming = SOURCES[arrival.source].name(arrival)
    return Event(
        source=arrival.source,
        id="event-1",
        type=naming.type,
        payload=arrival.payload,
        headers=arrival.headers,
        entity=naming.entity,
        version=naming.version,
        options=arrival.options,
        fetched=fetched or {},
    )


def recorded(name: str) -> Arrival:
    """Return the fixture with this path below the folder of fixtures."""
    return arrival_of(FIXTURES / name)


@pytest.mark.parametrize("body", BODIES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_payload_means_what_its_sender_documents(body: Path) -> None:
    """Otherwise a payload reaches the CRM with other values than its sender documents."""
    arrival = arrival_of(body)
    untouched = copy.deepcopy(arrival.payload)
    event = event_of(arrival, beside(body, "fetched"))
    assert event.type == body.stem.rsplit("__", 1)[0].replace("__", "/")
    handler = SOURCES[arrival.source].handlers[event.type]
    commands = list(handler(event))
    assert [as_json(command) for command in commands] == beside(body, "commands")
    assert list(handler(event)) == commands
    assert arrival.payload == untouched


@pytest.mark.parametrize("kind", SOURCES)
def test_each_handled_event_has_a_payload(kind: str) -> None:
    """Otherwise a handled event was never tried on a payload."""
    tried = {event_of(arrival_of(body)).type for body in BODIES if body.parent.name == kind}
    assert tried == set(SOURCES[kind].handlers)
    assert SOURCES[kind].type == kind
    assert not SOURCES[kind].ignored & tried


@pytest.mark.parametrize("first", BODIES, ids=lambda p: p.stem)
def test_different_events_have_different_keys(first: Path) -> None:
    """Otherwise two different events pass for one, and the second is lost."""
    naming = SOURCES[first.parent.name].name
    same = [b for b in BODIES if b.parent == first.parent]
    keys = [naming(arrival_of(b)).dedup_key for b in same]
    assert len(set(keys)) == len(keys)
    assert naming(arrival_of(first)).dedup_key in keys


def test_a_double_click_is_one_event() -> None:
    """Otherwise a double click makes two leads, because its boundary and captcha token differ."""
    arrival = recorded("form/submitted__multipart_with_file.txt")
    name = SOURCES["form"].name
    raw = (FIXTURES / "form/submitted__multipart_with_file.txt").read_bytes()
    other = raw.replace(b"----pageBoundary7d1f", b"----another")
    again = SOURCES["form"].read(other, "multipart/form-data; boundary=----another")
    again |= {"_ts": "1", "g-recaptcha-response": "token"}
    naming = name(replace(arrival, payload=again, body_digest="other"))
    assert naming == name(arrival)
    assert naming.window is not None
    assert naming.window.total_seconds() == 600
    short = name(replace(arrival, options={"dedup_window_seconds": 5})).window
    assert short is not None
    assert short.total_seconds() == 5


def test_a_form_that_says_nobody_is_parked() -> None:
    """Otherwise a form that says nobody becomes an empty lead."""
    payload = {"message": "hi", "topic": "b", "_x": "1"}
    arrival = replace(recorded("form/submitted__text_plain.txt"), payload=payload)
    with pytest.raises(CannotMap) as refusal:
        list(SOURCES["form"].handlers["submitted"](event_of(arrival)))
    assert "message, topic" in str(refusal.value)
    assert "hi" not in refusal.value.why


def test_a_field_that_the_owner_named_goes_before_a_guess() -> None:
    """Otherwise the name that the shop owner set loses against a guess."""
    payload = {"email": "guess@example.com", "contact[mail]": "x", "contact": {"mail": "set@example.com"}}
    arrival = replace(
        recorded("form/submitted__text_plain.txt"),
        payload=payload,
        options={"fields": {"email": "contact[mail]", "name": "absent"}},
    )
    (lead,) = SOURCES["form"].handlers["submitted"](event_of(arrival))
    assert as_json(lead)["person"]["email"] == "set@example.com"
    assert as_json(lead)["attributes"] == {"email": "guess@example.com", "contact[mail]": "x"}


@pytest.mark.parametrize(
    ("moment", "version"),
    [
        ("2026-03-02T09:15:02-05:00", "2026-03-02T14:15:02.000000Z 00"),
        ("2026-03-02T15:20:00+01:00", "2026-03-02T14:20:00.000000Z 00"),
        ("2024-08-07T22:49:09.417931715Z", "2024-08-07T22:49:09.417931Z 00"),
        ("2026-03-02T09:15:02", None),
        ("yesterday", None),
        (12, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_an_older_state_of_an_order_has_an_older_version(moment: Any, version: str | None) -> None:
    """Otherwise an older state of an order overwrites a newer one."""
    arrival = Arrival("shopify", {"x-shopify-topic": "orders/updated"}, {"id": 1, "updated_at": moment}, "d")
    assert SOURCES["shopify"].name(arrival).version == version


@pytest.mark.parametrize(
    ("payload", "entity"),
    [({"id": 2**53 + 1}, "order-9007199254740993"), ({"id": True}, None), ({"id": 1.5}, None), ([], None)],
)
def test_each_order_is_an_entity_of_its_own(payload: Any, entity: str | None) -> None:
    """Otherwise events of two orders queue behind each other."""
    naming = SOURCES["shopify"].name(Arrival("shopify", {"x-shopify-topic": "orders/paid"}, payload, "d"))
    assert naming.entity == entity


def test_a_test_notification_is_a_test() -> None:
    """Otherwise a test notification becomes a real order."""
    headers = {"x-shopify-topic": "orders/create"}
    assert SOURCES["shopify"].name(Arrival("shopify", headers, {"test": True}, "d")).test
    assert SOURCES["shopify"].name(Arrival("shopify", headers | {"x-shopify-test": "true"}, {}, "d")).test
    assert not SOURCES["shopify"].name(Arrival("shopify", headers, {"test": False}, "d")).test
    check = {"MessageID": "00000000-0000-0000-0000-000000000000"}
    assert SOURCES["postmark"].name(Arrival("postmark", {}, check, "d")).test


def test_a_webhook_without_a_topic_is_no_known_event() -> None:
    """Otherwise a webhook without a topic is taken for some known event."""
    naming = SOURCES["shopify"].name(Arrival("shopify", {}, {"id": 7}, "digest"))
    assert naming.type == "unknown"
    assert naming.dedup_key == "unknown:7:None:digest"
    assert naming.type not in SOURCES["shopify"].handlers


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ({"MessageID": " a-b "}, "a-b"),
        ({"Headers": [1, {"Name": "message-id", "Value": "<m@example.com>"}]}, "<m@example.com>"),
        ({"MessageID": 5, "Headers": "none"}, "digest"),
        (None, "digest"),
    ],
)
def test_an_email_that_is_posted_twice_is_one_event(payload: Any, key: str) -> None:
    """Otherwise an e-mail that is posted twice opens two tickets."""
    assert SOURCES["postmark"].name(Arrival("postmark", {}, payload, "digest")).dedup_key == key


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Order 1234 is late", "1234"),
        ("where is order no. 55501?", "55501"),
        ("Re: [#3101] late", "3101"),
        ("My #1 wish", ""),
        ("reorder 1234", ""),
    ],
)
def test_a_ticket_names_the_order_that_its_mail_names(subject: str, number: str) -> None:
    """Otherwise a ticket points to the wrong order."""
    payload = {"From": "a@example.com", "Subject": subject}
    (ticket,) = SOURCES["postmark"].handlers["inbound"](Event("mail", "1", "inbound", payload, {}))
    assert as_json(ticket)["order_number"] == number


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a&nbsp;&lt;b&gt;</p>\n<P class='x'>c<br/>d</P>", "a <b>\n\nc\nd"),
        ("<!--[if mso]><p>hidden</p><![endif]-->1 < 2<script>x</script>", "1 < 2"),
        ("<head><title>t</title>kept as no end is said<body>b", "kept as no end is saidb"),
        ("<a href='x", "<a href='x"),
    ],
)
def test_a_ticket_made_from_html_says_what_the_mail_says(html: str, text: str) -> None:
    """Otherwise a ticket made from HTML says something else than the mail."""
    assert text_of(html) == text


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--", "<![", "<script>", "</", "<", "&", "<a b='", "<br>", "<title "]
)
def test_a_hostile_mail_is_read_in_a_moment(piece: str) -> None:
    """Otherwise one hostile mail keeps a worker busy for hours."""
    before = time.thread_time()
    text_of(piece * 100_000)
    assert time.thread_time() - before < 5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
mail_keys = st.sampled_from(["From", "FromFull", "Subject", "HtmlBody", "Headers", "Attachments", "ReplyTo"])


@given(st.dictionaries(mail_keys | st.text(max_size=6), json_values | st.text("<!-[CDATA&#;/p >")))
def test_an_odd_payload_is_mapped_or_parked(payload: dict[str, Any]) -> None:
    """Otherwise an odd payload stops the worker."""
    for kind, event_type in (("postmark", "inbound"), ("form", "submitted"), ("shopify", "customers/create")):
        source = SOURCES[kind]
        source.name(Arrival(kind, {"x-shopify-topic": event_type}, payload, "digest"))
        try:
            for command in source.handlers[event_type](Event(kind, "1", event_type, payload, {})):
                as_json(command)
        except CannotMap:
            continue
