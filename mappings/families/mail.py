"""What an e-mail means: whoever parsed it, it is a ticket of the one who wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import parseaddr

from mappings.commands import Attachment, OpenTicket, Person
from mappings.errors import CannotMap
from mappings.formats.html_text import text_of
from mappings.source import Event

#: X-Priority is a number, with 1 the most urgent; Importance is a word (RFC 2156, section 2.3.10).
PRIORITIES = {"1": "high", "2": "high", "3": "normal", "4": "low", "5": "low"}
IMPORTANCES = {"high": "high", "normal": "normal", "low": "low"}

_ORDER_NUMBER = re.compile(
    r"(?:#\s?|\border\s+(?:(?:no\.?|number|nr\.?)\s*)?:?\s*#?)(\d{3,12})\b", re.IGNORECASE | re.ASCII
)

_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Email:
    """An inbound e-mail, as its receiver parsed it.

    `sender` is the From header, `sender_name` and `sender_address` go before it where the receiver took it
    apart. `reply` is the text without what it quotes. The names of `headers` are in lower case. The content of
    the attachments stays in the stored event.
    """

    sender: str
    sender_name: str = ""
    sender_address: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    reply: str = ""
    reply_to: str = ""
    mailbox: str = ""
    cc: str = ""
    date: str = ""
    tag: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


def ticket_of(event: Event, email: Email, sender_path: str) -> OpenTicket:
    """Return the ticket that an e-mail opens; raises CannotMap, naming `sender_path`, for one without a sender."""
    requester = _requester(email, sender_path)
    description = email.text.strip() or text_of(email.html)
    reply, subject = email.reply.strip(), readable(email.subject)
    attributes = {
        "reply": reply if reply != description else "",
        "reply_to": email.reply_to if parseaddr(email.reply_to)[1] != requester.email else "",
        "mailbox": email.mailbox,
        "cc": readable(email.cc),
        "tags": email.tag,
        "date": email.date,
    }
    return OpenTicket(
        key=event.key,
        subject=subject or "(no subject)",
        description=description,
        requester=requester,
        priority=_priority(email.headers),
        channel="email",
        order_number=order_number_in(subject),
        attachments=email.attachments,
        attributes={name: value for name, value in attributes.items() if value},
    )


def readable(header: str) -> str:
    """Return a header with its encoded words (`=?UTF-8?B?…?=`, RFC 2047) as letters; broken ones as they are."""
    # Letters beside encoded words are none of RFC 2047, and Python's decoder would garble them.
    if "=?" not in header or not header.isascii():
        return header
    try:
        decoded = str(make_header(decode_header(header)))
    except (HeaderParseError, LookupError, ValueError):
        return header
    # What was hidden in them: line breaks, and characters that no database keeps.
    return " ".join(_UNFIT.sub(" ", decoded).split())


def order_number_in(subject: str) -> str:
    """Return the number of the order that a subject speaks of, empty where it speaks of none."""
    found = _ORDER_NUMBER.search(subject)
    return found[1] if found else ""


def _requester(email: Email, path: str) -> Person:
    name, address = email.sender_name, email.sender_address
    if not address:
        typed_name, address = parseaddr(email.sender)
        name = name or typed_name
    name = readable(name)
    if not (name or address):
        raise CannotMap(path, "the e-mail has no sender")
    return Person(name=name, email=address)


def _priority(headers: Mapping[str, str]) -> str:
    # "1 (Highest)": mail programs add a word to the number.
    number = headers.get("x-priority", "").strip()[:1]
    return PRIORITIES.get(number, "") or IMPORTANCES.get(headers.get("importance", "").strip().lower(), "")
