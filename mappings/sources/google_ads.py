"""Google Ads lead forms. Special: the key that proves the sender is in the body, and answers are known by column.

Facts: developers.google.com/google-ads/webhook/docs/implementation.
"""

from __future__ import annotations

from collections.abc import Iterable

from mappings.commands import RegisterLead
from mappings.formats.keys import slug
from mappings.protection import BodyKey
from mappings.reading.answers import Answer, lead_of_answers
from mappings.reading.bodies import read_object
from mappings.reading.event_ids import an_id, at
from mappings.reading.form_fields import LEAD_OPTIONS
from mappings.reading.payloads import Payload, Text, items, load, sortable
from mappings.source import Arrival, Event, Naming, Source

#: The columns that every form may have. `column_name` is their text in the language of the form, and may be absent.
COLUMNS = {
    "FULL_NAME": "name",
    "FIRST_NAME": "first_name",
    "LAST_NAME": "last_name",
    "EMAIL": "email",
    "WORK_EMAIL": "email",
    "PHONE_NUMBER": "phone",
    "WORK_PHONE": "phone",
    "COMPANY_NAME": "company",
    "STREET_ADDRESS": "address.street",
    "CITY": "address.city",
    "REGION": "address.region",
    "POSTAL_CODE": "address.postcode",
    "COUNTRY": "address.country",
    "JOB_TITLE": "job_title",
}


class Column(Payload):
    """An answer."""

    column_id = Text(load_default="")
    column_name = Text(load_default="")
    string_value = Text(load_default="")


class Lead(Payload):
    """What is posted; all ids but the lead's own are numbers of up to 64 bits."""

    lead_id = Text(load_default="")
    form_id = Text(load_default="")
    campaign_id = Text(load_default="")
    adgroup_id = Text(load_default="")
    creative_id = Text(load_default="")
    asset_group_id = Text(load_default="")
    gcl_id = Text(load_default="")
    lead_source = Text(load_default="")
    lead_stage = Text(load_default="")
    lead_submit_time = Text(load_default="")
    user_column_data = items(Column)


def name_event(arrival: Arrival) -> Naming:
    """Name a lead by its id, which Google calls unique across all forms; `is_test` marks the test button's."""
    number = an_id(at(arrival.payload, "lead_id"))
    return Naming(
        type="lead",
        dedup_key=number or arrival.body_digest,
        entity=f"lead-{slug(number)}" if number else None,  # it may have a hundred characters
        version=sortable(at(arrival.payload, "lead_submit_time")),
        test=at(arrival.payload, "is_test") is True,
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a lead form into a lead; a question may be named in relay.toml by its text or its column id.

    Raises CannotMap where the answers do not say who it was.
    """
    lead = load(Lead, event.payload)
    answers = [
        Answer(
            value=column["string_value"],
            label=column["column_name"],
            names=(column["column_id"],),
            means=COLUMNS.get(column["column_id"], ""),
        )
        for column in lead["user_column_data"]
    ]
    found = {
        "lead_id": lead["lead_id"],
        "form_id": lead["form_id"],
        "campaign_id": lead["campaign_id"],
        "ad_group_id": lead["adgroup_id"],
        "creative_id": lead["creative_id"],
        "asset_group_id": lead["asset_group_id"],
        "click_id": lead["gcl_id"],
        "lead_source": lead["lead_source"],
        "lead_stage": lead["lead_stage"],
        "submitted_at": lead["lead_submit_time"],
    }
    yield lead_of_answers(event, answers, origin="Google Ads", attributes=found)


SOURCE = Source(
    type="google_ads",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"lead": register_lead},
    signatures=(BodyKey("google_key"),),
    options=LEAD_OPTIONS,
)
