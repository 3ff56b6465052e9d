"""A form on any web page. Special: nobody fixed the names of its fields, and it signs and numbers nothing."""

from __future__ import annotations

from collections.abc import Iterable

from mappings.commands import RegisterLead
from mappings.reading.bodies import read_form
from mappings.reading.form_fields import FORM_OPTIONS, flat, is_noise, lead_of, named_by_content
from mappings.source import Arrival, Event, Naming, Source


def name_event(arrival: Arrival) -> Naming:
    """Name a submission: the same values from the same source within the window are the same submission."""
    noise = arrival.options.get("noise", ())
    fields = {k: v for k, v in arrival.payload.items() if not is_noise(k) and k not in noise}
    return named_by_content(arrival, "submitted", fields)


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn the fields into a lead; every field that has a value and a meaning for nobody is an attribute.

    Raises CannotMap where there is neither a name nor an e-mail address nor a telephone number.
    """
    noise = event.options.get("noise", ())
    values = {name: value for name, value in flat(event.payload).items() if name not in noise}
    # What the browser says first; a page that knows better has a field of its own.
    spoken = event.headers.get("accept-language", "").split(",")[0].partition(";")[0].strip()
    yield lead_of(event, values, language=spoken if spoken != "*" else "")


SOURCE = Source(
    type="form",
    media_types=frozenset(
        {"application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain"}
    ),
    read=read_form,
    name=name_event,
    handlers={"submitted": register_lead},
    is_public=True,
    options=FORM_OPTIONS,
)
