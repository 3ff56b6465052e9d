"""The parts of the answers of Crisp's API that we use, named as Crisp names them.

Facts: docs.crisp.chat, "REST API Reference (V1)", "Get A Conversation" and "Get Messages In Conversation".
"""

from __future__ import annotations

from marshmallow import fields

from mappings.reading.payloads import Payload, Text, items, part


class Device(Payload):
    """What the visitor's browser tells; the first of its languages is the one that he prefers."""

    locales = items(Text())


class Meta(Payload):
    """Who the visitor is, as far as he or an operator has said; `data` is what the website's own code says.

    `origin` is `chat`, `email`, or the address of a plugin such as that of WhatsApp.
    """

    address = Text(load_default="")
    origin = Text(load_default="")
    device = part(Device)
    data = fields.Dict(keys=fields.String(), load_default=dict)
    nickname = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")
    subject = Text(load_default="")
    segments = items(Text())


class Conversation(Payload):
    """A conversation, as the API has it."""

    state = Text(load_default="")
    created_at = fields.Raw(load_default=None)
    meta = part(Meta)


class User(Payload):
    """Who wrote a message."""

    nickname = Text(load_default="")


class Message(Payload):
    """A message; `content` is text, or of a file its name, type and address. Kind `note` is for colleagues."""

    kind = Text(load_default="", data_key="type")
    sent_by = Text(load_default="", data_key="from")
    fingerprint = Text(load_default="")
    content = fields.Raw(load_default="")
    user = part(User)


class ConversationAnswer(Payload):
    """The answer to `conversation/ID`."""

    data = part(Conversation)


class MessagesAnswer(Payload):
    """The answer to `conversation/ID/messages`, the oldest first."""

    data = items(Message)
