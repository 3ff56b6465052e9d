"""Freshdesk. Special: an automation rule's author writes the body, nothing signs, numbers or dates it.

"Simple" content comes inside `freshdesk_webhook` with the names below, "advanced" content is any JSON: then
`fields` in relay.toml says what is what. Descriptions are HTML, dates are sentences in the account's language.
Facts: support.freshdesk.com, "Using webhooks in automation rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import OpenTicket
from mappings.families.help_desk import TICKET_OPTIONS, named_by_fields, ticket_of, told
from mappings.reading.bodies import read_form
from mappings.source import Arrival, Event, Naming, Source

#: Our name = the names of the placeholders, as the "simple" content and as most write them in an advanced one.
KNOWN_AS = {
    "id": "ticket_id id",
    "subject": "ticket_subject subject",
    "description": "ticket_description description ticket_description_text",
    "status": "ticket_status status",
    "priority": "ticket_priority priority",
    "channel": "ticket_source source",
    "name": "ticket_contact_name ticket_requester_name",
    "email": "ticket_contact_email ticket_requester_email email",
    "phone": "ticket_contact_phone ticket_requester_phone phone ticket_contact_mobile ticket_requester_mobile",
    "company": "ticket_requester_company_name ticket_company_name company",
    "comment": "ticket_latest_public_comment latest_comment",
    "event": "triggered_event",
    # Which placeholder tells when a ticket was changed is not documented: [sources.X.fields] updated = "…".
    "updated": "updated updated_at",
    "tags": "ticket_tags tags",
    "url": "ticket_url url",
    "due_by": "ticket_due_by_time",
}
#: The numbers of the REST API, which an advanced content may hold instead of words.
NUMBERS = {
    "status": {"2": "open", "3": "pending", "4": "resolved", "5": "closed"},
    "priority": {"1": "low", "2": "medium", "3": "high", "4": "urgent"},
}


def name_event(arrival: Arrival) -> Naming:
    """Name a call of a rule by ticket, event, time and content; equal ones without a time within two hours."""
    return named_by_fields(arrival, "ticket", _told(arrival.payload, arrival.options))


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn what the rule tells into the ticket as it stands; raises CannotMap without an id or a requester."""
    values = _told(event.payload, event.options)
    numbered = {name: NUMBERS[name].get(values.get(name, ""), values.get(name, "")) for name in NUMBERS}
    yield ticket_of(event, values | numbered)


def _told(payload: Any, options: Mapping[str, Any]) -> dict[str, str]:
    wrapped = payload.get("freshdesk_webhook") if isinstance(payload, Mapping) else None
    return told(wrapped if isinstance(wrapped, Mapping) else payload, KNOWN_AS, options.get("fields", {}))


SOURCE = Source(
    type="freshdesk",
    media_types=frozenset({"application/json", "application/x-www-form-urlencoded"}),
    read=read_form,
    name=name_event,
    handlers={"ticket": open_ticket},
    options=TICKET_OPTIONS,
)
