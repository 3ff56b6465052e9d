"""How the connections stand, as rows for people and programs, with a forecast of when each backlog is gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from worker.breaker import Phase
from worker.ledger.database import Database
from worker.ledger.standing import LOOK_BACK, Standing, standing
from worker.ledger.tables import State
from worker.settings import ConnectionSettings, Settings

HOUR = timedelta(hours=1)
#: Columns of the table that people get; JSON has all.
COLUMNS = (
    "connection",
    "state",
    "since",
    "next_try",
    "waits",
    "oldest",
    "in_flight",
    "per_minute",
    "gone_at",
    "reason",
)


def rows(settings: Settings, db: Database, now: datetime) -> list[Mapping[str, Any]]:
    """Return a row for each connection of relay.toml."""
    return [
        row(connection, standing(db, connection.name, now), now)
        for connection in settings.connections.values()
    ]


def row(connection: ConnectionSettings, stands: Standing, now: datetime) -> Mapping[str, Any]:
    """Return how one connection stands.

    `state` is the breaker's phase, or `held` where only a pause keeps it from being used; `waits` counts what is
    not in flight.
    """
    breaker, allowance = stands.breaker, connection.allowance
    is_held = breaker.phase == Phase.CLOSED and stands.held_until is not None
    waits = sum(number for state, number in stands.waiting.items() if state != State.SENDING)
    per_minute = round(stands.drained / (LOOK_BACK.total_seconds() / 60), 1)
    is_today = allowance.per_day is not None and stands.used.day == allowance.day_of(now)
    return {
        "connection": connection.name,
        "vendor": connection.vendor,
        "state": "held" if is_held else str(breaker.phase),
        "since": breaker.since,
        "reason": stands.held_reason if is_held else _why(stands, now, connection.give_up_after),
        "next_try": max(filter(None, (breaker.until, stands.held_until)), default=None),
        "waits": waits,
        "waiting": dict(sorted(stands.waiting.items())),
        "oldest": stands.oldest,
        "only_delivery": stands.alone,
        "in_flight": stands.in_flight,
        "may_be_in_flight": breaker.width if breaker.phase == Phase.RELEASING else connection.concurrency,
        "requests_today": (stands.used.day_used if is_today else 0) if allowance.per_day else None,
        "requests_per_day": allowance.per_day,
        "requests_per_second": allowance.per_second,
        "per_minute": per_minute,
        "gone_at": gone_at(waits, stands.drained, now),
    }


def _why(stands: Standing, now: datetime, patience: timedelta) -> str | None:
    """Return why it is not used; where it was tried in vain for longer than `patience`, what else it may be."""
    breaker = stands.breaker
    is_out = breaker.phase in (Phase.OPEN, Phase.HALF_OPEN) and breaker.since is not None
    lasted = now - breaker.since if is_out and breaker.since else timedelta(0)
    if lasted < patience:
        return breaker.reason
    other = f"delivery {stands.alone}, the only one" if stands.alone else "what waits"
    return f"{breaker.reason}; nothing went through for {lasted // HOUR} h: it is out, or the fault is in {other}"


def gone_at(waits: int, drained: int, now: datetime) -> datetime | None:
    """Return when the backlog is gone if it goes on as in the last minutes; None where nothing waits or moves."""
    if not waits or not drained:
        return None
    return now + waits * LOOK_BACK / drained
