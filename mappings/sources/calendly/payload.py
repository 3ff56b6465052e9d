"""The parts of a booking that we use, named as Calendly names them.

Facts: developer.calendly.com, "Webhook payload".
"""

from __future__ import annotations

from marshmallow import fields

from mappings.reading.payloads import Payload, Text, items, part


class QuestionAndAnswer(Payload):
    """A question of the booking page; the answer to several boxes has a line for each."""

    question = Text(load_default="")
    answer = Text(load_default="")


class Host(Payload):
    """One of those whom the invitee meets."""

    user_name = Text(load_default="")
    user_email = Text(load_default="")


class Guest(Payload):
    """Somebody whom the invitee brings along."""

    email = Text(load_default="")


class Payment(Payload):
    """What the invitee paid for the meeting."""

    external_id = Text(load_default="")
    provider = Text(load_default="")
    amount = Text(load_default="")
    currency = Text(load_default="")
    successful = Text(load_default="")


class Location(Payload):
    """Where it takes place; online there is an address to join, for `outbound_call` the invitee's own number."""

    type = Text(load_default="")
    location = fields.Raw(load_default=None)
    join_url = Text(load_default="")


class Meeting(Payload):
    """What was booked; webhooks made long ago leave it out."""

    name = Text(load_default="")
    start_time = Text(load_default="")
    end_time = Text(load_default="")
    location = part(Location)
    event_memberships = items(Host)
    event_guests = items(Guest)
    meeting_notes_plain = Text(load_default="")


class Cancellation(Payload):
    """Who called it off and why."""

    canceled_by = Text(load_default="")
    reason = Text(load_default="")


class Tracking(Payload):
    """What was in the link that led to the booking."""

    utm_source = Text(load_default="")
    utm_medium = Text(load_default="")
    utm_campaign = Text(load_default="")
    utm_content = Text(load_default="")
    utm_term = Text(load_default="")
    salesforce_uuid = Text(load_default="")


class Invitee(Payload):
    """Somebody who booked; `first_name` and `last_name` only where the booking page asks for both."""

    name = Text(load_default="")
    first_name = Text(load_default="")
    last_name = Text(load_default="")
    email = Text(load_default="")
    text_reminder_number = Text(load_default="")
    timezone = Text(load_default="")
    cancel_url = Text(load_default="")
    reschedule_url = Text(load_default="")
    old_invitee = Text(load_default="")
    new_invitee = Text(load_default="")
    questions_and_answers = items(QuestionAndAnswer)
    scheduled_event = part(Meeting)
    cancellation = part(Cancellation)
    tracking = part(Tracking)
    payment = part(Payment)


class Delivery(Payload):
    """What is posted."""

    payload = fields.Nested(Invitee, required=True)
