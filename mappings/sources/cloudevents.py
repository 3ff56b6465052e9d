"""CloudEvents over HTTP. Special: one event comes in three shapes, and its attributes may be headers.

Facts: cloudevents.io, "HTTP Protocol Binding" (binary, structured, batched; header values are percent-encoded),
"HTTP 1.1 Web Hooks" (a sender asks for leave), the JSON format (`data_base64`), and the specification 1.0.2:
`source` and `id` together are unique to each event, and repeated with it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from werkzeug.http import parse_options_header

from mappings.errors import BadBody
from mappings.families.by_paths import IGNORED, PATH_OPTIONS, ByPaths
from mappings.reading.bodies import read_json
from mappings.source import Arrival, Source

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def read(body: bytes, content_type: str) -> Any:
    """Return the event, the list of events of a batch, or `{"data": …}` where the headers say the rest.

    Raises BadBody for what is not JSON, and for events that are no objects.
    """
    value = read_json(body, content_type)
    media_type = parse_options_header(content_type)[0].lower()
    if media_type not in (STRUCTURED, BATCH):
        return {"data": value}
    # An event of a batch is stored by itself, under the content type of the batch.
    if media_type == BATCH and isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    if not isinstance(value, dict):
        raise BadBody("a CloudEvent is a JSON object, and a batch an array of such")
    return value


def parts(payload: Any) -> list[Any]:
    """Return the events of a batch, else the one event."""
    return payload if isinstance(payload, list) else [payload]


def envelope(payload: Any, headers: Mapping[str, str]) -> Any:
    """Return the event as it is in structured mode, whatever mode it came in."""
    if isinstance(payload, Mapping) and "data" not in payload and "data_base64" in payload:
        payload = {**payload, "data": _decoded(payload)}
    attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    if "id" in attributes and isinstance(payload, Mapping) and set(payload) == {"data"}:
        return {**payload, **attributes}
    data = payload.get("data") if isinstance(payload, Mapping) else None
    # Not in the standard, but often seen: a structured event that calls itself plain JSON.
    is_structured = isinstance(payload, Mapping) and "specversion" not in payload
    return data if is_structured and isinstance(data, Mapping) and "specversion" in data else payload


def _decoded(event: Mapping[str, Any]) -> Any:
    """Return the JSON in `data_base64`, which some write however readable it is; None where that is no JSON."""
    try:
        return read_json(base64.b64decode(event["data_base64"], validate=True), "application/json")
    except (BadBody, TypeError, ValueError):
        return None


def event_key(arrival: Arrival, event: Any) -> str:
    """Return source and id; empty where one is missing, which the specification forbids."""
    found = [event.get(name) if isinstance(event, Mapping) else None for name in ("source", "id")]
    return " ".join(map(str, found)) if all(isinstance(part, str) and part for part in found) else ""


MAPPED = ByPaths(
    envelope=envelope, key=event_key, defaults={"event": "type", "version": "time", "placed_at": "time"}
)

SOURCE = Source(
    type="cloudevents",
    media_types=frozenset({"application/json", STRUCTURED, BATCH}),
    read=read,
    name=MAPPED.name,
    handlers=MAPPED.handlers,
    ignored=IGNORED,
    parts=parts,
    options=PATH_OPTIONS,
    consents=True,
)
