"""Conversations and tickets of Intercom as the command for them, whole where they were fetched.

Facts: developers.intercom.com, "Conversations" and "Tickets".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import Attachment, Comment, OpenTicket, Person, filled
from mappings.errors import CannotMap
from mappings.families.help_desk import file_of, headline, moment_of, plain, status_of
from mappings.families.mail import order_number_in
from mappings.formats.phones import to_e164
from mappings.reading.form_fields import flat
from mappings.reading.payloads import load
from mappings.source import Event
from mappings.sources.intercom.payload import Contact, Conversation, Ticket, item_of


def open_conversation(event: Event) -> Iterable[OpenTicket]:
    """Turn a conversation into a ticket as it stands; raises CannotMap where nobody is known to ask."""
    talk = load(Conversation, event.fetched.get("item") or item_of(event.payload))
    opening = talk["source"] if talk["source"]["body"] else talk["conversation_message"]
    description = plain(opening["body"])
    subject = plain(talk["title"] or opening["subject"])
    author = opening["author"]
    parts = talk["conversation_parts"]["conversation_parts"]
    known = author if author["type"] in ("user", "lead", "contact") else {}
    yield OpenTicket(
        key=event.key,
        subject=subject or headline(description),
        description=description,
        requester=_requester(event, known, talk["user"]),
        priority="high" if talk["priority"] == "priority" else "",
        channel="intercom",
        order_number=order_number_in(subject),
        attachments=_attachments(opening, *parts),
        status=status_of(talk["state"]),
        comments=_comments(parts),
        attributes=flat(talk["custom_attributes"])
        | filled(
            opened_at=moment_of(talk["created_at"]),
            tags=", ".join(tag["name"] for tag in talk["tags"]["tags"] if tag["name"]),
            came_by="" if opening["kind"].startswith("conversation") else opening["kind"],
            page_url=opening["url"],
        ),
    )


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn a ticket into one as it stands; raises CannotMap where nobody is known to ask."""
    ticket = load(Ticket, event.fetched.get("item") or item_of(event.payload))
    told, state = flat(ticket["ticket_attributes"]), ticket["ticket_state"]
    title, description = told.pop("_default_title_", ""), plain(told.pop("_default_description_", ""))
    parts = ticket["ticket_parts"]["ticket_parts"]
    word = state.get("category") if isinstance(state, Mapping) else state
    yield OpenTicket(
        key=event.key,
        subject=title or headline(description),
        description=description,
        requester=_requester(event),
        channel="intercom",
        order_number=order_number_in(title),
        attachments=_attachments(*parts),
        status=status_of(word) if isinstance(word, str) else None,
        comments=_comments(parts),
        attributes=told
        | filled(
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
    # What has no body is only something that was done.
    found = (
        Comment(part["id"], part["author"]["name"] or part["author"]["email"], plain(part["body"]))
        for part in parts
        if part["id"] and not _is_note(part)
    )
    return tuple(comment for comment in found if comment.text)


def _attachments(*said: dict[str, Any]) -> tuple[Attachment, ...]:
    """Return the files of all that was said, the opening among it."""
    files = (file for part in said if not _is_note(part) for file in part["attachments"])
    return tuple(file_of(f["name"], f["content_type"], f["filesize"]) for f in files if f["name"])


def _is_note(part: Mapping[str, Any]) -> bool:
    return bool(part.get("part_type", "").startswith("note"))  # among colleagues
