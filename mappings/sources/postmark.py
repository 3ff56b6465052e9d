"""Postmark's inbound e-mail. Special: unsigned, so the URL holds a secret; its only event is a ticket.

Facts: postmarkapp.com/developer, "Parse an email" and "Inbound webhook".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from email.utils import parseaddr
from typing import Any

from marshmallow import fields

from mappings.bodies import read_object
from mappings.commands import Attachment, OpenTicket, Person
from mappings.errors import CannotMap
from mappings.html_text import text_of
from mappings.payloads import Payload, Text, items, load, part
from mappings.source import Arrival, Event, Naming, Source

#: The MessageID of what the "Check" button on the settings page of a server sends.
CHECK_ID = "00000000-0000-0000-0000-000000000000"

#: X-Priority is a number, with 1 the most urgent; Importance is a word (RFC 2156, section 2.3.10).
PRIORITIES = {"1": "high", "2": "high", "3": "normal", "4": "low", "5": "low"}
IMPORTANCES = {"high": "high", "normal": "normal", "low": "low"}

_ORDER_NUMBER = re.compile(
    r"(?:#\s?|\border\s+(?:(?:no\.?|number|nr\.?)\s*)?:?\s*#?)(\d{3,12})\b", re.IGNORECASE | re.ASCII
)


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


class Email(Payload):
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
    email = load(Email, event.payload)
    requester = _requester(email)
    description = email["TextBody"] or text_of(email["HtmlBody"])
    order = _ORDER_NUMBER.search(email["Subject"])
    attributes = {
        "reply": email["StrippedTextReply"] if email["StrippedTextReply"] != description else "",
        "reply_to": email["ReplyTo"] if parseaddr(email["ReplyTo"])[1] != requester.email else "",
        "mailbox": email["OriginalRecipient"] or email["To"],
        "cc": email["Cc"],
        "tag": email["Tag"],
        "date": email["Date"],
    }
    yield OpenTicket(
        key=event.key,
        subject=email["Subject"] or "(no subject)",
        description=description,
        requester=requester,
        priority=_priority(email["Headers"]),
        channel="email",
        order_number=order[1] if order else "",
        attachments=tuple(_attachment(file) for file in email["Attachments"]),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _requester(email: dict[str, Any]) -> Person:
    name, address = email["FromFull"]["Name"], email["FromFull"]["Email"]
    if not address:
        typed_name, address = parseaddr(email["From"])
        name = name or typed_name
    if not (name or address):
        raise CannotMap("FromFull.Email", "the e-mail has no sender")
    return Person(name=name, email=address)


def _priority(headers: list[dict[str, str]]) -> str:
    by_name = {header["Name"].lower(): header["Value"].lower() for header in headers}
    # "1 (Highest)": mail programs add a word to the number.
    number = by_name.get("x-priority", "")[:1]
    return PRIORITIES.get(number, "") or IMPORTANCES.get(by_name.get("importance", ""), "")


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
