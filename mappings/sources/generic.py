"""Any program that can post JSON or a form. Special: nothing is known of it but what relay.toml says.

An array is taken apart: each element is an event of its own. The signature is described in `[sources.X.signature]`.
"""

from __future__ import annotations

from typing import Any

from werkzeug.http import parse_options_header

from mappings.families.by_paths import IGNORED, PATH_OPTIONS, ByPaths
from mappings.reading.bodies import read_form, read_json
from mappings.source import Source


def read(body: bytes, content_type: str) -> Any:
    """Return the JSON value, or the fields of the form; raises BadBody where the body is not what it claims."""
    media_type = parse_options_header(content_type)[0].lower()
    return (
        read_json(body, content_type) if media_type == "application/json" else read_form(body, content_type)
    )


def parts(payload: Any) -> list[Any]:
    """Return the events of an array, else the one event."""
    return payload if isinstance(payload, list) else [payload]


MAPPED = ByPaths()

SOURCE = Source(
    type="generic",
    media_types=frozenset({"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}),
    read=read,
    name=MAPPED.name,
    handlers=MAPPED.handlers,
    ignored=IGNORED,
    parts=parts,
    options=PATH_OPTIONS,
)
