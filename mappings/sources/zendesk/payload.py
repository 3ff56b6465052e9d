"""The parts of Zendesk's events and answers that we use, named as Zendesk names them.

Facts: developer.zendesk.com, "Ticket events", "Users" and "Ticket Comments".
"""

from __future__ import annotations

from marshmallow import fields

from mappings.reading.payloads import Payload, Text, items, part


class Via(Payload):
    """How the ticket came in."""

    channel = Text(load_default="")


class Detail(Payload):
    """The ticket as it stands, which every event of it holds."""

    id = Text(load_default="")
    subject = Text(load_default="")
    description = Text(load_default="")
    status = Text(load_default="")
    external_id = Text(load_default="")
    priority = Text(load_default="")
    type = Text(load_default="")
    created_at = Text(load_default="")
    tags = items(Text())
    via = part(Via)


class Notification(Payload):
    """An event of a subscription."""

    detail = fields.Nested(Detail, required=True)


class User(Payload):
    """A person, as the API has it."""

    id = Text(load_default="")
    name = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")
    locale = Text(load_default="")


class Requester(Payload):
    """The answer to `users/ID.json`."""

    user = part(User)


class File(Payload):
    """An attachment; `size` in bytes."""

    file_name = Text(load_default="")
    content_type = Text(load_default="")
    size = fields.Raw(load_default=None)


class Said(Payload):
    """A comment; one that is not `public` is a note among colleagues."""

    id = Text(load_default="")
    author_id = Text(load_default="")
    plain_body = Text(load_default="")
    body = Text(load_default="")
    public = fields.Raw(load_default=False)
    attachments = items(File)


class Conversation(Payload):
    """The answer to `tickets/ID/comments.json`, the newest comment first."""

    comments = items(Said)
    users = items(User)
    next_page = Text(load_default="")
