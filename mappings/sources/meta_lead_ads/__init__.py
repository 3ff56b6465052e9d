"""Meta Lead Ads (Facebook, Instagram). Special: posts hold ids only, in batches, and the lead must be fetched.

Facts: developers.facebook.com, "Webhooks: Getting started" and "Lead Ads: Retrieving leads".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.errors import CannotMap
from mappings.protection import Challenge, Hmac
from mappings.reading.answers import Answer, lead_of_answers
from mappings.reading.bodies import read_object
from mappings.reading.event_ids import a_number, an_id, at, epoch
from mappings.reading.form_fields import LEAD_OPTIONS
from mappings.reading.payloads import load
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.meta_lead_ads.payload import Lead, change_of, parts

#: What is asked for. Fields of the ad (`ad_name`, `campaign_id` …) need the permission ads_management, and without
#: it the whole answer is an error, so they are for relay.toml to add.
WANTED = "id created_time form_id is_organic platform field_data custom_disclaimer_responses".split()

#: Meta's own names of the questions that it offers ready-made; an owner's are slugs of their text.
MEANINGS = {
    "full_name": "name",
    "phone_number": "phone",
    "work_phone_number": "phone",
    "work_email": "email",
    "company_name": "company",
    "street_address": "address.street",
    "city": "address.city",
    "state": "address.region",
    "province": "address.region",
    "zip_code": "address.postcode",
    "post_code": "address.postcode",
    "country": "address.country",
}
#: How the values of a lead begin that Meta's testing tool made.
DUMMY = "<test lead: dummy data"


def name_event(arrival: Arrival) -> Naming:
    """Name a change by its lead; the id of nothing but fours is that of the dashboard's test button."""
    change = change_of(arrival.payload)
    type_ = an_id(at(change, "field")) or "unknown"
    number = a_number(at(change, "value", "leadgen_id")) if type_ == "leadgen" else ""
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{number or arrival.body_digest}",
        entity=f"lead-{number}" if number else None,
        version=epoch(at(change, "value", "created_time")) if number else None,
        test=len(number) > 8 and set(number) == {"4"},
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the lead; for an id that is none, for nothing, and its handler says so."""
    number = a_number(at(change_of(event.payload), "value", "leadgen_id"))
    more = event.options.get("lead_fields", [])
    if number:
        yield Fetch("lead", number, {"fields": ",".join(dict.fromkeys([*WANTED, *map(str, more)]))})


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn the fetched lead into one; nothing comes of the testing tool's, unless tests are to be delivered.

    Raises CannotMap where there is no lead, or one that says nothing about who it was.
    """
    if "lead" not in event.fetched:
        raise CannotMap("entry[0].changes[0].value.leadgen_id", "is not the number of a lead")
    lead = load(Lead, event.fetched["lead"])
    answers = [
        Answer(", ".join(filter(None, field["values"])), field["name"], means=MEANINGS.get(field["name"], ""))
        for field in lead["field_data"]
    ]
    if not event.options.get("deliver_tests") and any(a.value.startswith(DUMMY) for a in answers):
        return
    yield lead_of_answers(
        event,
        answers,
        origin=lead["campaign_name"] or "Meta Lead Ads",
        attributes=_attributes(lead, at(change_of(event.payload), "value")),
    )


def _attributes(lead: Mapping[str, Any], value: Any) -> dict[str, str]:
    ticks = lead["custom_disclaimer_responses"]
    names = "form_id ad_name adset_id adset_name campaign_id campaign_name platform".split()
    return {
        "submitted_at": lead["created_time"],
        "organic": lead["is_organic"],
        "agreed_to": ", ".join(tick["checkbox_key"] for tick in ticks if tick["is_checked"] in ("1", "true")),
        "page_id": an_id(at(value, "page_id")),
        "ad_id": lead["ad_id"] or an_id(at(value, "ad_id")),
        **{name: lead[name] for name in names},
    }


SOURCE = Source(
    type="meta_lead_ads",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"leadgen": register_lead},
    # What else a page may tell the same app, and no CRM wants.
    ignored=frozenset({"feed", "mention", "ratings", "videos", "live_videos", "picture", "name"}),
    signatures=(Hmac("x-hub-signature-256", encoding="hex", prefix="sha256="),),
    challenge=Challenge("hub.challenge", "hub.verify_token", ("hub.mode", "subscribe")),
    varies=frozenset({"entry.0.time"}),  # when it was sent, "not when the change occurred"
    parts=parts,
    # The documents put the token into the URL; as a header it is taken as well, and stays out of logs.
    api=SenderApi("https://graph.facebook.com/{api_version}"),
    fetches=fetches,
    options={**LEAD_OPTIONS, "api_version": str, "lead_fields": list},
)
