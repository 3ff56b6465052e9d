"""What an event is named by, found in payloads of any shape: nothing here ever fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ID = re.compile(r"[!-~]{1,200}")  # printable ASCII without space
_EPOCH = re.compile(r"[0-9]{1,15}")


def at(payload: Any, *path: str) -> Any:
    """Return the value at `path`, None where there is none."""
    for name in path:
        payload = payload.get(name) if isinstance(payload, Mapping) else None
    return payload


def an_id(value: Any) -> str:
    """Return a sender's id as text, "" for what cannot be one; numbers keep all of their digits."""
    usable = isinstance(value, int | str) and not isinstance(value, bool) and _ID.fullmatch(str(value))
    return usable[0] if usable else ""


def a_number(value: Any) -> str:
    """Return an id that is all digits as text, "" for anything else: such a one may go into a path."""
    text = an_id(value)
    return text if re.fullmatch("[0-9]{1,30}", text) else ""


def epoch(value: Any) -> str | None:
    """Return a time since 1970, a number or its text, so that its text order is its order; None for no such."""
    text = an_id(value)
    return text.zfill(15) if _EPOCH.fullmatch(text) else None
