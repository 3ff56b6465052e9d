"""Elementor Pro's forms. Special: the keys are labels, or with "Advanced Data" whole fields with their types.

Facts: the plugin's own source, modules/forms/actions/webhook.php and classes/form-record.php. It signs and
numbers nothing and waits for our answer while the visitor looks on: anything but 200 shows them an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.families.submissions import IP_ADDRESS, PAGE_TITLE, PAGE_URL, fields_of, named_in, written
from mappings.reading.bodies import read_form
from mappings.reading.form_fields import FORM_OPTIONS, flat, is_noise, lead_of, named_by_content
from mappings.source import Arrival, Event, Naming, Source

#: What the plugin appends to the fields, by its English title; an empty name is left out.
METADATA = {
    "Date": "",
    "Time": "",
    "Page URL": PAGE_URL,
    "Page Title": PAGE_TITLE,
    "User Agent": "",
    "Remote IP": IP_ADDRESS,
    "Powered by": "",
}
#: The same with "Advanced Data", by the plugin's own key, which no translation changes.
ADVANCED_METADATA = {"page_url": PAGE_URL, "page_title": PAGE_TITLE, "remote_ip": IP_ADDRESS}

#: Field types that say what the first field of their kind means, whatever language its label is in.
MEANINGS = {"email": "email", "tel": "phone", "acceptance": "consent"}
#: A password is nobody's business in a CRM; it stays in the stored event.
NOT_FILLED_IN = frozenset({"honeypot", "html", "password", "recaptcha", "recaptcha_v3", "step"})


def name_event(arrival: Arrival) -> Naming:
    """Name a submission by form and answers; the time and the browser in it differ when a visitor tries again."""
    payload = fields_of(arrival.payload)
    if _is_advanced(payload):
        asked = {key: fields_of(field).get("value") for key, field in payload["fields"].items()}
        return named_by_content(arrival, "submitted", [payload["form"].get("id"), asked])
    answers, _ = _parted(payload)
    return named_by_content(arrival, "submitted", [payload.get("form_id"), answers])


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a submission into a lead of its form; raises CannotMap where nobody can be made out."""
    payload = fields_of(event.payload)
    if _is_advanced(payload):
        meta = fields_of(payload.get("meta"))
        about = {
            ours: written(fields_of(meta.get(theirs)).get("value"))
            for theirs, ours in ADVANCED_METADATA.items()
        }
        values = _by_label(payload["fields"], named_in(event.options))
        yield lead_of(event, values, origin=written(payload["form"].get("name")), attributes=about)
    else:
        answers, about = _parted(payload)
        yield lead_of(event, flat(answers), origin=written(payload.get("form_name")), attributes=about)


def _is_advanced(payload: Mapping[str, Any]) -> bool:
    return isinstance(payload.get("form"), Mapping) and isinstance(payload.get("fields"), Mapping)


def _parted(payload: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the answers and what the plugin appended.

    Only from the end: a field that the owner called "Date" is an answer, as long as the plugin appends none.
    """
    names = [name for name in payload if name not in ("form_id", "form_name")]
    about = {}
    while names and names[-1] in METADATA:
        name = names.pop()
        about[METADATA[name]] = written(payload[name])
    about.pop("", None)
    # A field without a label comes as "No Label field_a1b2c3".
    return {name.removeprefix("No Label "): payload[name] for name in names}, about


def _by_label(fields: Mapping[str, Any], named: frozenset[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for key, given in fields.items():
        field = fields_of(given)
        kind, label = written(field.get("type")), written(field.get("title")) or key
        value = flat({"value": field.get("value")}).get("value", "")
        if not value or kind in NOT_FILLED_IN or is_noise(key):
            continue
        meaning = MEANINGS.get(kind, "")
        if key in named or label in named:
            name = key if key in named else label
        else:
            name = meaning if meaning and meaning not in values else label
        values[name if name not in values else key] = value
    return values


SOURCE = Source(
    type="elementor",
    media_types=frozenset({"application/x-www-form-urlencoded"}),
    read=read_form,
    name=name_event,
    handlers={"submitted": register_lead},
    options=FORM_OPTIONS,
)
