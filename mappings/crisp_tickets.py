"""Conversations of Crisp as the command for them: the visitor's first words are the request, the rest comments.

Facts: docs.crisp.chat, "REST API Reference (V1)".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import Attachment, Comment, OpenTicket, Person
from mappings.crisp_payload import ConversationAnswer, MessagesAnswer
from mappings.errors import CannotMap
from mappings.help_desk import headline, moment_of, status_of
from mappings.mail import order_number_in
from mappings.payloads import load
from mappings.phones import to_e164
from mappings.source import Event

#: Its words for a conversation: pending is one that nobody has answered yet.
STATES = {"pending": "open", "unresolved": "open", "resolved": "solved"}


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
