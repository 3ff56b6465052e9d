"""Times and lengths of time as people type them: 90s, 30m, 2h, 7d, 8w, 2026-03-02T09:00:00Z."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from relay.errors import WrongInput

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str, units: str = "smhdw") -> timedelta:
    """Return the length of time that `text` names: a whole number and one of `units`. Raises ValueError."""
    # Five digits: with more, a date that long ago or ahead is beyond the calendar.
    found = re.fullmatch(rf"([0-9]{{1,5}})([{units}])", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a length of time")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment(text: str, now: datetime) -> datetime:
    """Return the time that `7d`, `36h`, `90m` ago or an ISO 8601 text means, which is UTC where it names no zone.

    Raises WrongInput.
    """
    with suppress(ValueError):
        return now - duration(text)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongInput(f"{text!r} is not a time: write 7d, 36h, 90m or 2026-03-02T09:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def written(at: datetime | None) -> str:
    """Return a time as `moment` reads it, to the microsecond."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else ""
