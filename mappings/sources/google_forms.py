"""Google Forms. Special: it sends nothing by itself; our script in the form does (docs/google-forms.gs).

Facts: developers.google.com/apps-script, "Event Objects" and "Class FormResponse". The script stands in the
form, not in its spreadsheet: there an edit is reported with the changed cells alone, and without a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mappings.commands import RegisterLead
from mappings.errors import CannotMap
from mappings.families.submissions import fields_of, named_by_number, named_in, written
from mappings.reading.bodies import read_object
from mappings.reading.form_fields import FORM_OPTIONS, flat, lead_of
from mappings.reading.payloads import sortable
from mappings.source import Arrival, Event, Naming, Source

#: What spreadsheets call the column of the time, which is no answer, in the languages of our forms.
TIME_COLUMNS = frozenset(
    {"timestamp", "zeitstempel", "horodateur", "marca temporal", "carimbo de data/hora", "dấu thời gian"}
)


def name_event(arrival: Arrival) -> Naming:
    """Name a response by Google's id of it, which an edit keeps; the script's clock orders the edits.

    Whether an edit moves the response's own time is not documented; hence the window, see `named_by_number`.
    Some triggers fire twice for one response, with all but the script's clock the same.
    """
    payload = fields_of(arrival.payload)
    number = written(payload.get("responseId"))
    moments = (sortable(payload.get("sentAt")), sortable(payload.get("timestamp")))
    return named_by_number(
        arrival,
        f"response-{number}" if re.fullmatch(r"[\w-]{1,200}", number, re.ASCII) else "",
        [payload.get(key) for key in ("formId", "respondentEmail", "namedValues", "test")],
        is_edited=True,
        state=written(payload.get("timestamp")),
        version=next(filter(None, moments), None),
        is_final=False,
        test=payload.get("test") is True,
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a response into a lead; raises CannotMap where nobody can be made out.

    The address that Google collected counts where no question asks for one.
    """
    payload = fields_of(event.payload)
    answers = payload.get("namedValues")
    if not isinstance(answers, dict):
        raise CannotMap("namedValues", "is missing: use the script in docs/google-forms.gs")
    named = named_in(event.options)
    values = {
        title: value
        for title, value in flat(answers).items()
        if title in named or title.strip().casefold() not in TIME_COLUMNS
    }
    collected = written(payload.get("respondentEmail"))
    if collected and collected not in values.values():
        values.setdefault("email address", collected)
    yield lead_of(event, values, origin=written(payload.get("formTitle")))


SOURCE = Source(
    type="google_forms",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"submitted": register_lead},
    options=FORM_OPTIONS,
)
