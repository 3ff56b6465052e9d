"""Tickets of Zendesk's events as the command for them. Facts: developer.zendesk.com, "Ticket events"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mappings.commands import Attachment, Comment, OpenTicket, Person
from mappings.errors import CannotMap
from mappings.families.help_desk import file_of, plain, priority_of, status_of
from mappings.families.mail import order_number_in
from mappings.formats.phones import to_e164
from mappings.reading.payloads import load
from mappings.source import Event
from mappings.sources.zendesk.payload import Conversation, Notification, Requester


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn an event into its ticket as it stands; raises CannotMap where nobody is known to ask."""
    ticket = load(Notification, event.payload)["detail"]
    if not event.fetched.get("requester"):
        why = "the event holds an id only: set api_token_env of the source, or let a trigger send the address"
        raise CannotMap("detail.requester_id", why)
    user = load(Requester, event.fetched["requester"])["user"]
    if not (user["name"] or user["email"] or user["phone"]):
        raise CannotMap("requester.user", "the requester has neither a name nor an address")
    conversation = load(Conversation, event.fetched.get("comments") or {})
    status = status_of(ticket["status"], event.options.get("statuses"))
    attributes = {
        "opened_at": ticket["created_at"],
        "tags": ", ".join(filter(None, ticket["tags"])),
        "ticket_type": ticket["type"].lower(),
        "status": "" if status else ticket["status"],
        "external_id": ticket["external_id"],
    }
    yield OpenTicket(
        key=event.key,
        subject=ticket["subject"] or "(no subject)",
        description=plain(ticket["description"]),
        requester=Person(
            name=user["name"],
            email=user["email"],
            phone=to_e164(user["phone"], event.options.get("default_region")),
            language=user["locale"],
        ),
        priority=priority_of(ticket["priority"]),
        channel=ticket["via"]["channel"].lower(),
        order_number=order_number_in(ticket["subject"]),
        attachments=_attachments(conversation),
        status=status,
        comments=_comments(conversation),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _attachments(conversation: dict[str, Any]) -> tuple[Attachment, ...]:
    """Return the files of all that was said in public, the oldest first, those of the description among them."""
    said = (comment for comment in conversation["comments"][::-1] if comment["public"] is True)
    files = (file for comment in said for file in comment["attachments"])
    return tuple(file_of(f["file_name"], f["content_type"], f["size"]) for f in files if f["file_name"])


def _comments(conversation: dict[str, Any]) -> tuple[Comment, ...]:
    names = {user["id"]: user["name"] for user in conversation["users"]}
    said = conversation["comments"][::-1]
    # The first comment of a ticket is its description; it is there unless there are more pages.
    later = said if conversation["next_page"] else said[1:]
    return tuple(
        Comment(
            id=comment["id"],
            author=names.get(comment["author_id"], ""),
            text=plain(comment["plain_body"] or comment["body"]),
        )
        for comment in later
        if comment["public"] is True and comment["id"]
    )
