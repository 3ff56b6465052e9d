"""Zendesk. Special: an event names its requester by an id only; a trigger's body is what an administrator wrote.

So the events of a subscription (`zen:event-type:…`) are completed from the API: who asks, and all that was said
in public. Ids are text, enums are in capitals, and the `subject` at the top is no subject but an address.
Facts: developer.zendesk.com, "Webhook event types", "Ticket events", "Verifying webhooks", "Ticket Comments".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import OpenTicket
from mappings.families.help_desk import TICKET_OPTIONS, named_by_fields, ticket_of, told
from mappings.protection import Hmac
from mappings.reading.bodies import read_form
from mappings.reading.payloads import sortable
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.zendesk.ignored import IGNORED
from mappings.sources.zendesk.tickets import open_ticket

#: Our name = the placeholders of a trigger's body, with a point as _, which is how most name them.
KNOWN_AS = {
    "id": "ticket_id id",
    "subject": "ticket_title title subject",
    "description": "ticket_description description",
    "status": "ticket_status status",
    "priority": "ticket_priority priority",
    "channel": "ticket_via via",
    "name": "ticket_requester_name requester_name name",
    "email": "ticket_requester_email requester_email email",
    "phone": "ticket_requester_phone requester_phone phone",
    "company": "ticket_organization_name organization_name organization",
    "comment": "ticket_latest_public_comment latest_public_comment latest_comment comment",
    "updated": "ticket_updated_at_with_timestamp updated_at_with_timestamp updated_at",
    "tags": "ticket_tags tags",
    "url": "ticket_url url",
}
EVENT = "zen:event-type:"
CHANGES = ("created", "comment_added", "priority_changed", "status_changed", "subject_changed")


def name_event(arrival: Arrival) -> Naming:
    """Name an event by its id, which every try repeats; a trigger's body by its call, ticket, time and content.

    "Anatomy of a webhook request": every request has the id of its invocation, and an invocation has attempts.
    Without it a ticket that is solved, opened and solved within a minute stays open: placeholders count minutes.
    """
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    kind = payload.get("type")
    if not isinstance(kind, str) or not kind.startswith(EVENT):
        values = told(payload, KNOWN_AS, arrival.options.get("fields", {}))
        return named_by_fields(
            arrival, "trigger", values, arrival.headers.get("x-zendesk-webhook-invocation-id", "")
        )
    number = _id(payload, "id")
    key = payload.get("id")
    return Naming(
        type=kind.removeprefix(EVENT)[:100],
        dedup_key=key if isinstance(key, str) and key else arrival.body_digest,
        entity=f"ticket-{number}" if number and kind.startswith(f"{EVENT}ticket.") else None,
        version=sortable(payload.get("time")),
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the requester and for what was said; a trigger's body is whole."""
    if event.type == "trigger":
        return
    if requester := _id(event.payload, "requester_id"):
        yield Fetch("requester", f"users/{requester}.json")
    if ticket := _id(event.payload, "id"):
        newest = {"sort_order": "desc", "per_page": "100", "include": "users"}
        yield Fetch("comments", f"tickets/{ticket}/comments.json", newest)


def _id(payload: Any, name: str) -> str:
    detail = payload.get("detail") if isinstance(payload, Mapping) else None
    number = detail.get(name) if isinstance(detail, Mapping) else None
    usable = isinstance(number, str | int) and re.fullmatch("[0-9]{1,20}", str(number))
    return str(number) if usable else ""


def take_trigger(event: Event) -> Iterable[OpenTicket]:
    """Turn a trigger's body into its ticket; raises CannotMap where it names no ticket or no requester."""
    yield ticket_of(event, told(event.payload, KNOWN_AS, event.options.get("fields", {})))


SOURCE = Source(
    type="zendesk",
    media_types=frozenset({"application/json", "application/x-www-form-urlencoded"}),
    read=read_form,
    name=name_event,
    handlers={"trigger": take_trigger} | {f"ticket.{change}": open_ticket for change in CHANGES},
    ignored=IGNORED,
    # No tolerance: whether a try of hours later is signed anew is not documented.
    signatures=(
        Hmac(
            header="x-zendesk-webhook-signature",
            signed="{ts}{body}",
            timestamp_header="x-zendesk-webhook-signature-timestamp",
            timestamp_in="iso",
        ),
    ),
    api=SenderApi(url="https://{subdomain}.zendesk.com/api/v2", scheme="Basic ", is_optional=True),
    fetches=fetches,
    options={**TICKET_OPTIONS, "subdomain": str},
)
