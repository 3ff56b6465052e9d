"""Conversations of Crisp as the command for them: the visitor's first words are the request, the rest comments.

Facts: docs.crisp.chat, "REST API Reference (V1)".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import Address, Attachment, Comment, OpenTicket, Person, filled
from mappings.errors import CannotMap
from mappings.families.help_desk import headline, moment_of, status_of
from mappings.families.mail import order_number_in
from mappings.formats.phones import to_e164
from mappings.reading.answers import said as written
from mappings.reading.form_fields import flat
from mappings.reading.payloads import load
from mappings.source import Event
from mappings.sources.crisp.payload import ConversationAnswer, MessagesAnswer

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
    texts = [(m, text) for m in said if (text := _text_of(m))]
    first = next((pair for pair in texts if pair[0]["sent_by"] == "user"), texts[0] if texts else None)
    description = first[1] if first else ""
    meta, opened = talk["meta"], talk["created_at"]
    yield OpenTicket(
        key=event.key,
        subject=meta["subject"] or headline(description),
        description=description,
        requester=_visitor(meta, event.options.get("default_region")),
        channel="email" if meta["origin"] == "email" else "chat",
        order_number=order_number_in(meta["subject"]),
        attachments=tuple(_attachments(said)),
        status=status_of(talk["state"], STATES),
        comments=tuple(
            Comment(m["fingerprint"], m["user"]["nickname"] or m["sent_by"], text)
            for m, text in texts
            if first and m is not first[0] and m["fingerprint"]
        ),
        attributes=flat(meta["data"])
        | filled(
            opened_at=moment_of(opened // 1000) if isinstance(opened, int) else "",
            segments=", ".join(filter(None, meta["segments"])),
            came_by="" if meta["origin"] in ("chat", "email") else meta["origin"],
        ),
    )


def _text_of(message: dict[str, Any]) -> str:
    """Return what a message says; a bot's question with a field or buttons says nothing until it is answered."""
    content = message["content"]
    if message["kind"] == "text":
        return content.strip() if isinstance(content, str) else ""
    if message["kind"] not in ("field", "picker", "carousel") or not isinstance(content, Mapping):
        return ""
    choices = content.get("choices")
    picked = (
        [c.get("label") for c in choices if isinstance(c, Mapping) and c.get("selected") is True]
        if (isinstance(choices, list))
        else []
    )
    answer = written([content.get("value"), picked])
    is_told = bool(answer) or message["kind"] == "carousel"
    return ": ".join(filter(None, (written(content.get("text")), answer))) if is_told else ""


def _visitor(meta: dict[str, Any], region: str | None) -> Person:
    if not (meta["nickname"] or meta["email"] or meta["phone"]):
        raise CannotMap("conversation.data.meta", "the visitor has neither a name nor an address")
    return Person(
        name=meta["nickname"],
        email=meta["email"],
        phone=to_e164(meta["phone"], region),
        address=Address(street=meta["address"]) if meta["address"] else None,
        language=next(filter(None, meta["device"]["locales"]), ""),
    )


def _attachments(messages: list[dict[str, Any]]) -> Iterable[Attachment]:
    for message in messages:
        file = message["content"]
        if message["kind"] in ("file", "audio", "animation") and isinstance(file, Mapping):
            yield Attachment(str(file.get("name") or message["kind"]), str(file.get("type") or ""))
