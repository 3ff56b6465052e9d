"""Tally. Special: a choice is sent as the ids of its options, and each ticked box once more as a yes or no.

Facts: tally.so/help/webhooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.protection import Hmac
from mappings.reading.answers import Answer, lead_of_answers, said
from mappings.reading.bodies import read_object
from mappings.reading.event_ids import an_id, at
from mappings.reading.form_fields import LEAD_OPTIONS
from mappings.reading.payloads import load, sortable
from mappings.source import Arrival, Event, Naming, Source
from mappings.sources.tally.payload import Delivery

MEANINGS = {"INPUT_EMAIL": "email", "INPUT_PHONE_NUMBER": "phone"}


def name_event(arrival: Arrival) -> Naming:
    """Name a submission by its own id, else by that of the event."""
    payload, data = arrival.payload, at(arrival.payload, "data")
    type_ = an_id(at(payload, "eventType")) or "unknown"
    submission = an_id(at(data, "submissionId")) or an_id(at(data, "responseId"))
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{submission or an_id(at(payload, 'eventId')) or arrival.body_digest}",
        entity=f"response-{submission}" if submission else None,
        version=sortable(at(data, "createdAt")) or sortable(at(payload, "createdAt")),
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a submission into a lead; a question may be named in relay.toml by its label or its key.

    Raises CannotMap where the answers do not say who it was.
    """
    data = load(Delivery, event.payload)["data"]
    yield lead_of_answers(
        event,
        _answers(data["questions"]),
        origin=data["form_name"] or data["form_id"],
        attributes={"form_id": data["form_id"], "submitted_at": data["created_at"]},
    )


def _answers(questions: list[dict[str, Any]]) -> Iterator[Answer]:
    boxes = {f"{field['key']}_{option['id']}" for field in questions for option in field["options"]}
    for field in questions:
        if field["key"] not in boxes:
            means = MEANINGS.get(field["type"], "")
            yield Answer(_value(field), field["label"], (field["key"],), means)


def _value(field: dict[str, Any]) -> str:
    """Return an answer as its visitor read it; an id that is no option's is what was typed under "other"."""
    value, texts = field["value"], _texts(field["options"] + field["columns"])
    if isinstance(value, Mapping):  # a matrix: by the id of each row, the ids of its columns
        rows = _texts(field["rows"])
        cells = ((rows.get(row, row), _chosen(ids, texts)) for row, ids in value.items())
        return "; ".join(f"{row}: {chosen}" for row, chosen in cells if chosen)
    return _chosen(value, texts)


def _texts(options: list[dict[str, str]]) -> dict[str, str]:
    return {option["id"]: option["text"] for option in options}


def _chosen(value: Any, texts: Mapping[str, str]) -> str:
    chosen = value if isinstance(value, list) else [value]
    return ", ".join(filter(None, (_one(item, texts) for item in chosen)))


def _one(item: Any, texts: Mapping[str, str]) -> str:
    if isinstance(item, Mapping) and "url" in item:  # a file or a signature
        return " ".join(filter(None, (said(item.get("name")), said(item["url"]))))
    return texts.get(item) or item.strip() if isinstance(item, str) else said(item)


SOURCE = Source(
    type="tally",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"FORM_RESPONSE": register_lead},
    signatures=(Hmac("tally-signature"),),
    options=LEAD_OPTIONS,
)
