"""A post that holds several events, taken apart."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import simplejson
from werkzeug.exceptions import RequestEntityTooLarge

from mappings.source import Arrival, Source

#: Events that one request may hold. HubSpot sends a hundred at most, Meta a thousand; a body of 1 MiB has room for
#: 350,000 empty ones, which would keep the ledger busy for minutes, and whoever posts meanwhile waiting.
MOST_EVENTS = 1000


def parts_of(sender: Source, whole: Arrival, body: bytes) -> list[tuple[Arrival, bytes]]:
    """Return each event of a request with its body: as it came, unless several came in one.

    Raises RequestEntityTooLarge for more than `MOST_EVENTS`.
    """
    parts = sender.parts(whole.payload) if sender.parts else [whole.payload]
    if len(parts) > MOST_EVENTS:
        raise RequestEntityTooLarge(f"{len(parts)} events in one request; send at most {MOST_EVENTS}")
    if len(parts) == 1 and parts[0] is whole.payload:
        return [(whole, body)]
    written = [simplejson.dumps(part, use_decimal=True).encode() for part in parts]
    return [
        (replace(whole, payload=part, body_digest=hashlib.sha256(text).hexdigest()), text)
        for part, text in zip(parts, written, strict=True)
    ]
