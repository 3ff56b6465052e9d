"""A person is forgotten: nothing of them is left in the ledger, and nothing is made twice because of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from mappings.reading.person_search import sought
from mappings.source import Naming
from tests.conftest import Clock
from tests.engine.harness import Bench, benched
from tests.engine.jobs import EMAIL, FORM, ORDER, URLENCODED, VENDOR_OF
from tests.stolen import is_in, on_disk
from worker.errors import Unmappable
from worker.ledger import intake, persons, search
from worker.ledger.audits import note
from worker.ledger.database import Database
from worker.ledger.new_events import NewEvent
from worker.ledger.stored_event import stored_event
from worker.ledger.tables import State, audit, deliveries, events, links
from worker.ledger.traces import sweep_traces
from worker.ledger.verdicts import Verdict
from worker.planning import commands
from worker.privacy import forgetting
from worker.privacy.forgetting import Erased, Found, erase, find

ANA = sought(["Ana@Example.com"], [])
LAN = sought(["lan@example.com"], [])


@pytest.fixture
def bench(clock: Clock, db: Database, tmp_path: Path) -> Iterator[Bench]:
    with benched(clock, db, tmp_path) as bench:
        yield bench


def order(bench: Bench, to: str, number: int = 5001, topic: str = "orders/create", **changes: Any) -> str:
    body = {**ORDER, "id": number, "name": f"#{number}", **changes}
    return bench.receive("shop", json.dumps(body).encode(), headers={"x-shopify-topic": topic}, to=to)


def found(bench: Bench, who: Any) -> Found:
    return find(bench.engine.settings, bench.engine.db, who, lambda _: None)


def forget(bench: Bench, who: Any) -> tuple[Found, Erased]:
    there = found(bench, who)
    done = erase(bench.engine.db, there, bench.clock, "operator")
    assert sweep_traces(bench.engine.db)
    return there, done


def left(bench: Bench, *words: str) -> list[str]:
    stolen = on_disk(bench.engine.db)
    return [word for word in words if is_in(stolen, word)]


@pytest.mark.parametrize("to", VENDOR_OF)
def test_nothing_is_left_and_nothing_is_made_twice(bench: Bench, to: str) -> None:
    """Otherwise the address survives in a key, or their next order makes a second customer."""
    other = bench.receive("website", FORM, URLENCODED, to=to)
    bench.until_ended(order(bench, to), other)
    before = bench.counts(VENDOR_OF[to])
    assert left(bench, "ana@example.com", "lan%40example.com") == ["ana@example.com", "lan%40example.com"]

    there, done = forget(bench, ANA)
    assert (len(there.events), done.events, done.in_flight) == (1, 1, [])
    assert {connection for connection, _, _ in there.records} == {to}
    assert all(record_id for _, _, record_id in there.records)
    # The other one's lead is still there, as it came.
    assert left(bench, "ana@example.com", "Garcia", "lan%40example.com") == ["lan%40example.com"]
    assert found(bench, ANA).is_empty, "once is enough"

    # A late change of the same order finds its record; a new order of hers finds her account.
    bench.until_ended(order(bench, to, topic="orders/paid", financial_status="paid"))
    assert bench.counts(VENDOR_OF[to]) == before
    bench.until_ended(order(bench, to, 5002))
    after = bench.counts(VENDOR_OF[to])
    shared = {"account", "contact", "company", "customer", "person", "product", "item", "invoice_item"}
    assert {kind: after[kind] for kind in after if kind in shared} == {
        kind: before[kind] for kind in before if kind in shared
    }


def test_the_records_that_stay_in_the_crm_are_named(bench: Bench) -> None:
    """Otherwise the operator does not know what to erase there."""
    delivery = order(bench, "opla")
    (row,) = bench.until_ended(delivery)
    there = found(bench, ANA)
    assert ("opla", "opportunity", row["record_id"]) in there.records
    assert {kind for _, kind, _ in there.records} == {"account", "contact", "opportunity"}


MAIL = EmailMessage()
MAIL.set_content("My other address is lan@example.com.", cte="base64")
BODIES: dict[str, tuple[str, bytes, str]] = {
    "urlencoded": ("website", b"name=x&message=lan%40example.com", URLENCODED),
    "multipart": (
        "website",
        b'--b\r\nContent-Disposition: form-data; name="m"\r\n\r\nLAN@example.com\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "JSON escapes": ("website", b'{"name": "x", "mail": "lan\\u0040example.com"}', "application/json"),
    "text/plain": ("website", b"name=x\r\nmail=Lan@Example.Com\r\n", "text/plain"),
    "a mail in base64": (
        "inbox",
        json.dumps({**EMAIL, "RawEmail": MAIL.as_string()}).encode(),
        "application/json",
    ),
    "an attachment in base64": (
        "inbox",
        json.dumps(
            {**EMAIL, "Attachments": [{"Content": base64.b64encode(b"I: lan@example.com").decode()}]}
        ).encode(),
        "application/json",
    ),
    "what its source cannot read": ("shop", b'{"mail": "lan%40example.com"', "application/json"),
    "a source that is gone": ("gone", b'{"mail": "lan@example.com"}', "application/json"),
}


@pytest.mark.parametrize(("source", "body", "content_type"), BODIES.values(), ids=BODIES)
def test_every_body_is_read(bench: Bench, source: str, body: bytes, content_type: str) -> None:
    """Otherwise somebody is told that nothing is kept of them, and a form of theirs is."""
    event = NewEvent(source, Naming("t", "k"), Verdict.ROUTED, content_type, {}, body, [])
    stored = intake.store(bench.engine.db, event, bench.clock())
    there, done = forget(bench, LAN)
    assert [one.id for one in there.events] == [stored.event_id]
    assert done.events == 1
    with bench.engine.db.read() as c:
        assert c.execute(select(events.c.body)).scalar_one() == b""


def test_every_place_is_looked_at(bench: Bench) -> None:
    """Otherwise the address stays in a header, or in what was fetched."""
    db, now = bench.engine.db, bench.clock()
    places = {
        "headers": {"headers": '{"x-mail": "lan@example.com"}'},
        "fetched": {"fetched": '["lan@example.com"]'},
    }
    for name, values in places.items():
        event = NewEvent("website", Naming("t", name), Verdict.ROUTED, URLENCODED, {}, b"a=b", ["opla"])
        stored = intake.store(db, event, now)
        with db.write() as c:
            c.execute(update(events).where(events.c.id == stored.event_id).values(values))
    for name in ("reason", "field_ledger"):
        event = NewEvent("website", Naming("t", name), Verdict.ROUTED, URLENCODED, {}, b"a=b", ["opla"])
        ((_, delivery),) = intake.store(db, event, now).deliveries
        with db.write() as c:
            told = {name: '"lan@example.com"', "state": State.FAILED}
            c.execute(update(deliveries).where(deliveries.c.id == delivery).values(told))
    there, _ = forget(bench, LAN)
    assert sorted(one.where for one in there.events) == [("fetched",), ("fields",), ("headers",), ("reason",)]
    assert left(bench, "lan@example.com") == []


def test_a_key_that_is_the_address_still_tells_a_repetition(bench: Bench) -> None:
    """Otherwise a sender that names its events by address makes a second lead after the first is forgotten."""
    db = bench.engine.db
    naming = Naming("t", "lan@example.com", entity="lan@example.com")
    event = NewEvent("website", naming, Verdict.ROUTED, URLENCODED, {}, FORM, ["opla"])
    first = intake.store(db, event, bench.clock())
    bench.clock.forward(seconds=1)
    forget(bench, LAN)
    assert left(bench, "lan@example.com") == []
    again = intake.store(db, event, bench.clock())
    assert (again.duplicate, again.event_id) == (True, first.event_id)


def test_what_is_about_the_same_order_goes_too(bench: Bench) -> None:
    """Otherwise the order's later events, which name nobody, still say what somebody bought."""
    bare: dict[str, Any] = {"email": None, "customer": None, "note": "For the birthday of Ana Garcia"}
    ids = [
        order(bench, "opla"),
        order(bench, "opla", topic="orders/updated", updated_at="2026-03-02T11:00:00Z", **bare),
    ]
    bench.until_ended(*ids)
    there, done = forget(bench, ANA)
    assert [one.where for one in there.events] == [("body", "steps"), ("same entity",)]
    assert done.events == 2
    assert left(bench, "birthday") == []


