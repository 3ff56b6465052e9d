"""Standard Webhooks and Svix. Special: the id of a message is in a header and is signed with time and body.

Facts: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md: the payload is {type, timestamp,
data}; `webhook-id` is the same in every attempt of a message; keys are base64 after `whsec_`; five minutes.
Svix calls the same headers svix-*.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mappings.families.by_paths import IGNORED, PATH_OPTIONS, ByPaths
from mappings.protection import FIVE_MINUTES, Hmac
from mappings.reading.bodies import read_object
from mappings.source import Arrival, Source

# Other versions in the list, such as the asymmetric v1a, do not begin with the prefix and are passed over.
_STANDARD = Hmac(
    "webhook-signature",
    prefix="v1,",
    parted_by=" ",
    signed="{id}.{ts}.{body}",
    timestamp_header="webhook-timestamp",
    id_header="webhook-id",
    tolerance=FIVE_MINUTES,
    key_is="base64",
    secret_prefix="whsec_",  # noqa: S106  # nosec B106 # how every such secret begins, no secret
)
_SVIX = replace(_STANDARD, header="svix-signature", timestamp_header="svix-timestamp", id_header="svix-id")


def message_id(arrival: Arrival, envelope: Any) -> str:
    """Return the id of the message, which is signed."""
    return arrival.headers.get("webhook-id", "").strip() or arrival.headers.get("svix-id", "").strip()


MAPPED = ByPaths(key=message_id, defaults={"event": "type", "version": "timestamp", "placed_at": "timestamp"})

SOURCE = Source(
    type="standard_webhooks",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=MAPPED.name,
    handlers=MAPPED.handlers,
    ignored=IGNORED,
    signatures=(_STANDARD, _SVIX),
    options=PATH_OPTIONS,
)
