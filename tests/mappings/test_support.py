"""Inboxes and help desks: order, redelivery, look-alikes, and payloads that no sender has ever sent."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_sources import BODIES, FIXTURES, arrival_of, beside, event_of, json_values, recorded

from mappings.commands import OpenTicket, TicketStatus, as_json
from mappings.errors import BadBody, CannotMap
from mappings.families.help_desk import headline, plain, status_of
from mappings.families.mail import readable
from mappings.source import Arrival, Event
from mappings.sources import SOURCES

KINDS = ("crisp", "freshdesk", "intercom", "mailgun", "postmark", "sendgrid", "zendesk")
OURS = [body for body in BODIES if body.parent.name in KINDS]


def ticket(event: Event) -> OpenTicket:
    """Return the one ticket that the event opens."""
    (found,) = SOURCES[event.source].handlers[event.type](event)
    assert isinstance(found, OpenTicket)
    return found


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("zendesk/ticket.created__requester_is_an_id", "zendesk/ticket.status_changed__solved"),
        (
            "intercom/conversation.user.replied__without_a_token",
            "intercom/conversation.admin.closed__close_without_words",
        ),
        ("intercom/ticket.created__contact_is_an_id", "intercom/ticket.admin.replied__note_stays_inside"),
        ("crisp/message:send__visitor_is_in_the_api", "crisp/session:set_state__resolved_with_a_file"),
        ("intercom/contact.lead.created__empty_email", "intercom/contact.lead.added_email__unsubscribed"),
    ],
)
def test_an_older_state_that_comes_late_is_older(older: str, newer: str) -> None:
    """Otherwise a solved ticket is opened again by a message that was on its way for longer."""
    first, last = (SOURCES[a.source].name(a) for a in (recorded(f"{older}.json"), recorded(f"{newer}.json")))
    assert first.entity == last.entity is not None
    assert first.version is not None
    assert last.version is not None
    assert first.version < last.version


@pytest.mark.parametrize("body", OURS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_second_try_is_the_same_event(body: Any) -> None:
    """Otherwise a slow answer of ours opens a second ticket."""
    arrival = arrival_of(body)
    name = SOURCES[arrival.source].name
    again = replace(arrival_of(body), headers={**arrival.headers, "x-attempt": "2"})
    assert name(again) == name(arrival)


def test_another_delivery_of_an_intercom_notification_is_the_same_event() -> None:
    """Otherwise each attempt at delivery is a comment."""
    arrival = recorded("intercom/conversation.user.replied__without_a_token.json")
    again = replace(arrival, payload={**arrival.payload, "delivery_attempts": 2}, body_digest="another")
    assert SOURCES["intercom"].name(again) == SOURCES["intercom"].name(arrival)


def test_a_spam_score_that_differs_makes_no_second_mail() -> None:
    """Otherwise a second try by another machine of SendGrid opens a second ticket."""
    arrival = recorded("sendgrid/inbound__latin1_with_attachment.txt")
    again = replace(arrival, payload={**arrival.payload, "spam_score": "0.4"}, body_digest="another")
    assert SOURCES["sendgrid"].name(again) == SOURCES["sendgrid"].name(arrival)


@pytest.mark.parametrize("change", [{"changed_at": "2026-03-02T10:00:01Z"}, {"state": "Open"}, {"id": "72"}])
def test_two_calls_of_a_rule_that_differ_a_little_are_two_events(change: dict[str, str]) -> None:
    """Otherwise the second change of a ticket in one minute is lost."""
    arrival = recorded("freshdesk/ticket__advanced_content.json")
    other = replace(arrival, payload=arrival.payload | change)
    naming = SOURCES["freshdesk"].name(arrival)
    assert SOURCES["freshdesk"].name(other).dedup_key != naming.dedup_key
    assert naming.window is None


def test_a_body_without_a_time_is_the_same_event_for_longer_than_freshdesk_tries() -> None:
    """Otherwise its third try, after 95 minutes, opens a second ticket."""
    window = SOURCES["freshdesk"].name(recorded("freshdesk/ticket__simple_content.json")).window
    assert window is not None
    assert window.total_seconds() > 95 * 60


@pytest.mark.parametrize(
    ("fixture", "path"),
    [
        ("zendesk/ticket.created__requester_is_an_id.json", "detail.requester_id"),
        ("intercom/ticket.created__contact_is_an_id.json", "data.item.contacts"),
        ("crisp/message:send__visitor_is_in_the_api.json", "messages.data"),
    ],
)
def test_an_event_that_nothing_was_fetched_for_says_what_it_lacks(fixture: str, path: str) -> None:
    """Otherwise a ticket of nobody comes into the CRM, or the operator does not learn which key is missing."""
    with pytest.raises(CannotMap) as refusal:
        ticket(event_of(recorded(fixture)))
    assert refusal.value.path == path


def fetched_paths(event: Event) -> list[str]:
    """Return the paths that a thin event asks for."""
    fetches = SOURCES[event.source].fetches
    return [fetch.path for fetch in fetches(event)] if fetches else []


def test_thin_events_ask_for_what_they_lack() -> None:
    """Otherwise they never say who asks."""
    thin = event_of(recorded("zendesk/ticket.created__requester_is_an_id.json"))
    assert fetched_paths(thin) == ["users/900777.json", "tickets/3501/comments.json"]
    assert fetched_paths(event_of(recorded("zendesk/trigger__body_of_an_administrator.json"))) == []
    beside_part = event_of(recorded("intercom/ticket.contact.replied__beside_its_part.json"))
    assert fetched_paths(beside_part) == ["tickets/80021", "contacts/65e2f0bb"]
    assert fetched_paths(event_of(recorded("intercom/contact.lead.created__empty_email.json"))) == []


@pytest.mark.parametrize(
    "evil", ["../../admin", "1/../2", "1?x=", "1#", "", "１", "9" * 99, True, 1.5, None, ["1"]]
)
def test_an_id_that_is_none_goes_into_no_path(evil: Any) -> None:
    """Otherwise who writes events reads what he likes with our token."""
    zendesk = {"type": "zen:event-type:ticket.created", "detail": {"id": evil, "requester_id": evil}}
    assert fetched_paths(Event("zendesk", "1", "ticket.created", zendesk, {})) == []
    contacts = {"contacts": [{"id": evil}]}
    intercom = {"topic": "ticket.created", "data": {"item": {"id": evil, "contacts": contacts}}}
    assert fetched_paths(Event("intercom", "1", "ticket.created", intercom, {})) == []
    crisp = {"event": "message:send", "data": {"website_id": evil, "session_id": evil}}
    assert fetched_paths(Event("crisp", "1", "message:send", crisp, {})) == []


@pytest.mark.parametrize(
    ("kind", "payload", "path"),
    [
        ("mailgun", {"body-mime": "From: x", "from": "a@example.com"}, "body-mime"),
        ("sendgrid", {"email": "From: x", "from": "a@example.com"}, "email"),
        ("mailgun", {"subject": "x"}, "from"),
        ("sendgrid", {"subject": "x"}, "from"),
    ],
)
def test_a_mail_that_cannot_be_read_says_which_setting_is_wrong(
    kind: str, payload: dict[str, str], path: str
) -> None:
    """Otherwise an empty ticket is opened, and nobody learns why."""
    with pytest.raises(CannotMap) as refusal:
        ticket(Event(kind, "1", "inbound", payload, {}))
    assert refusal.value.path == path


def test_a_mail_that_is_no_multipart_is_refused() -> None:
    """Otherwise its bytes are taken for something that they are not."""
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=other", "text/plain"):
        with pytest.raises(BadBody):
            SOURCES["sendgrid"].read(b"--b\r\n\r\nx\r\n--b--", content_type)


def test_a_charset_that_is_none_falls_back_to_utf_8() -> None:
    """Otherwise a label from outside makes Python load a codec that is no charset."""
    raw = (FIXTURES / "sendgrid/inbound__same_message_id_other_text.txt").read_bytes()
    for label in (b"idna-8", b"rot13", b"zip-5"):
        read = SOURCES["sendgrid"].read(
            raw.replace(b'"utf-8"', b'"' + label + b'"'), "multipart/form-data; boundary=sg-part-41aa"
        )
        assert read["subject"] == "Où est ma commande ?"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW", "open"),
        ("Waiting on Customer", "pending"),
        ("on-hold", "pending"),
        ("closed", "solved"),
        ("x", None),
    ],
)
def test_a_word_for_where_it_stands_is_understood(word: str, status: str | None) -> None:
    """Otherwise a solved ticket stays open in the CRM."""
    assert status_of(word) == (TicketStatus(status) if status else None)


def test_text_is_not_taken_for_html() -> None:
    """Otherwise the lines of a request run together."""
    assert plain("a < b\nc > d") == "a < b\nc > d"
    assert plain("<p>a</p><p>b</p>") == "a\n\nb"
    assert headline("word " * 30 + "\nmore") == "word " * 15 + "word …"
    assert headline(" ") == "(no subject)"


def handled(source: str, payload: Any, fetched: Any) -> None:
    """Read, name and map, as the door and the worker do; only CannotMap may come out."""
    kind = SOURCES[source]
    arrival = Arrival(source, {}, payload, "digest", {})
    named = event_of(arrival, fetched)
    for event in {named.type, *list(kind.handlers)[:2]} & set(kind.handlers):
        seen = replace(named, type=event)
        paths = fetched_paths(seen)
        assert all(".." not in path for path in paths)
        try:
            for command in kind.handlers[event](seen):
                as_json(command)
        except CannotMap:
            continue


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    """Return the path of each value in a payload."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a payload with another value at `path`, or none where `new` is Ellipsis."""
    if not path:
        return {} if new is ... else new
    made = copy.copy(value)
    if len(path) == 1 and new is ...:
        del made[path[0]]
    else:
        made[path[0]] = changed(value[path[0]], path[1:], new)
    return made


