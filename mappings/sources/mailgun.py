"""Mailgun's inbound e-mail. Special: the signature stands in the body, and covers a time and a token only.

Whoever has seen one signed post could sign another text with it, so the token, used once, is the dedup key.
Each header of the e-mail is a field as well, so a field may come twice: then Mailgun's own, the last, counts.
Facts: documentation.mailgun.com, "Receiving Messages via HTTP" and "Securing Webhooks".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import Attachment, OpenTicket
from mappings.errors import BadBody, CannotMap
from mappings.families.mail import Email, ticket_of
from mappings.protection import SignedFields
from mappings.reading.bodies import read_form, read_json
from mappings.source import Arrival, Event, Naming, Source


def name_event(arrival: Arrival) -> Naming:
    """Name an e-mail by the token that its signature is over, else by the body as a whole."""
    return Naming(type="inbound", dedup_key=_field(arrival.payload, "token") or arrival.body_digest)


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn an e-mail into a ticket of its sender.

    Raises CannotMap for one without a sender, and for one that the route forwards unparsed.
    """
    mail = event.payload
    if _field(mail, "body-mime"):
        raise CannotMap("body-mime", "the e-mail is not parsed: the route's URL must not end in mime")
    headers = _headers(_field(mail, "message-headers"))
    email = Email(
        # Not `sender`: that is who the reply to a failed delivery goes to, often a machine.
        sender=_field(mail, "from") or _field(mail, "sender"),
        subject=_field(mail, "subject"),
        text=_field(mail, "body-plain"),
        html=_field(mail, "body-html"),
        reply=_field(mail, "stripped-text"),
        reply_to=headers.get("reply-to", ""),
        mailbox=_field(mail, "recipient"),
        cc=headers.get("cc", "") or _field(mail, "Cc"),
        date=headers.get("date", ""),
        headers=headers,
        attachments=tuple(_attachments(mail)),
    )
    yield ticket_of(event, email, "from")


def _field(payload: Any, name: str) -> str:
    value = payload.get(name) if isinstance(payload, Mapping) else None
    if isinstance(value, list):
        value = value[-1] if value else None
    return value.strip() if isinstance(value, str) else ""


def _headers(written: str) -> dict[str, str]:
    """Return the e-mail's headers out of the JSON list of pairs, by names in lower case; none if it is broken."""
    # The topmost of a name counts, which the last server wrote.
    return {
        pair[0].lower(): pair[1].strip()
        for pair in reversed(_listed(written))
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
    }


def _attachments(payload: Any) -> Iterable[Attachment]:
    """Return the files: those posted with the e-mail, and those that a route with `store()` keeps at Mailgun."""
    # attachment-1, attachment-2 … in the order of the e-mail.
    for name, values in payload.items() if isinstance(payload, Mapping) else ():
        for file in values if isinstance(values, list) else [values]:
            if name.startswith("attachment-") and isinstance(file, Mapping) and file.get("filename"):
                yield _attachment(file["filename"], file.get("content_type"), file.get("size"))
    for file in _listed(_field(payload, "attachments")):
        if isinstance(file, Mapping) and file.get("name"):
            yield _attachment(file["name"], file.get("content-type"), file.get("size"))


def _attachment(name: Any, media_type: Any, size: Any) -> Attachment:
    is_size = isinstance(size, int) and not isinstance(size, bool)
    return Attachment(name=str(name), media_type=str(media_type or ""), size=size if is_size else None)


def _listed(written: str) -> list[Any]:
    """Return a field that holds a list as JSON; an empty one if it is broken."""
    try:
        found = read_json(written.encode(), "")
    except BadBody:
        return []
    return found if isinstance(found, list) else []


SOURCE = Source(
    type="mailgun",
    media_types=frozenset({"application/x-www-form-urlencoded", "multipart/form-data"}),
    read=read_form,
    name=name_event,
    handlers={"inbound": open_ticket},
    # No tolerance: an e-mail is tried again for eight hours, and the token is spent with the first.
    signatures=(SignedFields(),),
)
