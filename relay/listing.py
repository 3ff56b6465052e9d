"""Rows of the ledger as a table for people or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

WIDEST = 60


def as_json(rows: Any) -> str:
    """Return `rows` as JSON, times in ISO 8601."""
    return json.dumps(rows, indent=2, ensure_ascii=False, default=_text)


def as_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], widest: int = WIDEST) -> str:
    """Return the named columns of `rows`, aligned, values cut that are longer than `widest`."""
    if not rows:
        return "nothing"
    cells = [list(columns), *([_cut(_text(row[c]), widest) for c in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join(
        "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)


def _cut(text: str, widest: int) -> str:
    return text if len(text) <= widest else f"{text[: widest - 1]}…"
