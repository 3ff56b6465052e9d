"""Webflow. Special: webhooks made in the dashboard are not signed, and those of the first interface are flat.

Facts: developers.webflow.com, "Working with Webhooks" and "All events".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import fields

from mappings.commands import RegisterLead
from mappings.protection import FIVE_MINUTES, Hmac
from mappings.reading.bodies import read_object
from mappings.reading.event_ids import an_id, at
from mappings.reading.form_fields import FORM_OPTIONS, flat, lead_of, named_by_content
from mappings.reading.payloads import Payload, Text, load, sortable
from mappings.source import Arrival, Event, Naming, Source

#: The other triggers of a site.
IGNORED = frozenset(
    """
    site_publish page_created page_metadata_updated page_deleted ecomm_new_order ecomm_order_changed
    ecomm_inventory_changed collection_item_created collection_item_changed collection_item_deleted
    collection_item_published collection_item_unpublished comment_created
    """.split()
)


class Submission(Payload):
    """A submission; where two names are given, the second is that of the first interface (V1)."""

    name = Text(load_default="")
    data = fields.Dict(required=True)
    form_id = Text(load_default="", data_key="formId")
    page_url = Text(load_default="", data_key="pageUrl")
    submitted_at = Text(load_default="", data_key="submittedAt")
    d = Text(load_default="")


def _submission(payload: Any) -> Any:
    """Return the submission of a payload, which V1 sends without an envelope."""
    return at(payload, "payload") if at(payload, "triggerType") else payload


def name_event(arrival: Arrival) -> Naming:
    """Name a submission by its id; one without is known again by its content for some minutes."""
    submission = _submission(arrival.payload)
    is_flat = submission is arrival.payload and isinstance(at(submission, "data"), Mapping)
    type_ = "form_submission" if is_flat else an_id(at(arrival.payload, "triggerType")) or "unknown"
    number = an_id(at(submission, "id")) or an_id(at(submission, "_id"))
    if type_ != "form_submission":
        return Naming(type=type_, dedup_key=f"{type_}:{arrival.body_digest}")
    if not number:
        return named_by_content(arrival, type_, submission)
    moment = at(submission, "submittedAt") or at(submission, "d")
    return Naming(type_, f"{type_}:{number}", entity=f"submission-{number}", version=sortable(moment))


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a submission into a lead; its fields bear the names that they have in the Designer.

    Raises CannotMap where none of them says who it was.
    """
    submission = load(Submission, _submission(event.payload))
    found = {
        "form_id": submission["form_id"],
        "page_url": submission["page_url"],
        "submitted_at": submission["submitted_at"] or submission["d"],
    }
    yield lead_of(event, flat(submission["data"]), origin=submission["name"], attributes=found)


SOURCE = Source(
    type="webflow",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"form_submission": register_lead},
    ignored=IGNORED,
    signatures=(
        Hmac(
            "x-webflow-signature",
            encoding="hex",
            signed="{ts}:{body}",
            timestamp_header="x-webflow-timestamp",
            timestamp_in="milliseconds",
            tolerance=FIVE_MINUTES,
        ),
    ),
    options=FORM_OPTIONS,
)
