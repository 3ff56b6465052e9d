"""What a process knows of its configuration: one frozen Settings, fixed at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from mappings.protection import Signature
from mappings.vendor import Account
from worker.allowance import Allowance
from worker.breaker import Terms


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in the configuration: where, what, and how to mend it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class SettingsError(Exception):
    """The configuration cannot be used; `faults` are all of its faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class FormGuard:
    """What keeps robots out of a form on a public page.

    `honeypot` is a field that people do not see, `filled_at` one that holds the time when the page was opened
    (seconds or milliseconds since 1970), `least_seconds` how long a person takes. `captcha` names a service,
    whose secret is `captcha_secret`; a score below `least_score` is a robot's. `rate` is how many posts one
    address may send, in the words of the limits library ("10/minute"). `return_hosts` are those to which a
    plain HTML form may send its visitor afterwards.
    """

    honeypot: str = ""
    filled_at: str = ""
    least_seconds: float = 0.0
    captcha: str = ""
    captcha_secret: str = field(default="", repr=False)
    least_score: float = 0.5
    rate: str = ""
    return_hosts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TokenRenewal:
    """How the token of a source's interface is renewed, see `mappings.source.Renewal`; secrets as values.

    `first` is the refresh token to begin with; it is empty where the app's id and secret are enough.
    """

    url: str
    client_id: str
    lasts: timedelta
    client_secret: str = field(repr=False)
    first: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One `[sources.X]`: its secrets are values, already read from the environment.

    `secrets` sign (several while one is rotated), `tokens` are in the URL or a header. `signatures` are the
    sender's schemes as relay.toml changes them. `addresses` are the networks that may post; None means all.
    `public_url` is the source's own address as the sender calls it, where a proxy hides that. Of `api_token` and
    `renewal` one is set at most.
    """

    name: str
    type: str
    secrets: tuple[str, ...] = field(repr=False)
    options: Mapping[str, Any]
    allowed_origins: frozenset[str] = frozenset()
    deliver_tests: bool = False
    tokens: tuple[str, ...] = field(default=(), repr=False)
    signatures: tuple[Signature, ...] = ()
    addresses: tuple[IPv4Network | IPv6Network, ...] | None = None
    public_url: str = ""
    api_url: str = ""
    api_token: str = field(default="", repr=False)
    renewal: TokenRenewal | None = None
    guard: FormGuard | None = None
    unprotected: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One `[connections.X]`: one account at a vendor. Durations as timedelta, secrets as values."""

    name: str
    vendor: str
    base_url: str
    secrets: Mapping[str, str] = field(repr=False)
    account: Account
    paths: Mapping[str, str]
    verbs: Mapping[str, str]
    requests_per_second: float | None
    timeout: timedelta
    search_lag: timedelta
    give_up_after: timedelta
    requests_per_day: int | None = None
    day_zone: str = "UTC"
    concurrency: int | None = None
    breaker_after: int = 5

    @property
    def allowance(self) -> Allowance:
        """How many requests it may have."""
        return Allowance(self.requests_per_second, self.requests_per_day, self.day_zone)

    @property
    def terms(self) -> Terms:
        """When it is left alone, and how many deliveries may be in flight."""
        return Terms(self.breaker_after, self.concurrency, self.give_up_after)

    @property
    def queue(self) -> str:
        """The connection's queue at the broker."""
        return f"deliver.{self.name}"

    @property
    def task(self) -> str:
        """The name of its task, which tells an operator in Flower what is at work for which CRM."""
        return f"deliver.{self.vendor}.{self.name}"


@dataclass(frozen=True, slots=True)
class Route:
    """Which events of a source go to which connections; `events` None means all that are handled."""

    source: str
    to: tuple[str, ...]
    events: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Retention:
    """`[retention]`: how long payloads are kept after the end of their deliveries; None is for ever.

    `delivered` is also for what was superseded, `ignored` for what was skipped and what had nowhere to go.
    `remembered` is how long an emptied event is still known, so that a repetition of it is recognised.
    """

    delivered: timedelta | None = None
    ignored: timedelta | None = None
    failed: timedelta | None = None
    remembered: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a process needs to know, fixed at its start."""

    config_path: Path
    var: Path
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    sentry_dsn: str = field(repr=False)
    body_limit: int
    sources: Mapping[str, SourceSettings]
    connections: Mapping[str, ConnectionSettings]
    routes: tuple[Route, ...]
    trusted_proxies: int = 0  # how many proxies of ours stand before the receiver
    encryption_keys: tuple[bytes, ...] = field(default=(), repr=False)  # the first seals, all of them open
    retention: Retention = field(default_factory=Retention)

    def connections_of(self, source: str) -> list[str]:
        """Return all connections that events of `source` may go to, each once."""
        return list(
            dict.fromkeys(name for route in self.routes if route.source == source for name in route.to)
        )

    def connections_for(self, source: str, event_type: str) -> list[str]:
        """Return the connections that an event goes to, each once, in the order of the routes."""
        hit = [
            name
            for route in self.routes
            if route.source == source and (route.events is None or event_type in route.events)
            for name in route.to
        ]
        return list(dict.fromkeys(hit))
