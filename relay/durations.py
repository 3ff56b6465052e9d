"""Lengths of time as people type them: 90s, 30m, 2h, 7d, 8w."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str, units: str = "smhdw") -> timedelta:
    """Return the length of time that `text` names: a whole number and one of `units`. Raises ValueError."""
    # Five digits: with more, a date that long ago or ahead is beyond the calendar.
    found = re.fullmatch(rf"([0-9]{{1,5}})([{units}])", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a length of time")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
