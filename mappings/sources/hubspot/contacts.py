"""Contacts of HubSpot as leads: which of their properties are asked for, and what each means.

Facts: developers.hubspot.com, "Contacts" and "Webhooks API".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import fields

from mappings.commands import RegisterLead
from mappings.errors import CannotMap
from mappings.reading.answers import Answer, lead_of_answers, said
from mappings.reading.payloads import Payload, Text, items, load, part
from mappings.source import Event

#: The properties of a contact that a lead has a place for, and those that become an attribute under our name.
MEANINGS = {
    "firstname": "first_name",
    "lastname": "last_name",
    "email": "email",
    "phone": "phone",
    "mobilephone": "phone",
    "company": "company",
    "message": "message",
    "hs_legal_basis": "consent",
    "hs_language": "language",
    "address": "address.street",
    "city": "address.city",
    "state": "address.region",
    "zip": "address.postcode",
    "country": "address.country",
}


ATTRIBUTES = {
    "jobtitle": "job_title",
    "website": "website",
    "lifecyclestage": "lifecycle_stage",
    "hs_lead_status": "lead_status",
    "hs_analytics_source": "analytics_source",
}


class Submission(Payload):
    """A form that the contact sent, with the page on which it stands; a time is in milliseconds."""

    timestamp = fields.Raw(load_default=0)
    title = Text(load_default="")
    page_url = Text(load_default="", data_key="page-url")


class Company(Payload):
    """The company that the contact belongs to."""

    properties = fields.Dict(keys=fields.String(), load_default=dict)


class Whole(Payload):
    """A contact; in a workflow's webhook each property is an object with its history, and there is more with it."""

    properties = fields.Dict(keys=fields.String(), required=True)
    form_submissions = items(Submission, "form-submissions")
    associated_company = part(Company, "associated-company")


def wanted(event: Event) -> list[str]:
    """Return the properties to ask for: ours, and those of relay.toml, each an attribute of its own name."""
    return [*MEANINGS, *ATTRIBUTES, *map(str, event.options.get("properties", []))]


def register_fetched(event: Event) -> Iterable[RegisterLead]:
    """Turn the contact of a subscription's event, as it is now, into a lead; raises CannotMap without one."""
    if "contact" not in event.fetched:
        raise CannotMap("objectId", "is not the number of a contact")
    yield _lead(event, event.fetched["contact"])


def register_contact(event: Event) -> Iterable[RegisterLead]:
    """Turn a workflow's contact into a lead; raises CannotMap where it says nothing about who that is."""
    yield _lead(event, event.payload)


def _lead(event: Event, contact: Any) -> RegisterLead:
    whole = load(Whole, contact)
    given = whole["properties"]
    values = {name: _value(given.get(name)) for name in wanted(event)}
    values["company"] = values["company"] or _value(whole["associated_company"]["properties"].get("name"))
    form = max(whole["form_submissions"], key=_sent, default={"title": "", "page_url": ""})
    answers = [
        Answer(value, name, means=MEANINGS.get(name, ""))
        for name, value in values.items()
        if name not in ATTRIBUTES
    ]
    return lead_of_answers(
        event,
        answers,
        origin=form["title"] or "HubSpot",
        attributes={ours: values[theirs] for theirs, ours in ATTRIBUTES.items()}
        | {"page_url": form["page_url"]},
    )


def _sent(form: Mapping[str, Any]) -> int:
    moment = form["timestamp"]
    return moment if isinstance(moment, int) else 0


def _value(given: Any) -> str:
    return said(given.get("value") if isinstance(given, Mapping) else given)
