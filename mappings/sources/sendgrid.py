"""SendGrid's Inbound Parse. Special: each field has a charset of its own, and no delivery has an id.

SendGrid drops an e-mail for good at any answer of 3xx or 4xx, so nothing well-formed is refused.
Facts: twilio.com/docs/sendgrid, "Inbound Email Parse Webhook" and "Securing your Inbound Parse Webhooks".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.http import parse_options_header

from mappings.bodies import decoded, read_json, storable
from mappings.commands import Attachment, OpenTicket
from mappings.errors import BadBody, CannotMap
from mappings.mail import Email, ticket_of
from mappings.multipart import read_parts
from mappings.protection import Ecdsa
from mappings.source import Arrival, Event, Naming, Source

#: What two posts of one e-mail have in common; the scores of the spam filter need not be.
CONTENT = ("from", "to", "subject", "text", "html")


def read_mail(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields, each decoded from the charset that the field `charsets` names for it.

    A file is kept by name, type and size. Raises BadBody for what is no multipart body.
    """
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    parts = list(read_parts(body, boundary))
    charsets = _object(
        next((part.content.decode("latin-1") for part in parts if part.name == b"charsets"), "")
    )
    mail: dict[str, Any] = {}
    for part in parts:
        name = decoded(part.name, {})
        if part.filename is None:
            charset = charsets.get(name)
            mail[name] = decoded(part.content, {"charset": charset} if isinstance(charset, str) else {})
        else:
            filename = decoded(part.filename, {})
            size = len(part.content)
            mail[name] = {"filename": filename, "content_type": part.content_type, "size": size}
    fields: dict[str, Any] = storable(mail)
    return fields


def name_event(arrival: Arrival) -> Naming:
    """Name an e-mail by its own Message-ID and its content: whoever writes it chooses that id, even twice."""
    mail = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    headers = _headers(_field(mail, "headers"))
    message_id = headers.get("message-id", "")
    if not message_id:
        return Naming(type="inbound", dedup_key=arrival.body_digest)
    content = json.dumps([headers.get("date", ""), *(_field(mail, name) for name in CONTENT)])
    return Naming(
        type="inbound", dedup_key=f"{message_id}:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    )


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn an e-mail into a ticket of its sender.

    Raises CannotMap for one without a sender, and for one that is posted unparsed.
    """
    mail = event.payload if isinstance(event.payload, Mapping) else {}
    if _field(mail, "email"):
        raise CannotMap("email", 'the e-mail is not parsed: switch off "POST the raw, full MIME message"')
    headers = _headers(_field(mail, "headers"))
    to = _object(_field(mail, "envelope")).get("to")
    email = Email(
        sender=_field(mail, "from"),
        subject=_field(mail, "subject"),
        text=_field(mail, "text"),
        html=_field(mail, "html"),
        reply_to=headers.get("reply-to", ""),
        # Not the To header, which may name anybody: where it was delivered.
        mailbox=", ".join(item for item in to if isinstance(item, str))
        if isinstance(to, list)
        else _field(mail, "to"),
        cc=_field(mail, "cc") or headers.get("cc", ""),
        date=headers.get("date", ""),
        headers=headers,
        attachments=tuple(_attachments(mail)),
    )
    yield ticket_of(event, email, "from")


def _field(mail: Mapping[str, Any], name: str) -> str:
    value = mail.get(name)
    return value.strip() if isinstance(value, str) else ""


def _object(written: str) -> Mapping[str, Any]:
    try:
        value = read_json(written.encode(), "")
    except BadBody:
        return {}
    return value if isinstance(value, Mapping) else {}


def _headers(written: str) -> dict[str, str]:
    """Return the headers of the e-mail by names in lower case; the topmost of a name counts."""
    lines = re.sub(r"\r?\n[ \t]+", " ", written).splitlines()  # RFC 5322, section 2.2.3: folded lines
    pairs = (line.partition(":") for line in reversed(lines))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def _attachments(mail: Mapping[str, Any]) -> Iterable[Attachment]:
    # `attachment-info` has the name as the e-mail has it; that of the part may be mended by SendGrid.
    known = _object(_field(mail, "attachment-info"))
    for name, file in mail.items():
        if isinstance(file, Mapping):
            info = known.get(name)
            told: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
            size = file.get("size")
            yield Attachment(
                name=str(told.get("filename") or file.get("filename") or name),
                media_type=str(told.get("type") or file.get("content_type") or ""),
                size=size if isinstance(size, int) and not isinstance(size, bool) else None,
            )


SOURCE = Source(
    type="sendgrid",
    media_types=frozenset({"multipart/form-data"}),
    read=read_mail,
    name=name_event,
    handlers={"inbound": open_ticket},
    # The "secret" is the public key of the security policy. No tolerance: it is tried again for three days.
    signatures=(
        Ecdsa(
            header="x-twilio-email-event-webhook-signature",
            timestamp_header="x-twilio-email-event-webhook-timestamp",
        ),
    ),
)
