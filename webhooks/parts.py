"""A post that holds several events, taken apart."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import simplejson

from mappings.source import Arrival, Source


def parts_of(kind: Source, whole: Arrival, body: bytes) -> list[tuple[Arrival, bytes]]:
    """Return each event of a request with its body: as it came, unless several came in one."""
    parts = kind.parts(whole.payload) if kind.parts else [whole.payload]
    if len(parts) == 1 and parts[0] is whole.payload:
        return [(whole, body)]
    written = [simplejson.dumps(part, use_decimal=True).encode() for part in parts]
    return [
        (replace(whole, payload=part, body_digest=hashlib.sha256(text).hexdigest()), text)
        for part, text in zip(parts, written, strict=True)
    ]
