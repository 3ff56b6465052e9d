"""Postmark's inbound e-mail. Special: unsigned, so the URL holds a secret; its only event is a ticket.

Facts: postmarkapp.com/developer, "Parse an email" and "Inbound webhook".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import fields

from mappings.commands import Attachment, OpenTicket
from mappings.families.mail import Email, ticket_of
from mappings.reading.bodies import read_object
from mappings.reading.payloads import Payload, Text, items, load, part
from mappings.source import Arrival, Event, Naming, Source

#: The MessageID of what the "Check" button on the settings page of a server sends.
CHECK_ID = "00000000-0000-0000-0000-000000000000"


class Header(Payload):
    """A header of the e-mail that Postmark has no field for."""

    Name = Text(load_default="")
    Value = Text(load_default="")


class File(Payload):
    """An attachment; its `Content` (in a check: `Data`) stays in the stored event."""

    Name = Text(load_default="")
    ContentType = Text(load_default="")
    ContentLength = fields.Raw(load_default=None)


class Sender(Payload):
    """The sender, parsed by Postmark."""

    Name = Text(load_default="")
    Email = Text(load_default="")


class Inbound(Payload):
    """The parts of an inbound e-mail that we use, named as Postmark names them."""

    From = Text(load_default="")
    FromFull = part(Sender)
    ReplyTo = Text(load_default="")
    To = Text(load_default="")
    OriginalRecipient = Text(load_default="")
    Cc = Text(load_default="")
    Subject = Text(load_default="")
    Date = Text(load_default="")
    TextBody = Text(load_default="")
    HtmlBody = Text(load_default="")
    StrippedTextReply = Text(load_default="")
    Tag = Text(load_default="")
    Headers = items(Header)
    Attachments = items(File)


def name_event(arrival: Arrival) -> Naming:
    """Name an e-mail by Postmark's id of it, else by its own Message-ID, else by the body as a whole."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    message_id = payload.get("MessageID")
    if not isinstance(message_id, str) or not message_id.strip():
        message_id = _message_id(payload.get("Headers")) or arrival.body_digest
    return Naming(type="inbound", dedup_key=message_id.strip(), test=message_id.strip() == CHECK_ID)


def _message_id(headers: Any) -> str:
    for header in headers if isinstance(headers, list) else ():
        if isinstance(header, Mapping) and str(header.get("Name")).lower() == "message-id":
            return str(header.get("Value") or "").strip()
    return ""


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn an e-mail into a ticket of its sender; raises CannotMap for one without a sender."""
    mail = load(Inbound, event.payload)
    email = Email(
        sender=mail["From"],
        sender_name=mail["FromFull"]["Name"],
        sender_address=mail["FromFull"]["Email"],
        subject=mail["Subject"],
        text=mail["TextBody"],
        html=mail["HtmlBody"],
        reply=mail["StrippedTextReply"],
        reply_to=mail["ReplyTo"],
        mailbox=mail["OriginalRecipient"] or mail["To"],
        cc=mail["Cc"],
        date=mail["Date"],
        tag=mail["Tag"],
        headers={header["Name"].lower(): header["Value"] for header in mail["Headers"]},
        attachments=tuple(map(_attachment, mail["Attachments"])),
    )
    yield ticket_of(event, email, "FromFull.Email")


def _attachment(file: dict[str, Any]) -> Attachment:
    size = file["ContentLength"]
    is_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    return Attachment(name=file["Name"], media_type=file["ContentType"], size=size if is_size else None)


SOURCE = Source(
    type="postmark",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"inbound": open_ticket},
)