def test_what_waits_is_not_delivered_any_more(bench: Bench) -> None:
    """Otherwise somebody is forgotten here, and appears in the CRM a minute later."""
    delivery = order(bench, "opla")
    _, done = forget(bench, ANA)
    assert done.events == 1
    assert bench.attempt(delivery) is None
    assert bench.show(delivery)["state"] == State.SKIPPED
    assert bench.counts("oplacrm") == {}
    assert not search.release(bench.engine.db, delivery, "lan", bench.clock())
    with bench.engine.db.read() as c:
        event = stored_event(c.execute(select(events)).one())
    with pytest.raises(Exception, match="was purged") as told:
        commands(bench.engine.settings, event)
    assert not isinstance(told.value, Unmappable), "the mapping's own word"


def test_what_is_in_flight_is_left_and_told(bench: Bench) -> None:
    """Otherwise a payload is erased under the hands of a worker, and nobody knows what became of its call."""
    delivery = order(bench, "opla")
    bench.hold_lease_of(delivery)
    there, done = forget(bench, ANA)
    assert (done.events, done.in_flight) == (0, [there.events[0].id])
    assert left(bench, "ana@example.com") == ["ana@example.com"]
    bench.clock.forward(seconds=31)  # the worker was dead
    _, done = forget(bench, ANA)
    assert (done.events, done.in_flight) == (1, [])
    assert bench.show(delivery)["state"] == State.SKIPPED


