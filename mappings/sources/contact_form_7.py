"""Contact Form 7 with the plugin "CF7 to Webhook". Special: a template that yields no JSON comes as plain text.

Facts: the plugin's own source (github.com/mariovalney/cf7-to-zapier, modules/zapier) and contactform7.com,
"Special mail-tags". It signs nothing; a header of one's own can be set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.errors import BadBody, CannotMap
from mappings.families.submissions import (
    IP_ADDRESS,
    PAGE_TITLE,
    PAGE_URL,
    fields_of,
    named_by_number,
    named_in,
    written,
)
from mappings.reading.bodies import read_form, read_object
from mappings.reading.form_fields import FORM_OPTIONS, flat, is_noise, lead_of
from mappings.source import Arrival, Event, Naming, Source

#: Mail-tags that say something to a salesperson; all others begin with "_" as well and are dropped.
MAIL_TAGS = {"_url": PAGE_URL, "_post_url": PAGE_URL, "_post_title": PAGE_TITLE, "_remote_ip": IP_ADDRESS}

#: Names that the plugin's own generator of tags gives ("tel-927"), by what the tag is for.
_GENERATED = re.compile(r"(email|tel|acceptance)-[0-9]+|(acceptance)-.+")
MEANINGS = {"email": "email", "tel": "phone", "acceptance": "consent"}


def read_submission(body: bytes, content_type: str) -> Any:
    """Return the fields, or the text as it is where the owner's template made no JSON of them.

    The plugin keeps no copy: to refuse that text would lose a customer, so it is stored for a person to see.
    Raises BadBody for an empty body, and for JSON and forms that are none.
    """
    if not content_type.lower().startswith("text/plain"):
        return read_form(body, content_type)
    try:
        return read_object(body, content_type)
    except BadBody:
        if not body.strip():
            raise
        return body.decode("utf-8", "replace").replace("\0", "\ufffd")


def name_event(arrival: Arrival) -> Naming:
    """Name a submission by Flamingo's serial number where the template sends it, else by its answers."""
    payload = fields_of(arrival.payload)
    number = written(payload.get("_serial_number"))
    answers: Any = {k: v for k, v in payload.items() if not is_noise(k)} or arrival.payload
    return named_by_number(arrival, number if re.fullmatch("[0-9]{1,20}", number) else "", answers)


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a submission into a lead; raises CannotMap for a text that is no JSON, and where nobody is in it."""
    if isinstance(event.payload, str):
        raise CannotMap(
            "$",
            'the body template of "CF7 to Webhook" made no JSON: write each value as "[your-field]", the quotes '
            "around nothing but the tag",
        )
    payload = fields_of(event.payload)
    about = {ours: written(payload[tag]) for tag, ours in MAIL_TAGS.items() if payload.get(tag)}
    origin = written(payload.get("_contact_form_title"))
    yield lead_of(
        event, _with_meanings(flat(payload), named_in(event.options)), origin=origin, attributes=about
    )


def _with_meanings(values: Mapping[str, str], named: frozenset[str]) -> dict[str, str]:
    """Return the values, the first telephone number and its like under the name of what it is."""
    found: dict[str, str] = {}
    for name, value in values.items():
        generated = None if name in named else _GENERATED.fullmatch(name)
        meaning = MEANINGS[generated[1] or generated[2]] if generated else name
        found[name if meaning in found or (generated and meaning in values) else meaning] = value
    return found


SOURCE = Source(
    type="contact_form_7",
    media_types=frozenset({"application/json", "application/x-www-form-urlencoded", "text/plain"}),
    read=read_submission,
    name=name_event,
    handlers={"submitted": register_lead},
    options=FORM_OPTIONS,
)
