"""What a source must declare: how it is verified and read, how its events are named, what each one means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from mappings.commands import Command


@dataclass(frozen=True, slots=True)
class Hmac:
    """A keyed digest over the raw body, sent in a header.

    `algorithm` is a name of hashlib, `encoding` is `base64` or `hex`, `prefix` stands before the digest.
    """

    header: str
    algorithm: str = "sha256"
    encoding: str = "base64"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class UrlToken:
    """A secret in the URL that the sender was given: `?token=…`, or the password of `https://user:…@host/`."""

    parameter: str = "token"
    required: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """A verified request, read. Header names are in lower case; `options` is the source's table in relay.toml."""

    source: str
    headers: Mapping[str, str]
    payload: Any
    body_digest: str  # SHA-256 of the raw body, in hex
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Naming:
    """What an arrival is called.

    `dedup_key` is equal for two posts of the same event and for nothing else. Where the sender offers nothing
    better than the content itself, `window` says how long equal content still means the same event.
    `entity` names the thing the event is about, `version` sorts (as text) the states of that thing.
    """

    type: str
    dedup_key: str
    entity: str | None = None
    version: str | None = None
    test: bool = False
    window: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event, as its handler sees it."""

    source: str
    id: str
    type: str
    payload: Any
    headers: Mapping[str, str]
    entity: str | None = None
    version: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Our name of what this event is about, the same for every event about it: `shop-order-1001`."""
        return f"{self.source}-{self.entity or self.id}"


Handler = Callable[[Event], Iterable[Command]]
OptionType = type[str] | type[int] | type[bool] | type[list[str]] | type[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Source:
    """A sender. An event type in neither `handlers` nor `ignored` is unknown: stored, parked, shown."""

    type: str
    media_types: frozenset[str]
    read: Callable[[bytes, str], Any]  # raw body, content type → payload; raises BadBody
    name: Callable[[Arrival], Naming]
    handlers: Mapping[str, Handler]
    protection: Hmac | UrlToken
    ignored: frozenset[str] = frozenset()
    options: Mapping[str, OptionType] = field(default_factory=dict)  # further keys that its table may hold
    event_header: str = ""  # the header that names the event, where the body does not
