"""What a source must declare: how it is verified and read, how its events are named, what each one means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from marshmallow.fields import Field

from mappings.commands import Command
from mappings.protection import Challenge, Ping, Signature


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
    `settle` is how long its deliveries wait before they are due, for what may yet come to nothing. `settles` is
    the entity whose waiting deliveries this event makes needless: its own, or that of which it is the outcome.
    """

    type: str
    dedup_key: str
    entity: str | None = None
    version: str | None = None
    test: bool = False
    window: timedelta | None = None
    settle: timedelta | None = None
    settles: str | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Data that a thin event lacks, to be read at the sender's own interface before it is mapped.

    The handler finds the JSON of the answer in `Event.fetched[name]`. `path` is below the source's `api_url`.
    """

    name: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a token that ends is renewed: by a form posted to `url` (RFC 6749, sections 4.4.2 and 6).

    `{api}` in `url` is the address of the sender's interface, other `{}` are options of the source. With the grant
    `refresh_token` each renewal needs the token that came with the one before it, and one to begin with; with
    `client_credentials` the app's id and secret are enough. A token `lasts` as long where the answer does not say.
    """

    url: str
    grant: Literal["refresh_token", "client_credentials"]
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class SenderApi:
    """The sender's own interface: its usual address, and how the token of relay.toml is sent.

    `header` takes the token after `scheme`; `parameter` is for senders that want it in the URL, `also` are
    further headers, which hold no secret. What is in `{}` of `url` is an option of the source. It `is_optional`
    where only some of the sender's events are thin: without a token in relay.toml nothing is fetched, and the
    handlers of those events say what they miss. `renewal` is for senders whose tokens end.
    """

    url: str
    header: str = "authorization"
    scheme: str = "Bearer "
    parameter: str = ""
    also: Mapping[str, str] = field(default_factory=dict)
    is_optional: bool = False
    user_agent: str = ""  # for senders that demand to be told who calls; `{}` as in `url`
    renewal: Renewal | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event, as its handler sees it; `fetched` holds what was asked for by `Source.fetches`."""

    source: str
    id: str
    type: str
    payload: Any
    headers: Mapping[str, str]
    entity: str | None = None
    version: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    fetched: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Our name of what this event is about, the same for every event about it: `shop-order-1001`."""
        return f"{self.source}-{self.entity or self.id}"


Handler = Callable[[Event], Iterable[Command]]
OptionType = type[str] | type[int] | type[bool] | type[list[str]] | type[dict[str, str]] | Field[Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A sender. An event type in neither `handlers` nor `ignored` is unknown: stored, parked, shown.

    `read` turns the raw body and its content type into a payload and raises BadBody. `signatures` are the
    schemes that the sender knows; without a secret in relay.toml a token protects the source. `parts` takes a
    payload that holds several events apart. `api` and `fetches` are for thin events. A source that `is_public`
    stands on a page where anybody may post. `options` are further keys that the source's table in relay.toml may
    hold, each with its type or a marshmallow field, `event_header` is the header that names the event, where the
    body does not. `varies` are paths of what tells of one post and not
    of the event, such as the number of tries: a repetition that differs in nothing else says nothing new. `head`
    says that the sender looks with a HEAD request whether the address is there, `consents` that it asks by OPTIONS
    for leave to post ("HTTP 1.1 Web Hooks" of CloudEvents).
    """

    type: str
    media_types: frozenset[str]
    read: Callable[[bytes, str], Any]
    name: Callable[[Arrival], Naming]
    handlers: Mapping[str, Handler]
    signatures: tuple[Signature, ...] = ()
    ignored: frozenset[str] = frozenset()
    options: Mapping[str, OptionType] = field(default_factory=dict)
    event_header: str = ""
    challenge: Challenge | None = None
    ping: Ping | None = None
    parts: Callable[[Any], list[Any]] | None = None
    api: SenderApi | None = None
    fetches: Callable[[Event], Iterable[Fetch]] | None = None
    is_public: bool = False
    varies: frozenset[str] = frozenset()
    head: bool = False
    consents: bool = False
