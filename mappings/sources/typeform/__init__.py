"""Typeform. Special: an answer stands under a key that its own `type` names, and skipped questions are absent.

Facts: typeform.com/developers, "Example payload" and "Secure your webhooks".
"""

from __future__ import annotations

import re
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
from mappings.sources.typeform.payload import Delivery

#: What an answer means by the type of its question; `legal` is the box under somebody's terms.
MEANINGS = {"email": "email", "phone_number": "phone", "legal": "consent"}

#: A title may quote an earlier answer; what stands for it differs from form to form, and its value per visitor.
_QUOTED = re.compile(r"\{\{[^{}]*\}\}")


def name_event(arrival: Arrival) -> Naming:
    """Name a submission by its token, which its retries share; `event_id` is another with each delivery."""
    response = at(arrival.payload, "form_response")
    type_ = an_id(at(arrival.payload, "event_type")) or "unknown"
    token = an_id(at(response, "token"))
    # Of one visitor come several partial submissions, all with one token.
    number = token if type_ == "form_response" else an_id(at(arrival.payload, "event_id"))
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{number or arrival.body_digest}",
        entity=f"response-{token}" if token else None,
        version=sortable(at(response, "submitted_at")),
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a submission into a lead; a question may be named in relay.toml by its title, its ref or its id.

    Raises CannotMap where the answers do not say who it was.
    """
    response = load(Delivery, event.payload)["form_response"]
    computed = {
        each["key"]: each["text"] or each["number"] or each["outcome_id"] for each in response["variables"]
    }
    found = {
        **computed,
        "form_id": response["form_id"],
        "submitted_at": response["submitted_at"],
        "score": response["calculated"]["score"] or computed.get("score", ""),
    }
    hidden = [Answer(said(value), str(name)) for name, value in response["hidden"].items()]
    yield lead_of_answers(
        event,
        [*_answers(response, at(event.payload, "form_response", "answers")), *hidden],
        origin=response["definition"]["title"] or response["form_id"],
        attributes=found,
    )


def _answers(response: dict[str, Any], given: Any) -> Iterator[Answer]:
    titles = {question["id"]: question["title"] for question in response["definition"]["questions"]}
    for reply, raw in zip(response["answers"], given or (), strict=True):
        question = reply["field"]
        title = _QUOTED.sub("…", titles.get(question["id"]) or question["title"])
        yield Answer(
            value=_value(raw.get(reply["type"])),
            label=title,
            names=(question["ref"], question["id"]),
            means=MEANINGS.get(question["type"]) or MEANINGS.get(reply["type"], ""),
        )


def _value(given: Any) -> str:
    if not isinstance(given, Mapping):
        return said(given)
    chosen = [given.get(name) for name in ("label", "labels", "other") if given.get(name)]
    return ", ".join(filter(None, map(said, chosen))) or said(given)


SOURCE = Source(
    type="typeform",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={"form_response": register_lead},
    ignored=frozenset({"form_response_partial"}),
    signatures=(Hmac("typeform-signature", prefix="sha256="),),
    varies=frozenset({"event_id"}),
    options=LEAD_OPTIONS,
)
