"""Crisp. Special: a hook holds one message and no address, so the conversation is read from the API.

A conversation is one ticket: what its visitor said first is the request, all later messages are its comments.
Times are epoch milliseconds.
Facts: docs.crisp.chat, "Web Hooks Reference (V1)", "REST API Reference (V1)" and "Authentication".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.bodies import read_object
from mappings.commands import Attachment, Comment, OpenTicket, Person
from mappings.crisp_payload import ConversationAnswer, MessagesAnswer
from mappings.errors import CannotMap
from mappings.help_desk import headline, moment_of, padded, status_of
from mappings.mail import order_number_in
from mappings.payloads import load
from mappings.phones import to_e164
from mappings.protection import Hmac
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source

#: Its words for a conversation: pending is one that nobody has answered yet.
STATES = {"pending": "open", "unresolved": "open", "resolved": "solved"}
HANDLED = ("message:send", "message:received", "session:set_state")
IGNORED = frozenset(
    """
    message:acknowledge:delivered message:acknowledge:ignored message:acknowledge:read:received
    message:acknowledge:read:send message:compose:receive message:compose:send message:notify:unread:receive
    message:notify:unread:send message:removed message:updated
    people:bind:session people:profile:created people:profile:removed people:profile:updated
    people:sync:profile session:error session:removed session:request:initiated session:set_address
    session:set_avatar session:set_block session:set_data session:set_device session:set_email
    session:set_hold session:set_inbox session:set_mentions session:set_nickname session:set_opened
    session:set_participants session:set_phone session:set_referrer session:set_routing session:set_segments
    session:set_subject session:set_verify session:sync:capabilities session:sync:events session:sync:geolocation
    session:sync:locales session:sync:network session:sync:pages session:sync:rating session:sync:system
    session:sync:topic session:sync:verify
    """.split()
)
_ID = re.compile(r"[\w-]{1,80}", re.ASCII)


def name_event(arrival: Arrival) -> Naming:
    """Name a message by its session and its fingerprint, another event by its session and time."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    what, session, moment = (
        payload.get("event"),
        _told(payload, "session_id"),
        padded(payload.get("timestamp")),
    )
    type_ = what[:100] if isinstance(what, str) and what else "unknown"
    told = moment
    if type_ in ("message:send", "message:received"):
        told = padded(_data(payload).get("fingerprint")) or moment
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{session}:{told}" if session and told else arrival.body_digest,
        entity=session or None,
        version=moment,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the conversation, which knows the visitor, and for what was said in it."""
    website, session = _told(event.payload, "website_id"), _told(event.payload, "session_id")
    if website and session:
        yield Fetch("conversation", f"website/{website}/conversation/{session}")
        yield Fetch("messages", f"website/{website}/conversation/{session}/messages")


def _data(payload: Any) -> Mapping[str, Any]:
    data = payload.get("data") if isinstance(payload, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _told(payload: Any, name: str) -> str:
    value = _data(payload).get(name) or (payload.get(name) if isinstance(payload, Mapping) else None)
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn the conversation into a ticket as it stands; raises CannotMap where it has nobody or nothing in it."""
    talk = load(ConversationAnswer, event.fetched.get("conversation") or {})["data"]
    said = [
        m for m in load(MessagesAnswer, event.fetched.get("messages") or {})["data"] if m["kind"] != "note"
    ]
    if not said:
        raise CannotMap("messages.data", "nothing was said in this conversation")
    texts = [
        m for m in said if m["kind"] == "text" and isinstance(m["content"], str) and m["content"].strip()
    ]
    first = next((m for m in texts if m["sent_by"] == "user"), texts[0] if texts else None)
    description = first["content"].strip() if first else ""
    subject, opened = talk["meta"]["subject"], talk["created_at"]
    attributes = {
        "opened_at": moment_of(opened // 1000) if isinstance(opened, int) else "",
        "segments": ", ".join(filter(None, talk["meta"]["segments"])),
    }
    yield OpenTicket(
        key=event.key,
        subject=subject or headline(description),
        description=description,
        requester=_visitor(talk["meta"], event.options.get("default_region")),
        channel="chat",
        order_number=order_number_in(subject),
        attachments=tuple(_attachments(said)),
        status=status_of(talk["state"], STATES),
        comments=tuple(
            Comment(m["fingerprint"], m["user"]["nickname"] or m["sent_by"], m["content"].strip())
            for m in texts
            if m is not first and m["fingerprint"]
        ),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _visitor(meta: dict[str, Any], region: str | None) -> Person:
    if not (meta["nickname"] or meta["email"] or meta["phone"]):
        raise CannotMap("conversation.data.meta", "the visitor has neither a name nor an address")
    return Person(name=meta["nickname"], email=meta["email"], phone=to_e164(meta["phone"], region))


def _attachments(messages: list[dict[str, Any]]) -> Iterable[Attachment]:
    for message in messages:
        file = message["content"]
        if message["kind"] in ("file", "audio") and isinstance(file, Mapping):
            yield Attachment(str(file.get("name") or message["kind"]), str(file.get("type") or ""))


SOURCE = Source(
    type="crisp",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers=dict.fromkeys(HANDLED, open_ticket),
    ignored=IGNORED,
    # No tolerance: whether a later try is signed anew is not documented.
    signatures=(
        Hmac(
            header="x-crisp-signature",
            encoding="hex",
            signed="[{ts};{body}]",
            timestamp_header="x-crisp-request-timestamp",
            timestamp_in="milliseconds",
        ),
    ),
    api=SenderApi(url="https://api.crisp.chat/v1", scheme="Basic ", also={"x-crisp-tier": "plugin"}),
    fetches=fetches,
    options={"default_region": str},
)
