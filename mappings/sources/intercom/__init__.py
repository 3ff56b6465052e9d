"""Intercom. Special: leads have no e-mail address, and tickets name their contact by an id only.

With a token in relay.toml the conversation or ticket is read whole and its contact with it; without one, a
conversation tells what its notification tells. Intercom looks with HEAD if the address is there, and pings.
Facts: developers.intercom.com, "Set up webhooks", "Webhook topics", "Webhook notification object".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import Person, RegisterLead, filled
from mappings.errors import CannotMap
from mappings.families.help_desk import moment_of, padded
from mappings.formats.phones import to_e164
from mappings.protection import Hmac
from mappings.reading.bodies import read_object
from mappings.reading.form_fields import flat
from mappings.reading.payloads import load
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.intercom.ignored import IGNORED
from mappings.sources.intercom.payload import Contact, item_of, progress_of
from mappings.sources.intercom.tickets import open_conversation, open_ticket

#: Of conversation.…; an operator is Fin or another bot.
CONVERSATIONS = "admin.closed admin.opened admin.replied operator.replied user.created user.replied".split()
TICKETS = "admin.replied contact.replied created state.updated".split()  # ticket.…
CAME_FROM = "referrer utm_campaign utm_content utm_medium utm_source utm_term".split()
LEADS = "added_email created".split()  # contact.lead.…
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def name_event(arrival: Arrival) -> Naming:
    """Name a notification by its topic and its id, which every attempt to deliver it repeats."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    topic, key, item = payload.get("topic"), payload.get("id"), item_of(payload)
    kind = str(topic).partition(".")[0].removesuffix("_part") if isinstance(topic, str) else "unknown"
    number = _id(item)
    moment = padded(item.get("updated_at")) or padded(payload.get("created_at"))
    return Naming(
        type=topic[:100] if isinstance(topic, str) and topic else "unknown",
        dedup_key=key if isinstance(key, str) and key else arrival.body_digest,
        entity=f"{kind}-{number}" if number else None,
        version=f"{moment}-{progress_of(item, topic)}" if moment else None,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the conversation or ticket as it stands and for its contact; a lead is whole."""
    kind, item = event.type.partition(".")[0], item_of(event.payload)
    if kind not in ("conversation", "ticket") or not _id(item):
        return
    yield Fetch("item", f"{kind}s/{_id(item)}", {"display_as": "plaintext"} if kind == "conversation" else {})
    if contact := _contact_id(item):
        yield Fetch("contact", f"contacts/{contact}")


def _id(thing: Any) -> str:
    number = thing.get("id") if isinstance(thing, Mapping) else None
    usable = isinstance(number, str | int) and not isinstance(number, bool) and _ID.fullmatch(str(number))
    return str(number) if usable else ""


def _contact_id(item: Mapping[str, Any]) -> str:
    listed = item.get("contacts")
    contacts = listed.get("contacts") if isinstance(listed, Mapping) else listed
    first = contacts[0] if isinstance(contacts, list) and contacts else item.get("user")
    return _id(first)


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a contact into a lead; raises CannotMap for one that is nothing but an id."""
    contact = load(Contact, item_of(event.payload))
    if not (contact["name"] or contact["email"] or contact["phone"]):
        raise CannotMap("data.item.email", "the lead has neither a name nor an e-mail address nor a number")
    place = contact["location"]
    yield RegisterLead(
        key=event.key,
        person=Person(
            name=contact["name"],
            email=contact["email"],
            phone=to_e164(contact["phone"], event.options.get("default_region")),
            language=contact["language_override"] or contact["browser_language"],
        ),
        origin=event.options.get("origin") or event.source,
        attributes=flat(contact["custom_attributes"])
        | filled(
            created_at=moment_of(contact["created_at"]),
            unsubscribed_from_emails="true" if contact["unsubscribed_from_emails"] is True else "",
            seen_at=", ".join(filter(None, (place["city"], place["region"], place["country"]))),
            **{name: contact[name] for name in CAME_FROM},
        ),
    )


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
    varies=frozenset({"delivery_attempts", "delivery_status", "delivered_at", "first_sent_at"}),
    head=True,
)