odd = json_values | st.sampled_from([..., "", "9" * 400, 10**400, -1, "\ufffd", "<a ", [], {}])


@pytest.mark.parametrize("body", OURS, ids=lambda p: f"{p.parent.name}/{p.stem}")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutilated_payload_is_parked_and_not_a_crash(body: Any, data: st.DataObject) -> None:
    """Otherwise one odd payload is tried for days, and every later one of the same ticket waits for it."""
    parts = {"payload": arrival_of(body).payload, "fetched": beside(body, "fetched")}
    where = data.draw(st.sampled_from([path for path in places(parts) if len(path) > 1]))
    made = changed(parts, where, data.draw(odd))
    handled(body.parent.name, made.get("payload", {}), made.get("fetched", {}))


@pytest.mark.parametrize("kind", KINDS)
@given(payload=json_values, fetched=json_values)
def test_any_json_is_parked_and_not_a_crash(kind: str, payload: Any, fetched: Any) -> None:
    """Otherwise whoever knows the address stops the worker."""
    answers = dict.fromkeys(("requester", "comments", "item", "contact", "conversation", "messages"), fetched)
    handled(kind, payload, answers)


@pytest.mark.parametrize(
    ("header", "letters"),
    [
        ("=?UTF-8?B?TMOq?= =?UTF-8?Q?_Lan?=", "Lê Lan"),
        ("Nguyễn =?UTF-8?B?TMOq?=", "Nguyễn =?UTF-8?B?TMOq?="),
        ("=?no-such-charset?B?TMOq?=", "=?no-such-charset?B?TMOq?="),
        ("=?UTF-8?Q?a=0D=0ABcc:_b=00c?=", "a Bcc: b c"),
        ("=?UTF-8?B?7aCA?=", "=?UTF-8?B?7aCA?="),
    ],
)
def test_a_customer_is_called_by_the_code_that_the_mail_hid_the_name_in(header: str, letters: str) -> None:
    """Mailgun and SendGrid hand some headers on as the mail has them (RFC 2047)."""
    assert readable(header) == letters


