"""How long somebody who was asked too much, or cannot answer now, wants to be left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Nobody means a longer pause than this; a date in another century is a mistake.
LONGEST_PAUSE = timedelta(days=7)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return the Retry-After of an answer (RFC 9110, section 10.2.3), None where it has none that reads."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    now = told_at(headers)
    return max(timedelta(0), min(until - now, LONGEST_PAUSE)) if until.tzinfo else None


def told_at(headers: Mapping[str, str]) -> datetime:
    """Return when an answer was given, by its sender's own clock where it tells, which ours may be far from."""
    try:
        told = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, OverflowError):
        return datetime.now(UTC)
    return told if told.tzinfo else datetime.now(UTC)
