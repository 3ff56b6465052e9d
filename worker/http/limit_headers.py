"""What an answer says of the vendor's own limit of requests, so that we pause before it refuses one.

Read are `RateLimit-Remaining`/`RateLimit-Reset` (draft-ietf-httpapi-ratelimit-headers up to 07), the same with
`X-` and as `X-Rate-Limit-…`, and `RateLimit: "default";r=0;t=30` (the draft since 08).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from worker.http.retry_after import told_at

#: The longest pause that we make for a limit nobody complained of: a reset in another unit is a mistake of ours.
LONGEST_PAUSE = timedelta(days=1)
_PREFIXES = ("ratelimit", "x-ratelimit", "x-rate-limit")
#: Above this a reset is a point in time, in seconds since 1970, and not a number of seconds …
_POINT = 1_000_000_000
#: … or in milliseconds.
_POINT_MS = 1_000_000_000_000
_NUMBER = re.compile(r"\d{1,15}(\.\d{1,9})?\Z")
_LEFT = re.compile(r";\s*r=(\d{1,15})(?=[\s;,]|\Z)")
_UNTIL = re.compile(r";\s*t=(\d{1,15})(?=[\s;,]|\Z)")


def limit_pause(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long the vendor takes no more requests, None where it does or says nothing that reads."""
    if not any("rate" in name and "limit" in name for name in headers):
        return None
    pauses = [_seconds(headers, reset) for reset in _spent(headers)]
    longest = max((pause for pause in pauses if pause is not None), default=0.0)
    return min(timedelta(seconds=longest), LONGEST_PAUSE) if longest > 0 else None


def _spent(headers: Mapping[str, str]) -> list[str]:
    """Return when each limit that is used up begins anew, as it is written."""
    found = []
    for prefix in _PREFIXES:
        left = headers.get(f"{prefix}-remaining", "").strip()
        if _NUMBER.match(left) and float(left) < 1:
            found.append(headers.get(f"{prefix}-reset", "").strip())
    # Several policies in one header are parted by commas; names in quotes hold none in practice.
    for policy in headers.get("ratelimit", "").split(","):
        left_, until = _LEFT.search(policy), _UNTIL.search(policy)
        if left_ and until and int(left_[1]) < 1:
            found.append(until[1])
    return found


def _seconds(headers: Mapping[str, str], reset: str) -> float | None:
    if not _NUMBER.match(reset):
        return None
    number = float(reset)
    if number < _POINT:
        return number
    return (number / 1000 if number >= _POINT_MS else number) - told_at(headers).timestamp()