def test_a_record_in_doubt_is_told(bench: Bench) -> None:
    """Otherwise the operator looks for everything but the record that a lost answer has left in the CRM."""
    delivery = bench.receive("website", FORM, URLENCODED)
    bench.kill_during(delivery, "lead_create")
    there, _ = forget(bench, LAN)
    assert list(there.records) == [("opla", "lead", None)]


def test_the_audit_says_that_and_not_whom(bench: Bench) -> None:
    """Otherwise the proof that somebody was forgotten remembers them."""
    order(bench, "opla")
    with bench.engine.db.write() as c:
        note(c, bench.clock() - timedelta(1), "operator", "release", "the order of ana@example.com")
    forget(bench, ANA)
    with bench.engine.db.read() as c:
        rows = c.execute(select(audit.c.action, audit.c.subject).order_by(audit.c.at)).all()
    assert [tuple(row) for row in rows] == [
        ("release", "forgotten"),
        ("forget", "a person: 1 events, 0 links"),
    ]


def test_who_is_forgotten_twice_leaves_nothing(bench: Bench) -> None:
    """Otherwise the second time fails at the digest of the first."""
    for number in (5001, 5002):
        bench.until_ended(order(bench, "centia", number))
        there, _ = forget(bench, ANA)
        assert there.links
        assert left(bench, "ana@example.com") == []
    assert bench.counts("centiacrm")["company"] == 1


def test_a_large_ledger_is_read_page_by_page(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a ledger of a million events does not fit into memory, or whoever stands on page two is kept."""
    for name in ("PAGE", "KEYS"):
        monkeypatch.setattr(persons, name, 2)
    monkeypatch.setattr(forgetting, "BATCH", 2)
    db, now = bench.engine.db, bench.clock()
    for number in range(7):
        mail = b"lan@example.com" if number != 3 else b"minh@example.com"
        intake.store(
            db,
            NewEvent(
                "website", Naming("t", f"k{number}"), Verdict.ROUTED, "text/plain", {}, b"m=" + mail, []
            ),
            now,
        )
        with db.write() as c:
            key = f"hook-{number}" if number in (2, 4) else f"{number}.cont-lan@example.com"
            c.execute(
                insert(links).values(connection="opla", kind="lead", key=key, record_id="1", updated_at=now)
            )
            note(c, now, "operator", "release", f"{number} lan@example.com")
    looked_at: list[int] = []
    there = find(bench.engine.settings, db, LAN, looked_at.append)
    assert (len(there.events), len(there.links), len(there.audits), sum(looked_at)) == (6, 5, 7, 7)
    done = erase(db, there, bench.clock, "operator")
    assert (done.events, done.links) == (6, 5)
    assert sweep_traces(db)
    assert left(bench, "lan@example.com", "minh@example.com") == ["minh@example.com"]
