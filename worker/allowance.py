"""What a connection's budget lets through: a pure decision about one request, shared by all workers in the ledger.

Per second it is a row of slots: each request takes the next one, and nobody may run further ahead than a second's
worth. Look-ups and changes have a row of their own each, at half the rate, which counts only while the other kind
was turned away a moment ago: alone either may have all of it, together each gets half.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: How far ahead of its rate a connection may run: short bursts pass, the average holds.
BURST = timedelta(seconds=1)
#: How long after it was turned away a kind of request still counts as waiting: until the sweep has come back to it.
WAITS_FOR = timedelta(seconds=3)
#: The part of the rate that either kind has for sure.
SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Allowance:
    """What relay.toml allows: requests per second and per day, each None where there is no limit.

    A day begins at midnight in `zone`, the vendor's own.
    """

    per_second: float | None = None
    per_day: int | None = None
    zone: str = "UTC"

    def __bool__(self) -> bool:
        return self.per_second is not None or self.per_day is not None

    def day_of(self, now: datetime) -> str:
        """Return the vendor's date, as 2026-03-02."""
        return now.astimezone(ZoneInfo(self.zone)).date().isoformat()

    def next_day(self, now: datetime) -> datetime:
        """Return the vendor's next midnight, in UTC."""
        there = now.astimezone(ZoneInfo(self.zone)).date() + timedelta(days=1)
        return datetime.combine(there, time(), ZoneInfo(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Used:
    """What was used by now: when the next slot is free, and how many requests the day has had."""

    next_at: datetime | None = None
    next_create_at: datetime | None = None
    next_lookup_at: datetime | None = None
    creates_waited_at: datetime | None = None
    lookups_waited_at: datetime | None = None
    day: str | None = None
    day_used: int = 0


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """There is no request for `wait`; `whole` says that this is so for either kind."""

    wait: timedelta
    reason: str
    whole: bool = True


def spend(used: Used, allowance: Allowance, changes: bool, now: datetime) -> tuple[Used, TurnedAway | None]:
    """Take one request, which changes something at the vendor or looks something up; return what is used then.

    Nothing is taken where it is turned away, but that it was is noted.
    """
    day = allowance.day_of(now) if allowance.per_day is not None else used.day
    today = used.day_used if used.day == day else 0
    if allowance.per_day is not None and today >= allowance.per_day:
        said = f"the connection's {allowance.per_day} requests of the day are used up"
        return used, TurnedAway(allowance.next_day(now) - now, said)
    counted = replace(used, day=day, day_used=today + 1)
    if allowance.per_second is None:
        return counted, None
    spacing = timedelta(seconds=1 / allowance.per_second)
    mine = used.next_create_at if changes else used.next_lookup_at
    said = f"the connection's {allowance.per_second:g} requests per second are used up"
    away = _wait(used.next_at, now, said)
    if away is None and _is_recent(used.lookups_waited_at if changes else used.creates_waited_at, now):
        kind, others = ("changes", "look-ups") if changes else ("look-ups", "changes")
        away = _wait(mine, now, f"{said} as far as {kind} go, while {others} wait")
        away = replace(away, whole=False) if away else None
    if away is not None:
        waited = replace(used, creates_waited_at=now) if changes else replace(used, lookups_waited_at=now)
        return waited, away
    own = max(now, mine or now) + spacing / SHARE
    # What it had beyond its share while it was alone is not held against it later.
    own = min(own, now + BURST + spacing / SHARE)
    taken = replace(counted, next_at=max(now, used.next_at or now) + spacing)
    return (replace(taken, next_create_at=own) if changes else replace(taken, next_lookup_at=own)), None


def _wait(next_at: datetime | None, now: datetime, reason: str) -> TurnedAway | None:
    wait = (next_at or now) - now - BURST
    return TurnedAway(wait, reason) if wait > timedelta(0) else None


def _is_recent(waited_at: datetime | None, now: datetime) -> bool:
    return waited_at is not None and now - waited_at < WAITS_FOR
