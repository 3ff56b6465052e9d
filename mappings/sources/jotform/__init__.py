"""Jotform. Special: multipart, with the answers as JSON in one part, keyed `q<ID>_<name>` and escaped for HTML.

Facts: jotform.com/help, "How to Set Up a Webhook", and bodies that public receivers show. It signs nothing. The
readable part `pretty` is of no use: the labels in it contain the commas and colons that separate them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.errors import BadBody, CannotMap
from mappings.families.submissions import IP_ADDRESS, fields_of, named_by_number, named_in, written
from mappings.reading.bodies import read_form, read_object
from mappings.reading.form_fields import FORM_OPTIONS, lead_of
from mappings.source import Arrival, Event, Naming, Source
from mappings.sources.jotform.answers import Answers

_ANSWER = re.compile(r"q[0-9]{1,9}_.*", re.DOTALL)


def read_submission(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the parts, with the JSON of `rawRequest` read; raises BadBody as `read_form` does.

    A `rawRequest` that is no JSON stays a text: the form is well-formed, and a person can see what it says.
    """
    payload = read_form(body, content_type)
    raw = payload.get("rawRequest")
    if isinstance(raw, str):
        try:
            payload["rawRequest"] = read_object(raw.encode(), "application/json")
        except BadBody:
            return payload
    return payload


def name_event(arrival: Arrival) -> Naming:
    """Name a submission by `submissionID`, which an edit keeps; `event_id` tells when the form was opened.

    That time is the visitor's clock, and Jotform does not document it: where it is missing, edits are applied as
    they come in.
    """
    payload = fields_of(arrival.payload)
    number, raw = written(payload.get("submissionID")), payload.get("rawRequest")
    opened = written(fields_of(raw).get("event_id"))
    return named_by_number(
        arrival,
        f"submission-{number}" if re.fullmatch("[0-9]{1,25}", number) else "",
        [payload.get("formID"), _answers(raw) if isinstance(raw, Mapping) else raw],
        is_edited=True,
        state=opened,
        version=opened[:13] if re.match("[0-9]{13}_", opened) else None,
        is_final=False,
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a submission into a lead; raises CannotMap for one without readable answers or without a person."""
    payload = fields_of(event.payload)
    raw = payload.get("rawRequest")
    if not isinstance(raw, Mapping):
        raise CannotMap("rawRequest", "is missing, or is no JSON object")
    answers = Answers(named_in(event.options))
    for key, value in _answers(raw).items():
        answers.add(key, _unescaped(value))
    yield lead_of(
        event,
        answers.values,
        origin=html.unescape(written(payload.get("formTitle"))),
        address=answers.address,
        attributes={IP_ADDRESS: written(payload.get("ip"))},
    )


def _answers(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the visitor answered: all else is bookkeeping, but for the addresses of uploaded files."""
    return {k: v for k, v in raw.items() if _ANSWER.fullmatch(k) or _are_files(v)}


def _are_files(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, str) and item.startswith("https://") for item in value)
    )


def _unescaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _unescaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unescaped(item) for item in value]
    return html.unescape(value) if isinstance(value, str) else value


SOURCE = Source(
    type="jotform",
    media_types=frozenset({"multipart/form-data", "application/x-www-form-urlencoded"}),
    read=read_submission,
    name=name_event,
    handlers={"submitted": register_lead},
    options=FORM_OPTIONS,
)
