"""The parts of Intercom's notifications and answers that we use, named as Intercom names them.

The version that an app is set to decides the shape: before 2.0 a conversation has `user` and
`conversation_message` where it has `contacts` and `source` since. Times are epoch seconds.
Facts: developers.intercom.com, "Conversations", "Tickets", "Contacts", "Webhook models".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from mappings.reading.event_ids import at
from mappings.reading.payloads import Payload, Text, items, part


class Author(Payload):
    """Who wrote something: a user, a lead, an admin or a bot."""

    type = Text(load_default="")
    name = Text(load_default="")
    email = Text(load_default="")


class File(Payload):
    """An attachment."""

    name = Text(load_default="")
    content_type = Text(load_default="")
    filesize = fields.Raw(load_default=None)


class Opening(Payload):
    """The message that a conversation began with; its body is HTML, `url` the page where it was written."""

    kind = Text(load_default="", data_key="type")
    url = Text(load_default="")
    subject = Text(load_default="")
    body = Text(load_default="")
    author = part(Author)
    attachments = items(File)


class Part(Payload):
    """What was said or done later; `part_type` is comment, note, close, assignment and more."""

    id = Text(load_default="")
    part_type = Text(load_default="")
    body = Text(load_default="")
    author = part(Author)
    attachments = items(File)


class Place(Payload):
    """Where a contact seems to be, by its network address."""

    city = Text(load_default="")
    region = Text(load_default="")
    country = Text(load_default="")


class Contact(Payload):
    """A lead or a user; the e-mail address of a lead is often empty."""

    id = Text(load_default="")
    name = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")
    language_override = Text(load_default="")
    browser_language = Text(load_default="")
    referrer = Text(load_default="")
    utm_campaign = Text(load_default="")
    utm_content = Text(load_default="")
    utm_medium = Text(load_default="")
    utm_source = Text(load_default="")
    utm_term = Text(load_default="")
    location = part(Place)
    unsubscribed_from_emails = fields.Raw(load_default=False)
    custom_attributes = fields.Dict(load_default=dict)
    created_at = fields.Raw(load_default=None)


class Tag(Payload):
    """A word that somebody put on it."""

    name = Text(load_default="")


class Tags(Payload):
    """The list of them."""

    tags = items(Tag)


class Parts(Payload):
    """The list of what was said or done later in a conversation."""

    conversation_parts = items(Part)


class Conversation(Payload):
    """A conversation."""

    title = Text(load_default="")
    state = Text(load_default="")
    priority = Text(load_default="")
    source = part(Opening)
    conversation_message = part(Opening)
    user = part(Contact)
    conversation_parts = part(Parts)
    tags = part(Tags)
    custom_attributes = fields.Dict(load_default=dict)
    created_at = fields.Raw(load_default=None)


class TicketParts(Payload):
    """The list of what was said or done later on a ticket."""

    ticket_parts = items(Part)


class TicketType(Payload):
    """The kind of request, as the workspace names it."""

    name = Text(load_default="")


class Ticket(Payload):
    """A ticket; its state is a word, since version 2.12 an object with a `category`.

    Its attributes are those of its type, by the workspace's names for them, and title and description.
    """

    ticket_id = Text(load_default="")
    ticket_attributes = fields.Dict(keys=fields.String(), load_default=dict)
    ticket_state = fields.Raw(load_default="")
    ticket_type = part(TicketType)
    ticket_parts = part(TicketParts)
    created_at = fields.Raw(load_default=None)


def item_of(payload: Any) -> Mapping[str, Any]:
    """Return what a notification is about, empty where it says nothing of it."""
    found = at(payload, "data", "item", "ticket") or at(payload, "data", "item")  # beside a `ticket_part`
    return found if isinstance(found, Mapping) else {}


def progress_of(item: Mapping[str, Any], topic: Any) -> str:
    """Return what tells two states of one second apart, for `updated_at` counts seconds.

    Each reply, closing and opening is a part of its conversation, and `statistics` count them. Where nothing is
    counted (tickets, leads, versions before 2.0) only this is known: that it was created comes before all else.
    """
    parts = at(item, "statistics", "count_conversation_parts")
    number = parts if type(parts) is int and 0 <= parts < 10**6 else 0
    return f"{number:06d}-{not str(topic).endswith('created'):d}"
