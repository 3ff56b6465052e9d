"""Forms on public pages: what keeps robots out, and where a visitor without JavaScript goes afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Response, redirect, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

from webhooks.turns import Crowded, long_wait
from worker.settings import FormGuard, SourceSettings
from worker.telemetry import log

#: Where a captcha's answer is checked, and the form field that holds it (the services' own documents).
CAPTCHAS = {
    "turnstile": ("https://challenges.cloudflare.com/turnstile/v0/siteverify", "cf-turnstile-response"),
    "recaptcha": ("https://www.google.com/recaptcha/api/siteverify", "g-recaptcha-response"),
    "hcaptcha": ("https://api.hcaptcha.com/siteverify", "h-captcha-response"),
}
#: The field by which an HTML form says where its visitor goes next.
NEXT = "_next"
CAPTCHA_SECONDS = 5.0
#: Seconds that a post waits for the broker's count, and for which nobody asks a broker that failed.
COUNT_SECONDS, ALONE_SECONDS = 1.0, 10.0


@dataclass
class Guards:
    """Judges the posts of public forms.

    `storage` counts them, for all processes where it is a Redis; `spare` counts while that one is away.
    """

    storage: Storage = field(default_factory=MemoryStorage)
    spare: Storage = field(default_factory=MemoryStorage)
    captchas: Mapping[str, tuple[str, str]] = field(default_factory=lambda: CAPTCHAS)
    clock: Callable[[], float] = time.monotonic  # seconds
    _alone_until: float = 0.0

    # Made when a form first asks for it: to read the certificates takes a tenth of a second of each start.
    @cached_property
    def http(self) -> httpx.Client:
        """What a captcha's service is asked with."""
        return httpx.Client(timeout=CAPTCHA_SECONDS, trust_env=False)

    def slow_down(self, source: SourceSettings) -> None:
        """Raise TooManyRequests for an address that posts more often than the source allows."""
        guard = source.guard
        if guard is None or not guard.rate:
            return
        item, who = parse(guard.rate), (source.name, request.remote_addr or "")
        allowed = self._counted_together(item, who)
        if allowed is None:
            # A flood must not come in because the broker is away: each process then counts by itself.
            allowed = MovingWindowRateLimiter(self.spare).hit(item, *who)
        if not allowed:
            raise TooManyRequests(
                f"more than {guard.rate} from this address", retry_after=int(item.get_expiry())
            )

    def _counted_together(self, item: RateLimitItem, who: tuple[str, str]) -> bool | None:
        """Return whether the post is allowed, None where nobody can say."""
        if self.clock() < self._alone_until:
            return None
        try:
            with long_wait():
                return MovingWindowRateLimiter(self.storage).hit(item, *who)
        except Exception:  # noqa: BLE001  (each storage has errors of its own)
            self._alone_until = self.clock() + ALONE_SECONDS
            return None

    def spam(self, guard: FormGuard, payload: Any, now: float) -> str | None:
        """Return why a post is a robot's, None where it seems to be a person's. `now` is in epoch seconds."""
        fields = payload if isinstance(payload, Mapping) else {}
        if guard.honeypot and _text(fields, guard.honeypot):
            return f"spam: the field {guard.honeypot!r}, which people do not see, is filled in"
        if guard.filled_at and not _took_its_time(_text(fields, guard.filled_at), guard.least_seconds, now):
            return f"spam: filled in within less than {guard.least_seconds:g} s"
        return self._captcha(guard, fields) if guard.captcha else None

    def _captcha(self, guard: FormGuard, fields: Mapping[str, Any]) -> str | None:
        address, name = self.captchas[guard.captcha]
        answer = _text(fields, name)
        if not answer:
            return f"spam: no {guard.captcha} answer"
        form = {"secret": guard.captcha_secret, "response": answer, "remoteip": request.remote_addr or ""}
        try:
            with long_wait():
                said = self.http.post(address, data=form).json()
            passed, score = said.get("success") is True, said.get("score")
        except (httpx.HTTPError, ValueError, AttributeError, Crowded) as error:
            # Its answer is good for minutes and once, so it cannot be asked later; a lead lost is worse than a
            # robot let in.
            log().warning("captcha.not_checked", service=guard.captcha, error=type(error).__name__)
            return None
        if not passed:
            return f"spam: {guard.captcha} says no"
        if isinstance(score, int | float) and score < guard.least_score:
            return f"spam: {guard.captcha} gives {score:g} of 1"
        return None


def storage_for(broker_url: str) -> Storage:
    """Return where all processes count together: the broker's Redis, else the process's own memory."""
    url = broker_url.replace("redis+socket://", "redis+unix://", 1)
    bounds = {"socket_timeout": COUNT_SECONDS, "socket_connect_timeout": COUNT_SECONDS}
    found = storage_from_string(url, **bounds) if url.startswith("redis") else MemoryStorage()
    if not isinstance(found, Storage):  # the asynchronous kind, which only async+… addresses give
        raise TypeError(url)
    return found


def way_back(guard: FormGuard, payload: Any) -> Response | None:
    """Return the redirect to the form's own thank-you page, None for a script that wants JSON.

    Only to the hosts that relay.toml lists: anybody may write a form with any `_next`.
    """
    wanted = _text(payload, NEXT) if isinstance(payload, Mapping) else ""
    if not wanted or "text/html" not in request.headers.get("Accept", ""):
        return None
    parts = urlsplit(wanted)
    if parts.scheme not in ("http", "https") or parts.netloc not in guard.return_hosts:
        return None
    # werkzeug's, not flask's type; 303 makes the browser ask with GET (RFC 9110, section 15.4.4).
    return redirect(wanted, 303)  # type: ignore[return-value]


def _took_its_time(written: str, least_seconds: float, now: float) -> bool:
    if not written.isdecimal() or len(written) > 15:
        return False
    opened = int(written) / (1000 if len(written) > 11 else 1)
    return now - opened >= least_seconds


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    value = value[-1] if isinstance(value, list) and value else value
    return str(value).strip() if value is not None else ""
