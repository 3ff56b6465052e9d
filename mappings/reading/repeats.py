"""What a post says of its event, without what a sender writes anew into each repetition of it."""

from __future__ import annotations

from typing import Any

import simplejson

from mappings.errors import BadBody
from mappings.reading.bodies import read_json


def substance(body: bytes, set_aside: frozenset[str]) -> bytes:
    """Return what `body` says beside the fields at the paths `set_aside`: equal for two posts that say the same.

    A path is names with dots between them, in lists numbers from 0. Where nothing is set aside, and where the body
    is no JSON, it is the body itself: then every byte counts.
    """
    if not set_aside:
        return body
    try:
        payload = read_json(body, "application/json")
    except BadBody:
        return body
    for path in set_aside:
        _remove(payload, path.split("."))
    written: str = simplejson.dumps(payload, use_decimal=True, sort_keys=True, separators=(",", ":"))
    return written.encode()


def _remove(payload: Any, path: list[str]) -> None:
    *way, last = path
    for name in way:
        if isinstance(payload, list):
            payload = payload[int(name)] if name.isdecimal() and int(name) < len(payload) else None
        else:
            payload = payload.get(name) if isinstance(payload, dict) else None
    if isinstance(payload, dict):
        payload.pop(last, None)