def test_what_bears_one_of_our_names_and_is_not_meant_is_lost() -> None:
    """A rule's author may write both `state` and `status`: the second is not ours, and not nothing."""
    body = {"id": "7", "email": "a@example.com", "state": "open", "status": "escalated", "comment": "Hello"}
    arrival = Arrival("zendesk", {}, body, "digest", {"fields": {"status": "state"}})
    found = ticket(event_of(arrival))
    assert found.status == TicketStatus.OPEN
    assert found.attributes == {"other_status": "escalated"}
    assert [comment.text for comment in found.comments] == ["Hello"]


@pytest.mark.parametrize(
    "body",
    [
        {"ticket": {"id": 7, "title": "Help", "requester": {"email": "a@example.com"}}},
        {"ticket.id": 7, "ticket.title": "Help", "ticket.requester.email": "a@example.com"},
        {"Ticket_ID": "7", "Ticket_Title": "Help", "Requester_Email": "a@example.com"},
        {"id": "7", "title": "Help", "requester": {"email": "a@example.com"}},
    ],
)
def test_a_trigger_that_is_written_like_its_placeholders_is_parked(body: dict[str, Any]) -> None:
    arrival = Arrival("zendesk", {}, body, "digest")
    found = ticket(event_of(arrival))
    assert (found.key, found.subject, found.requester.email) == ("zendesk-ticket-7", "Help", "a@example.com")
    assert found.attributes == {}


def test_the_requester_is_named_by_a_field_that_merely_looks_like_it() -> None:
    """A word as it is written goes before one that is only alike."""
    body = {
        "id": "7",
        "ticket": {"id": "8"},
        "email": "a@example.com",
        "requester": {"email": "b@example.com"},
    }
    found = ticket(event_of(Arrival("freshdesk", {}, body, "digest")))
    assert (found.key, found.requester.email) == ("freshdesk-ticket-7", "a@example.com")
    assert found.attributes == {"ticket.id": "8", "requester.email": "b@example.com"}
