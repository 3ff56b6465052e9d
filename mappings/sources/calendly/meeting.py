"""What a booking of Calendly says of its meeting, by our own names.

Facts: developer.calendly.com, "Webhook payload". What is left out on purpose: addresses of the API, counters, times
of Calendly's own records, and the terms of a payment.
"""

from __future__ import annotations

import re
from typing import Any

from mappings.reading.event_ids import an_id


def number_of(uri: Any) -> str:
    """Return the last part of an address of the API: the id of what it leads to."""
    found = re.fullmatch(r"https?://[^/]+/(?:.+/)?([\w-]{1,100})", an_id(uri), re.ASCII)
    return found[1] if found else ""


def called_at(invitee: dict[str, Any]) -> str:
    """Return the invitee's number where the host is to call; else the place is no telephone of theirs."""
    place = invitee["scheduled_event"]["location"]
    return _typed(place["location"]) if place["type"] == "outbound_call" else ""


def attributes_of(invitee: dict[str, Any], type_: str) -> dict[str, str]:
    """Return the attributes of a booking or a cancellation, as `type_` says; empty ones are still among them."""
    meeting, place = invitee["scheduled_event"], invitee["scheduled_event"]["location"]
    hosts = (host["user_name"] or host["user_email"] for host in meeting["event_memberships"])
    moved = "rescheduled" if invitee["new_invitee"] else "canceled"
    return {
        "meeting": meeting["name"],
        "meeting_status": moved if type_ == "invitee.canceled" else "booked",
        "starts_at": meeting["start_time"],
        "ends_at": meeting["end_time"],
        "location": place["join_url"] or _typed(place["location"]) or place["type"],
        "hosts": ", ".join(filter(None, hosts)),
        "guests": ", ".join(guest["email"] for guest in meeting["event_guests"] if guest["email"]),
        "meeting_notes": meeting["meeting_notes_plain"],
        **_paid(invitee["payment"]),
        "timezone": invitee["timezone"],
        "cancel_url": invitee["cancel_url"],
        "reschedule_url": invitee["reschedule_url"],
        "cancelled_by": invitee["cancellation"]["canceled_by"],
        "cancel_reason": invitee["cancellation"]["reason"],
        "rescheduled_from": number_of(invitee["old_invitee"]),
        "rescheduled_to": number_of(invitee["new_invitee"]),
        **invitee["tracking"],
    }


def _typed(place: Any) -> str:
    return place.strip() if isinstance(place, str) else ""


def _paid(payment: dict[str, Any]) -> dict[str, str]:
    if not payment["amount"]:
        return {}
    word = {"true": "paid", "false": "failed"}.get(payment["successful"], "")
    return {
        "paid_amount": f"{payment['amount']} {payment['currency']}".strip(),
        "payment_status": word,
        "transaction_id": " ".join(filter(None, (payment["provider"], payment["external_id"]))),
    }
