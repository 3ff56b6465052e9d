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
    lines += [f"{row.name}: not run: {row.why}" for row in rows if not row.was_run]
    lines += [f"{row.name}: broke down: {row.broke}" for row in rows if row.broke]
    lines += [
        f"{row.name}: {text}"
        for row in rows
        if not row.is_clean
        for text in (*(row.verdict.findings if row.verdict else ()), *row.findings)
    ]
    return "\n".join([*lines, summary(rows)])


def summary(rows: Sequence[Row]) -> str:
    """Return one line: how many rows were clean, not clean, and not run."""
    ran = [row for row in rows if row.was_run]
    clean = sum(row.is_clean for row in ran)
    accepted = sum(row.verdict.accepted for row in ran if row.verdict)
    return (
        f"{clean} of {len(ran)} rows that ran are clean, {accepted} events accepted; "
        f"{len(rows) - len(ran)} not run"
    )


def exit_code(rows: Sequence[Row]) -> int:
    """Return 0 where every row ran and is clean, 1 where one is not, 2 where none ran, 3 where some did not run."""
    ran = [row for row in rows if row.was_run]
    if not ran:
        return 2
    if not all(row.is_clean for row in ran):
        return 1
    return 0 if len(ran) == len(rows) else 3


def _cells(row: Row) -> dict[str, str]:
    if row.verdict is None:
        said = "NOT RUN" if not row.was_run else "BROKE DOWN"
        return {**dict.fromkeys(COLUMNS, "-"), "fault": row.title, "": said}
    cells = {name: str(getattr(row.verdict, name)) for name in ("lost", "doubled", "stuck", "parked")}
    return {
        "fault": row.title,
        "events accepted": str(row.verdict.accepted),
        **cells,
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
        "broke": row.broke,
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
        written["broke"],
    )


def write(path: Path, rows: Sequence[Row], seed: int, cpu_seconds: float) -> None:
    """Write the whole run to `path`, with the CPU time that it took."""
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "cpu_seconds": round(cpu_seconds),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "rows": [row_to_json(row) for row in rows],
    }
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", "utf-8")
