"""Intercom. Special: leads have no e-mail address, and tickets name their contact by an id only.

With a token in relay.toml the conversation or ticket is read whole and its contact with it; without one, a
conversation tells what its notification tells. Intercom looks with HEAD if the address is there, and pings.
Facts: developers.intercom.com, "Set up webhooks", "Webhook topics", "Webhook notification object".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.bodies import read_object
from mappings.commands import Attachment, Comment, OpenTicket, Person, RegisterLead
from mappings.errors import CannotMap
from mappings.form_fields import flat
from mappings.help_desk import headline, moment_of, padded, plain, status_of
from mappings.intercom_payload import Contact, Conversation, Ticket
from mappings.mail import order_number_in
from mappings.payloads import load
from mappings.phones import to_e164
from mappings.protection import Hmac
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source

CONVERSATIONS = (
    "admin.closed admin.opened admin.replied user.created user.replied".split()  # conversation.…
)
TICKETS = "admin.replied contact.replied created state.updated".split()  # ticket.…
LEADS = "added_email created".split()  # contact.lead.…
IGNORED = frozenset(
    """
    ping
    contact.archive contact.archived contact.attached_to_company contact.deleted contact.email.updated
    contact.lead.signed_up contact.lead.tag.created contact.lead.tag.deleted contact.merged
    contact.subscribed contact.unsubscribed contact.user.created contact.user.tag.created
    contact.user.tag.deleted contact.user.updated
    conversation.admin.assigned conversation.admin.noted conversation.admin.single.created
    conversation.admin.snoozed conversation.admin.unsnoozed conversation.contact.attached
    conversation.contact.detached conversation.deleted conversation.priority.updated
    conversation.rating.added conversation.read conversation_part.redacted conversation_part.tag.created
    ticket.admin.assigned ticket.attribute.updated ticket.closed ticket.contact.attached
    ticket.contact.detached ticket.note.created ticket.rating.provided ticket.team.assigned
    """.split()
)
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def name_event(arrival: Arrival) -> Naming:
    """Name a notification by its topic and its id, which every attempt to deliver it repeats."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    topic, key, item = payload.get("topic"), payload.get("id"), _item(payload)
    kind = str(topic).partition(".")[0].removesuffix("_part") if isinstance(topic, str) else "unknown"
    number = _id(item)
    return Naming(
        type=topic[:100] if isinstance(topic, str) and topic else "unknown",
        dedup_key=key if isinstance(key, str) and key else arrival.body_digest,
        entity=f"{kind}-{number}" if number else None,
        version=padded(item.get("updated_at")) or padded(payload.get("created_at")),
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the conversation or ticket as it stands and for its contact; a lead is whole."""
    kind, item = event.type.partition(".")[0], _item(event.payload)
    if kind not in ("conversation", "ticket") or not _id(item):
        return
    yield Fetch("item", f"{kind}s/{_id(item)}", {"display_as": "plaintext"} if kind == "conversation" else {})
    if contact := _contact_id(item):
        yield Fetch("contact", f"contacts/{contact}")


def _item(payload: Any) -> Mapping[str, Any]:
    data = payload.get("data") if isinstance(payload, Mapping) else None
    item = data.get("item") if isinstance(data, Mapping) else None
    inner = item.get("ticket") if isinstance(item, Mapping) else None  # beside a `ticket_part`
    found = inner if isinstance(inner, Mapping) else item
    return found if isinstance(found, Mapping) else {}


def _id(thing: Any) -> str:
    number = thing.get("id") if isinstance(thing, Mapping) else None
    usable = isinstance(number, str | int) and not isinstance(number, bool) and _ID.fullmatch(str(number))
    return str(number) if usable else ""


def _contact_id(item: Mapping[str, Any]) -> str:
    listed = item.get("contacts")
    contacts = listed.get("contacts") if isinstance(listed, Mapping) else listed
    first = contacts[0] if isinstance(contacts, list) and contacts else item.get("user")
    return _id(first)


def open_conversation(event: Event) -> Iterable[OpenTicket]:
    """Turn a conversation into a ticket as it stands; raises CannotMap where nobody is known to ask."""
    talk = load(Conversation, event.fetched.get("item") or _item(event.payload))
    opening = talk["source"] if talk["source"]["body"] else talk["conversation_message"]
    description = plain(opening["body"])
    subject = plain(talk["title"] or opening["subject"])
    author = opening["author"]
    known = author if author["type"] in ("user", "lead", "contact") else {}
    yield OpenTicket(
        key=event.key,
        subject=subject or headline(description),
        description=description,
        requester=_requester(event, known, talk["user"]),
        priority="high" if talk["priority"] == "priority" else "",
        channel="intercom",
        order_number=order_number_in(subject),
        attachments=tuple(_attachment(file) for file in opening["attachments"]),
        status=status_of(talk["state"]),
        comments=_comments(talk["conversation_parts"]["conversation_parts"]),
        attributes=_filled(
            opened_at=moment_of(talk["created_at"]),
            tags=", ".join(tag["name"] for tag in talk["tags"]["tags"] if tag["name"]),
        ),
    )


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn a ticket into one as it stands; raises CannotMap where nobody is known to ask."""
    ticket = load(Ticket, event.fetched.get("item") or _item(event.payload))
    texts, state = ticket["ticket_attributes"], ticket["ticket_state"]
    word = state.get("category") if isinstance(state, Mapping) else state
    status = status_of(word) if isinstance(word, str) else None
    description = plain(texts["description"])
    yield OpenTicket(
        key=event.key,
        subject=texts["title"] or headline(description),
        description=description,
        requester=_requester(event),
        channel="intercom",
        order_number=order_number_in(texts["title"]),
        status=status,
        comments=_comments(ticket["ticket_parts"]["ticket_parts"]),
        attributes=_filled(
            opened_at=moment_of(ticket["created_at"]),
            ticket_number=ticket["ticket_id"],
            ticket_type=ticket["ticket_type"]["name"],
        ),
    )


def _requester(event: Event, *known: Mapping[str, str]) -> Person:
    """Return who asks: what is fetched goes before what the notification says."""
    fetched = load(Contact, event.fetched["contact"]) if event.fetched.get("contact") else {}
    people = [fetched, *known]
    name, email, phone = (
        next(filter(None, (p.get(key, "") for p in people)), "") for key in ("name", "email", "phone")
    )
    if not (name or email or phone):
        why = "nobody is named: the contact is an id only; set api_token_env of the source"
        raise CannotMap("data.item.contacts", why)
    phone = to_e164(phone, event.options.get("default_region"))
    return Person(name=name, email=email, phone=phone, language=fetched.get("language_override", ""))


def _comments(parts: list[dict[str, Any]]) -> tuple[Comment, ...]:
    # A note is among colleagues; what has no body is only something that was done.
    said = (part for part in parts if part["id"] and not part["part_type"].startswith("note"))
    found = (
        Comment(part["id"], part["author"]["name"] or part["author"]["email"], plain(part["body"]))
        for part in said
    )
    return tuple(comment for comment in found if comment.text)


def _attachment(file: dict[str, Any]) -> Attachment:
    size = file["filesize"]
    is_size = isinstance(size, int) and not isinstance(size, bool)
    return Attachment(file["name"], file["content_type"], size if is_size else None)


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a contact into a lead; raises CannotMap for one that is nothing but an id."""
    contact = load(Contact, _item(event.payload))
    if not (contact["name"] or contact["email"] or contact["phone"]):
        raise CannotMap("data.item.email", "the lead has neither a name nor an e-mail address nor a number")
    place = contact["location"]
    yield RegisterLead(
        key=event.key,
        person=Person(
            name=contact["name"],
            email=contact["email"],
            phone=to_e164(contact["phone"], event.options.get("default_region")),
            language=contact["language_override"],
        ),
        origin=event.options.get("origin") or event.source,
        attributes=flat(contact["custom_attributes"])
        | _filled(
            created_at=moment_of(contact["created_at"]),
            unsubscribed_from_emails="true" if contact["unsubscribed_from_emails"] is True else "",
            seen_at=", ".join(filter(None, (place["city"], place["region"], place["country"]))),
        ),
    )


def _filled(**attributes: str) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if value}


SOURCE = Source(
    type="intercom",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={f"conversation.{what}": open_conversation for what in CONVERSATIONS}
    | {f"ticket.{what}": open_ticket for what in TICKETS}
    | {f"contact.lead.{what}": register_lead for what in LEADS},
    ignored=IGNORED,
    signatures=(Hmac(header="x-hub-signature", algorithm="sha1", encoding="hex", prefix="sha1="),),
    api=SenderApi(url="https://api.intercom.io", is_optional=True),
    fetches=fetches,
    options={"default_region": str, "origin": str},
    head=True,
)
