"""Zendesk. Special: an event names its requester by an id only; a trigger's body is what an administrator wrote.

So the events of a subscription (`zen:event-type:…`) are completed from the API: who asks, and all that was said
in public. Ids are text, enums are in capitals, and the `subject` at the top is no subject but an address.
Facts: developer.zendesk.com, "Webhook event types", "Ticket events", "Verifying webhooks", "Ticket Comments".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.bodies import read_form
from mappings.commands import Comment, OpenTicket, Person
from mappings.errors import CannotMap
from mappings.help_desk import (
    TICKET_OPTIONS,
    named_by_fields,
    plain,
    priority_of,
    status_of,
    ticket_of,
    told,
)
from mappings.mail import order_number_in
from mappings.payloads import load, sortable
from mappings.phones import to_e164
from mappings.protection import Hmac
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.zendesk_payload import Conversation, Notification, Requester

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
    "comment": "ticket_latest_public_comment latest_public_comment latest_comment",
    "updated": "ticket_updated_at_with_timestamp updated_at_with_timestamp updated_at",
    "tags": "ticket_tags tags",
    "url": "ticket_url url",
}
EVENT = "zen:event-type:"
CHANGES = ("created", "comment_added", "priority_changed", "status_changed", "subject_changed")
#: Events that change nothing which a CRM is told.
IGNORED = frozenset(
    f"ticket.{change}"
    for change in """
    agent_assignment_changed attachment_linked_to_comment attachment_redacted_from_comment brand_changed
    ccs_changed comment_made_private comment_redacted custom_field_changed custom_status_changed
    description_changed external_id_changed followers_changed form_changed group_assignment_changed
    marked_as_spam merged organization_changed permanently_deleted problem_link_changed requester_changed
    schedule_changed soft_deleted submitter_changed tags_changed task_due_at_changed ticket_form_changed
    ticket_type_changed type_changed undeleted
    """.split()
)


def name_event(arrival: Arrival) -> Naming:
    """Name an event by its id, which every try repeats; a trigger's body by its ticket, time and content."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    kind = payload.get("type")
    if not isinstance(kind, str) or not kind.startswith(EVENT):
        return named_by_fields(arrival, "trigger", told(payload, KNOWN_AS, arrival.options.get("fields", {})))
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


def open_ticket(event: Event) -> Iterable[OpenTicket]:
    """Turn an event into its ticket as it stands; raises CannotMap where nobody is known to ask."""
    ticket = load(Notification, event.payload)["detail"]
    if not event.fetched.get("requester"):
        why = "the event holds an id only: set api_token_env of the source, or let a trigger send the address"
        raise CannotMap("detail.requester_id", why)
    user = load(Requester, event.fetched["requester"])["user"]
    if not (user["name"] or user["email"] or user["phone"]):
        raise CannotMap("requester.user", "the requester has neither a name nor an address")
    status = status_of(ticket["status"], event.options.get("statuses"))
    attributes = {
        "opened_at": ticket["created_at"],
        "tags": ", ".join(filter(None, ticket["tags"])),
        "ticket_type": ticket["type"].lower(),
        "status": "" if status else ticket["status"],
    }
    yield OpenTicket(
        key=event.key,
        subject=ticket["subject"] or "(no subject)",
        description=plain(ticket["description"]),
        requester=Person(
            name=user["name"],
            email=user["email"],
            phone=to_e164(user["phone"], event.options.get("default_region")),
            language=user["locale"],
        ),
        priority=priority_of(ticket["priority"]),
        channel=ticket["via"]["channel"].lower(),
        order_number=order_number_in(ticket["subject"]),
        status=status,
        comments=_comments(event.fetched.get("comments")),
        attributes={name: value for name, value in attributes.items() if value},
    )


def _comments(answer: Any) -> tuple[Comment, ...]:
    conversation = load(Conversation, answer or {})
    names = {user["id"]: user["name"] for user in conversation["users"]}
    said = conversation["comments"][::-1]
    # The first comment of a ticket is its description; it is there unless there are more pages.
    later = said if conversation["next_page"] else said[1:]
    return tuple(
        Comment(
            id=comment["id"],
            author=names.get(comment["author_id"], ""),
            text=plain(comment["plain_body"] or comment["body"]),
        )
        for comment in later
        if comment["public"] is True and comment["id"]
    )


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
