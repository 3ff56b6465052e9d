"""Conversations and tickets of Intercom as the command for them, whole where they were fetched.

Facts: developers.intercom.com, "Conversations" and "Tickets".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import Attachment, Comment, OpenTicket, Person, filled
from mappings.errors import CannotMap
from mappings.help_desk import headline, moment_of, plain, status_of
from mappings.intercom_payload import Contact, Conversation, Ticket, item_of
from mappings.mail import order_number_in
from mappings.payloads import load
from mappings.phones import to_e164
from mappings.source import Event


def open_conversation(event: Event) -> Iterable[OpenTicket]:
    """Turn a conversation into a ticket as it stands; raises CannotMap where nobody is known to ask."""
    talk = load(Conversation, event.fetched.get("item") or item_of(event.payload))
    opening = talk["source"] if talk["source"]["body"] else talk["conversation_message"]
    description = plain(opening["body"])
    subject = plain(talk["title"] or opening["subject"])
    author = opening["author"]
    known = author if author["type"] in ("user", "lead", "contact") else {}
    yield OpenTicket(
        key=event.key,
        subject=subject or headline(description),
        description=description,
        requester=_requester(event, known, talk["user"]),
        priority="high" if talk["priority"] == "priority" else "",
        channel="intercom",
        order_number=order_number_in(subject),
        attachments=tuple(_attachment(file) for file in opening["attachments"]),
        status=status_of(talk["state"]),
        comments=_comments(talk["conversation_parts"]["conversation_parts"]),
        attributes=filled(
            opened_at=moment_of(talk["created_at"]),
            tags=", ".join(tag["name"] for tag in talk["tags"]["tags"] if tag["name"]),
        ),
    )


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn a ticket into one as it stands; raises CannotMap where nobody is known to ask."""
    ticket = load(Ticket, event.fetched.get("item") or item_of(event.payload))
    texts, state = ticket["ticket_attributes"], ticket["ticket_state"]
    word = state.get("category") if isinstance(state, Mapping) else state
    status = status_of(word) if isinstance(word, str) else None
    description = plain(texts["description"])
    yield OpenTicket(
        key=event.key,
        subject=texts["title"] or headline(description),
        description=description,
        requester=_requester(event),
        channel="intercom",
        order_number=order_number_in(texts["title"]),
        status=status,
        comments=_comments(ticket["ticket_parts"]["ticket_parts"]),
        attributes=filled(
            opened_at=moment_of(ticket["created_at"]),
            ticket_number=ticket["ticket_id"],
            ticket_type=ticket["ticket_type"]["name"],
        ),
    )


def _requester(event: Event, *known: Mapping[str, str]) -> Person:
    """Return who asks: what is fetched goes before what the notification says."""
    fetched = load(Contact, event.fetched["contact"]) if event.fetched.get("contact") else {}
    people = [fetched, *known]
    name, email, phone = (
        next(filter(None, (p.get(key, "") for p in people)), "") for key in ("name", "email", "phone")
    )
    if not (name or email or phone):
        why = "nobody is named: the contact is an id only; set api_token_env of the source"
        raise CannotMap("data.item.contacts", why)
    phone = to_e164(phone, event.options.get("default_region"))
    return Person(name=name, email=email, phone=phone, language=fetched.get("language_override", ""))


def _comments(parts: list[dict[str, Any]]) -> tuple[Comment, ...]:
    # A note is among colleagues; what has no body is only something that was done.
    said = (part for part in parts if part["id"] and not part["part_type"].startswith("note"))
    found = (
        Comment(part["id"], part["author"]["name"] or part["author"]["email"], plain(part["body"]))
        for part in said
    )
    return tuple(comment for comment in found if comment.text)


def _attachment(file: dict[str, Any]) -> Attachment:
    size = file["filesize"]
    is_size = isinstance(size, int) and not isinstance(size, bool)
    return Attachment(file["name"], file["content_type"], size if is_size else None)
