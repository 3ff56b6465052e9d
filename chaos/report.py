"""The table that a run prints, and the same as JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos.judge import Verdict
from chaos.runner import Row
from relay.listing import as_table

COLUMNS = ("fault", "events accepted", "lost", "doubled", "stuck", "parked", "")
WIDEST = 110


def table(rows: Sequence[Row]) -> str:
    """Return the table, and below it what was found and what was not run."""
    lines = [as_table([_cells(row) for row in rows], COLUMNS, WIDEST)]
    lines += [f"{row.name}: not run: {row.why}" for row in rows if row.verdict is None]
    lines += [
        f"{row.name}: {text}"
        for row in rows
        if not row.is_clean and row.verdict
        for text in (*row.verdict.findings, *row.findings)
    ]
    return "\n".join([*lines, summary(rows)])


def summary(rows: Sequence[Row]) -> str:
    """Return one line: how many rows were clean, not clean, and not run."""
    ran = [row for row in rows if row.verdict is not None]
    clean = sum(row.is_clean for row in ran)
    accepted = sum(row.verdict.accepted for row in ran if row.verdict)
    return (
        f"{clean} of {len(ran)} rows that ran are clean, {accepted} events accepted; "
        f"{len(rows) - len(ran)} not run"
    )


def _cells(row: Row) -> dict[str, str]:
    if row.verdict is None:
        return {**dict.fromkeys(COLUMNS, "-"), "fault": row.title, "": "not run"}
    said = {name: str(getattr(row.verdict, name)) for name in ("lost", "doubled", "stuck", "parked")}
    return {
        "fault": row.title,
        "events accepted": str(row.verdict.accepted),
        **said,
        "": "" if row.is_clean else "NOT CLEAN",
    }


def row_to_json(row: Row) -> dict[str, Any]:
    """Return a row as it is written to the report."""
    verdict = row.verdict
    cells = None if verdict is None else {name: getattr(verdict, name) for name in verdict.__slots__}
    return {
        "name": row.name,
        "title": row.title,
        "seed": row.seed,
        "clean": row.is_clean,
        "verdict": cells,
        "why_not_run": row.why,
        "findings": list(row.findings),
        "notes": list(row.notes),
        "seconds": row.seconds,
        "slowest": row.slowest,
    }


def row_from_json(written: Mapping[str, Any]) -> Row:
    """Return the row that `row_to_json` wrote."""
    cells = written["verdict"]
    return Row(
        written["name"],
        written["title"],
        written["seed"],
        None if cells is None else Verdict(**{**cells, "findings": tuple(cells["findings"])}),
        written["why_not_run"],
        tuple(written["findings"]),
        tuple(written["notes"]),
        written["seconds"],
        written["slowest"],
    )


def write(path: Path, rows: Sequence[Row], seed: int) -> None:
    """Write the whole run to `path`."""
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "rows": [row_to_json(row) for row in rows],
    }
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", "utf-8")
