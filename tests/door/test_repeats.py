"""Senders that write into each repetition which one it is: only counted, unless it says something else as well."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from door_requests import Kept
from every_sender import every_source

from mappings.reading.repeats import substance
from mappings.sources import SOURCES
from tests.conftest import Clock
from webhooks.app import create_app
from webhooks.forms import Guards
from webhooks.receiver import Receiver
from worker.app import make_app
from worker.ledger import search
from worker.ledger.database import Database
from worker.ledger.intake import Intake
from worker.publisher import Publisher

HUBSPOT = (
    '[{"eventId":1,"subscriptionId":33,"portalId":44,"occurredAt":1772445600000,'
    '"subscriptionType":"contact.propertyChange","attemptNumber":%s,"objectId":7,"propertyName":"email",'
    '"propertyValue":"lan@example.com","changeSource":"%s"}]'
)
STRIPE = (
    '{"id":"evt_1","object":"event","created":1772445600,"livemode":true,"pending_webhooks":%s,'
    '"type":"invoice.paid","data":{"object":{"id":"in_1","object":"invoice","total":1250,"number":"%s"}}}'
)
INTERCOM = (
    '{"type":"notification_event","id":"notif_1","topic":"contact.lead.created","created_at":1772445600,'
    '"delivery_status":"pending","delivery_attempts":%s,"delivered_at":0,"first_sent_at":1772445601,'
    '"data":{"item":{"type":"contact","id":"65e2f0cc","name":"%s"}}}'
)
MERCADO_LIBRE = (
    '{"_id":"f9f08571-1f65-4c46-9e0a-c0f43faas1557e","resource":"/orders/2000003692581800","user_id":468424240,'
    '"topic":"orders_v2","application_id":5503910054141466,"attempts":%s,"sent":"2026-03-03T08:00:01.000Z",'
    '"received":"2026-03-03T08:00:00.900Z","note":"%s"}'
)
META = (
    '{"object":"page","entry":[{"id":"1","time":%s,"changes":[{"field":"leadgen",'
    '"value":{"leadgen_id":"445566","page_id":"1","created_time":1772441000,"form_id":"%s"}}]}]}'
)
TYPEFORM = (
    '{"event_id":"01H%s","event_type":"form_response","form_response":{"form_id":"lT4Z3j","token":"a3a12ec67a",'
    '"submitted_at":"2026-03-02T10:00:00Z","answers":[{"type":"text","text":"%s","field":{"id":"1"}}]}}'
)
#: By sender: a body, what stands in it for the first post and for its repetition, then for one that says more.
BODIES = {
    "hubspot": (HUBSPOT, ("0", "CRM_UI"), ("1", "CRM_UI"), ("2", "FORM")),
    "stripe": (STRIPE, ("2", "A-1"), ("1", "A-1"), ("0", "A-2")),
    "intercom": (INTERCOM, ("1", "Lan"), ("2", "Lan"), ("3", "Mai")),
    "mercado_libre": (MERCADO_LIBRE, ("1", "a"), ("2", "a"), ("3", "b")),
    "meta_lead_ads": (META, ("1772441000", "9"), ("1772441600", "9"), ("1772442200", "8")),
    "typeform": (TYPEFORM, ("A", "Lan"), ("B", "Lan"), ("C", "Mai")),
}


def door(kind: str, db: Database, clock: Clock) -> Any:
    """Return a client of a door that knows one source, which lets anybody in."""
    known = next(source for source in every_source().sources.values() if source.type == kind)
    bare = replace(known, name=kind, secrets=(), tokens=(), addresses=None, unprotected=True, options={})
    settings = replace(every_source(), sources={kind: bare}, routes=())
    publisher = Publisher(make_app(settings), settings.connections)
    receiver = Receiver(settings, db, Intake(db), Kept(), clock, Guards())
    return create_app(receiver, publisher).test_client()


@pytest.mark.parametrize("kind", BODIES)
def test_a_repetition_that_only_says_which_one_it_is_is_counted(
    kind: str, db: Database, clock: Clock
) -> None:
    """Otherwise each retry of a sender is a "duplicate that differs", and hides the one that does."""
    body, first, again, other = BODIES[kind]
    sender = door(kind, db, clock)

    def post(said: tuple[str, str]) -> list[dict[str, Any]]:
        clock.forward(seconds=1)
        answer = sender.post(f"/webhooks/{kind}", data=body % said, content_type="application/json")
        assert answer.status_code == 200
        return [dict(one) for one in search.list_events(db)]

    post(first)
    (event,) = post(again)
    assert (event["repeats"], event["verdict"]) == (1, "unrouted")
    kept, event = post(other)
    assert (kept["verdict"], kept["duplicate_of"], event["repeats"]) == ("duplicate", event["id"], 2)
    kept, event = post(("7", other[1]))
    assert (kept["repeats"], event["repeats"]) == (1, 3), "what was kept is counted in the same way"


def test_a_source_names_no_field_that_its_fixtures_lack() -> None:
    """Otherwise a misspelt name sets nothing aside, or a field of an event that looks like one of its post."""
    named = {kind: source.varies for kind, source in SOURCES.items() if source.varies}
    assert set(named) == set(BODIES)
    for kind, varies in named.items():
        part = json.loads(BODIES[kind][0] % BODIES[kind][1])
        part = part[0] if isinstance(part, list) else part
        for path in varies:
            whole = json.dumps(part).encode()
            assert substance(whole, frozenset({path})) != substance(whole, frozenset({"no such"})), path


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (b'{"n":1,"try":1}', b'{ "try": 2, "n": 1 }', True),
        (b'{"n":1.0,"try":1}', b'{"n":1.00,"try":1}', False),
        (b'{"n":9007199254740993}', b'{"n":9007199254740992}', False),
        (b'{"n":{"try":1}}', b'{"n":{"try":2}}', False),
        (b"try=1", b"try=2", False),
        (b"[1]", b"[2]", False),
    ],
)
def test_only_what_is_named_is_set_aside(one: bytes, other: bytes, is_same: bool) -> None:
    """Otherwise an order that differs in a digit, or in a field of the same name elsewhere, is thrown away."""
    assert (substance(one, frozenset({"try"})) == substance(other, frozenset({"try"}))) is is_same


def test_where_nothing_is_named_every_byte_counts() -> None:
    """Otherwise what a sender meant by another spelling is decided by us."""
    assert substance(b'{"n":1}', frozenset()) != substance(b'{"n": 1}', frozenset())
