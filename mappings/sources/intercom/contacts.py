"""Leads of Intercom: contacts that are nobody's user yet."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.commands import Person, RegisterLead, filled
from mappings.errors import CannotMap
from mappings.families.help_desk import moment_of
from mappings.formats.phones import to_e164
from mappings.reading.form_fields import flat
from mappings.reading.payloads import load
from mappings.source import Event
from mappings.sources.intercom.payload import Contact, item_of

CAME_FROM = "referrer utm_campaign utm_content utm_medium utm_source utm_term".split()


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
