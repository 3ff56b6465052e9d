"""HubSpot. Special: an app's subscriptions send batches of ids, a workflow sends the contact whole.

Facts: developers.hubspot.com, "Webhooks API" and "Validating requests".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mappings.protection import FIVE_MINUTES, Hmac
from mappings.reading.bodies import read_json
from mappings.reading.event_ids import a_number, an_id, at, epoch
from mappings.reading.form_fields import LEAD_OPTIONS, named_by_content
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.hubspot.contacts import register_contact, register_fetched, wanted

#: In subscriptions to any kind of object, the contact's number among the kinds.
CONTACT = "0-1"

#: What happens to other objects, and to contacts what makes no lead.
IGNORED = frozenset(
    f"{kind}.{what}"
    for kind in ("contact", "company", "deal", "ticket", "product", "line_item", "object")
    for what in ("creation", "propertyChange", "deletion", "restore", "merge", "associationChange")
    if kind != "contact" or what not in ("creation", "propertyChange")
) | {
    "contact.privacyDeletion",
    *(
        f"conversation.{what}"
        for what in ("creation", "deletion", "newMessage", "privacyDeletion", "propertyChange")
    ),
}


def parts(payload: Any) -> list[Any]:
    """Return the events of a batch; a workflow's contact is no batch."""
    return payload if isinstance(payload, list) else [payload]


def name_event(arrival: Arrival) -> Naming:
    """Name an event by all that it says: its `eventId` is not unique, and `attemptNumber` differs in a retry."""
    payload = arrival.payload
    if at(payload, "vid") is not None and at(payload, "subscriptionType") is None:
        return _named_contact(arrival)
    type_ = an_id(at(payload, "subscriptionType")) or "unknown"
    if at(payload, "objectTypeId") == CONTACT:
        type_ = type_.replace("object.", "contact.", 1)
    number = a_number(at(payload, "objectId")) if type_.startswith("contact.") else ""
    kept = "portalId subscriptionId objectId occurredAt propertyName propertyValue".split()
    told = "\0".join(str(at(payload, name)) for name in kept)
    told_digest = hashlib.sha256(told.encode()).hexdigest()
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{told_digest if number else arrival.body_digest}",
        entity=f"contact-{number}" if number else None,
        version=epoch(at(payload, "occurredAt")) if number else None,
        # What the button "Test" of a subscription sends.
        test=(at(payload, "eventId"), at(payload, "objectId")) == (100, 123),
    )


def _named_contact(arrival: Arrival) -> Naming:
    """Name a workflow's contact by its state: no delivery of a workflow bears a number."""
    number, portal = a_number(at(arrival.payload, "vid")), an_id(at(arrival.payload, "portal-id"))
    changed = epoch(at(arrival.payload, "properties", "lastmodifieddate", "value"))
    if not (number and changed):
        return named_by_content(arrival, "workflow.contact", arrival.payload)
    key = f"workflow.contact:{portal}:{number}:{changed}"
    return Naming("workflow.contact", key, entity=f"contact-{number}", version=changed)


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the contact of a subscription's event; for an id that is none, for nothing."""
    number = a_number(at(event.payload, "objectId"))
    if event.type != "workflow.contact" and number:
        yield Fetch("contact", f"crm/v3/objects/contacts/{number}", {"properties": ",".join(wanted(event))})


#: The header of the first two schemes, which are plain digests; another header tells which of them it is.
_PLAIN = Hmac("x-hubspot-signature", encoding="hex", keyed=False)
_VERSION = "x-hubspot-signature-version"

SOURCE = Source(
    type="hubspot",
    media_types=frozenset({"application/json"}),
    read=read_json,
    name=name_event,
    handlers={
        "contact.creation": register_fetched,
        "contact.propertyChange": register_fetched,
        "workflow.contact": register_contact,
    },
    ignored=IGNORED,
    signatures=(
        Hmac(
            "x-hubspot-signature-v3",
            signed="{method}{url}{body}{ts}",
            timestamp_header="x-hubspot-request-timestamp",
            timestamp_in="milliseconds",
            tolerance=FIVE_MINUTES,
        ),
        replace(_PLAIN, signed="{secret}{method}{url}{body}", only_if=(_VERSION, "v2")),
        replace(_PLAIN, signed="{secret}{body}", only_if=(_VERSION, "v1")),
    ),
    varies=frozenset({"attemptNumber"}),
    parts=parts,
    api=SenderApi("https://api.hubapi.com", is_optional=True),
    fetches=fetches,
    options={**LEAD_OPTIONS, "properties": list},
)
