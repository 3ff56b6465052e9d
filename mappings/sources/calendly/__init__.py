"""Calendly. Special: moving a meeting is two events, a cancellation and a booking that name each other.

Facts: developer.calendly.com, "Webhook payload" and "Webhook signatures".
"""

from __future__ import annotations

from collections.abc import Iterable

from mappings.commands import RegisterLead
from mappings.protection import FIVE_MINUTES, Hmac
from mappings.reading.answers import Answer, lead_of_answers
from mappings.reading.bodies import read_object
from mappings.reading.event_ids import an_id, at
from mappings.reading.form_fields import LEAD_OPTIONS
from mappings.reading.payloads import load, sortable
from mappings.source import Arrival, Event, Naming, Source
from mappings.sources.calendly.meeting import attributes_of, called_at, number_of
from mappings.sources.calendly.payload import Delivery

#: The question that every new event type of Calendly comes with.
USUAL_QUESTION = "Please share anything that will help prepare for our meeting."


def name_event(arrival: Arrival) -> Naming:
    """Name an event by its invitee, who is another one after each move of the meeting."""
    payload = arrival.payload
    type_ = an_id(at(payload, "event")) or "unknown"
    invitee = at(payload, "payload")
    number = number_of(at(invitee, "uri")) if type_.startswith("invitee.") else ""
    moments = (at(invitee, "updated_at"), at(payload, "created_at"), at(invitee, "created_at"))
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{number or arrival.body_digest}",
        entity=f"invitee-{number}" if number else None,
        version=next(filter(None, map(sortable, moments)), None),
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a booking into a lead with its meeting; a cancellation is the same lead with what became of it.

    Raises CannotMap where the invitee has neither a name nor an e-mail address.
    """
    invitee = load(Delivery, event.payload)["payload"]
    own = {"name": "name", "first_name": "first_name", "last_name": "last_name", "email": "email"}
    answers = [
        *(Answer(invitee[theirs], theirs, means=ours) for theirs, ours in own.items()),
        Answer(invitee["text_reminder_number"] or called_at(invitee), "text_reminder_number", means="phone"),
        *(
            Answer(asked["answer"], asked["question"], means=_meaning(asked["question"]))
            for asked in invitee["questions_and_answers"]
        ),
    ]
    yield lead_of_answers(
        event,
        answers,
        origin=invitee["scheduled_event"]["name"] or "Calendly",
        attributes=attributes_of(invitee, event.type),
    )


def _meaning(question: str) -> str:
    return "message" if question == USUAL_QUESTION else ""


SOURCE = Source(
    type="calendly",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"invitee.created": register_lead, "invitee.canceled": register_lead},
    ignored=frozenset(
        {"invitee_no_show.created", "invitee_no_show.deleted", "routing_form_submission.created"}
    ),
    signatures=(
        Hmac(
            "calendly-webhook-signature",
            encoding="hex",
            signed="{ts}.{body}",
            parted_by=",",
            signature_name="v1",
            timestamp_name="t",
            tolerance=FIVE_MINUTES,
        ),
    ),
    options=LEAD_OPTIONS,
)
