"""Crisp. Special: a hook holds one message and no address, so the conversation is read from the API.

A conversation is one ticket: what its visitor said first is the request, all later messages are its comments.
Times are epoch milliseconds.
Facts: docs.crisp.chat, "Web Hooks Reference (V1)", "REST API Reference (V1)" and "Authentication".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings import ignored_events
from mappings.families.help_desk import padded
from mappings.protection import Hmac
from mappings.reading.bodies import read_object
from mappings.source import Arrival, Event, Fetch, Naming, SenderApi, Source
from mappings.sources.crisp.tickets import open_ticket

HANDLED = ("message:send", "message:received", "session:set_state")
_ID = re.compile(r"[\w-]{1,80}", re.ASCII)


def name_event(arrival: Arrival) -> Naming:
    """Name a message by its session and its fingerprint, another event by its session and time."""
    payload = arrival.payload if isinstance(arrival.payload, Mapping) else {}
    what, moment = payload.get("event"), padded(payload.get("timestamp"))
    session = _told(payload, "session_id")
    type_ = what[:100] if isinstance(what, str) and what else "unknown"
    told = moment
    if type_ in ("message:send", "message:received"):
        told = padded(_data(payload).get("fingerprint")) or moment
    return Naming(
        type=type_,
        dedup_key=f"{type_}:{session}:{told}" if session and told else arrival.body_digest,
        entity=session or None,
        version=moment,
    )


def fetches(event: Event) -> Iterable[Fetch]:
    """Ask for the conversation, which knows the visitor, and for what was said in it."""
    website, session = _told(event.payload, "website_id"), _told(event.payload, "session_id")
    if website and session:
        yield Fetch("conversation", f"website/{website}/conversation/{session}")
        yield Fetch("messages", f"website/{website}/conversation/{session}/messages")


def _data(payload: Any) -> Mapping[str, Any]:
    data = payload.get("data") if isinstance(payload, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _told(payload: Any, name: str) -> str:
    value = _data(payload).get(name) or (payload.get(name) if isinstance(payload, Mapping) else None)
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


SOURCE = Source(
    type="crisp",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers=dict.fromkeys(HANDLED, open_ticket),
    ignored=ignored_events.CRISP,
    # No tolerance: whether a later try is signed anew is not documented.
    signatures=(
        Hmac(
            header="x-crisp-signature",
            encoding="hex",
            signed="[{ts};{body}]",
            timestamp_header="x-crisp-request-timestamp",
            timestamp_in="milliseconds",
        ),
    ),
    api=SenderApi(url="https://api.crisp.chat/v1", scheme="Basic ", also={"x-crisp-tier": "plugin"}),
    fetches=fetches,
    options={"default_region": str},
)
