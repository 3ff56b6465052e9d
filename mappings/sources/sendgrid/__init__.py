"""SendGrid's Inbound Parse. Special: each field has a charset of its own, and no delivery has an id.

SendGrid drops an e-mail for good at any answer of 3xx or 4xx, so nothing well-formed is refused.
Facts: twilio.com/docs/sendgrid, "Inbound Email Parse Webhook" and "Securing your Inbound Parse Webhooks".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from mappings.commands import OpenTicket
from mappings.errors import CannotMap
from mappings.families.mail import Email, ticket_of
from mappings.protection import Ecdsa
from mappings.source import Arrival, Event, Naming, Source
from mappings.sources.sendgrid.payload import attachments_of, field_of, headers_of, object_of, read_mail

#: What two posts of one e-mail have in common; the scores of the spam filter need not be.
CONTENT = ("from", "to", "subject", "text", "html")


def name_event(arrival: Arrival) -> Naming:
    """Name an e-mail by its own Message-ID and its content: whoever writes it chooses that id, even twice."""
    mail = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    headers = headers_of(field_of(mail, "headers"))
    message_id = headers.get("message-id", "")
    if not message_id:
        return Naming(type="inbound", dedup_key=arrival.body_digest)
    content = json.dumps([headers.get("date", ""), *(field_of(mail, name) for name in CONTENT)])
    return Naming(
        type="inbound", dedup_key=f"{message_id}:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    )


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn an e-mail into a ticket of its sender.

    Raises CannotMap for one without a sender, and for one that is posted unparsed.
    """
    mail = event.payload if isinstance(event.payload, Mapping) else {}
    if field_of(mail, "email"):
        raise CannotMap("email", 'the e-mail is not parsed: switch off "POST the raw, full MIME message"')
    headers = headers_of(field_of(mail, "headers"))
    to = object_of(field_of(mail, "envelope")).get("to")
    email = Email(
        sender=field_of(mail, "from"),
        subject=field_of(mail, "subject"),
        text=field_of(mail, "text"),
        html=field_of(mail, "html"),
        reply_to=headers.get("reply-to", ""),
        # Not the To header, which may name anybody: where it was delivered.
        mailbox=", ".join(item for item in to if isinstance(item, str))
        if isinstance(to, list)
        else field_of(mail, "to"),
        cc=field_of(mail, "cc") or headers.get("cc", ""),
        date=headers.get("date", ""),
        headers=headers,
        attachments=tuple(attachments_of(mail)),
    )
    yield ticket_of(event, email, "from")


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
