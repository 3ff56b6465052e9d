"""`python -m bench`: both measurements in one run, their ratios, and whether the targets were met."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import accepts, report
from bench.deliveries import Backlogs
from bench.processes import DidNotRun, Processes
from bench.report import Progress, Ratio, Series, ratio
from bench.site import Site

#: Seconds that all rounds may take together; on a slow machine there are fewer.
LIMIT_SECONDS = 275.0
SLOW_CRM_MS = 50
SLOW_CRM_ROUNDS = 2

Tables = dict[str, list[Series]]


def main() -> int:
    """Measure and return 0, whatever the ratios; 1 where something did not run."""
    asked = _arguments()
    if not Path("/proc/self/stat").exists():
        return report.fail("needs /proc, to count the workers' CPU seconds: run it on Linux")
    var = Path(os.environ.get("RELAY_VAR") or "var").absolute()
    var.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    # Beside the real ledger: the system's folder may be in memory, where a commit costs nothing.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=var, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        facts = report.machine(folder)
        print(report.machine_line(facts))
        processes = Processes(folder)
        try:
            tables, ratios = _measure(folder, processes, asked, report.progress())
        except DidNotRun as error:
            return report.fail(str(error))
        except KeyboardInterrupt:
            return report.fail("interrupted")
        finally:
            processes.stop_all()
    _print(facts, tables, ratios)
    report.write_json(var / "bench.json", facts, tables, ratios)
    print(f"\nThe same as JSON: {var / 'bench.json'}")
    return 0


def _measure(
    folder: Path, processes: Processes, asked: argparse.Namespace, tell: Progress
) -> tuple[Tables, list[Ratio]]:
    began = time.monotonic()
    site = Site(folder, processes)
    rates = accepts.measure(site, asked.rounds, asked.seconds, tell)
    tables: Tables = {
        "Webhooks accepted per second (gunicorn, 2 processes; by hand 8 threads each)": rates[:3],
        "Milliseconds to the answer, 99th percentile, 16 senders": rates[3:6],
        "Milliseconds of CPU per accepted webhook (receiver, with its hand-off)": rates[6:],
    }
    ours, by_hand, bare = rates[:3]
    ours_cpu, by_hand_cpu, _ = rates[6:]
    ratios = [
        ratio("accepts: CRM Relay ÷ by hand", ours, by_hand, 1.5, "at least 1.5 × its accepts"),
        ratio("accepts: CRM Relay ÷ bare Flask", ours, bare),
        ratio("CPU per accept: by hand ÷ CRM Relay", by_hand_cpu, ours_cpu),
    ]
    backlogs = Backlogs(site, asked.events, tell)
    until = began + LIMIT_SECONDS
    _add(tables, ratios, backlogs.measure(asked.rounds, 0, until), 0)
    if time.monotonic() + backlogs.round_seconds < until:
        rows = backlogs.measure(min(asked.rounds, SLOW_CRM_ROUNDS), SLOW_CRM_MS, until)
        _add(tables, ratios, rows, SLOW_CRM_MS)
    else:
        tell(f"no time left for the CRM that answers after {SLOW_CRM_MS} ms")
    return tables, ratios


def _add(tables: Tables, ratios: list[Ratio], rows: list[Series], latency_ms: int) -> None:
    crm = "CRM answers at once" if not latency_ms else f"CRM answers after {latency_ms} ms"
    tables[f"Leads delivered per CPU second of the worker ({crm})"] = rows[:2]
    tables[f"Leads delivered per second (1 process, 32 threads; {crm})"] = rows[2:]
    target, promise = (None, "") if latency_ms else (0.6, "at least 0.6 × its deliveries per CPU second")
    ours, by_hand, ours_per_second, by_hand_per_second = rows
    title = f"CRM Relay ÷ by hand, CRM {latency_ms} ms"
    ratios += [
        ratio(f"per CPU second: {title}", ours, by_hand, target, promise),
        ratio(f"per second: {title}", ours_per_second, by_hand_per_second),
    ]


def _print(facts: dict[str, Any], tables: Tables, ratios: list[Ratio]) -> None:
    for title, rows in tables.items():
        print(f"\n{report.table(title, rows)}")
    print("\nRatios, median of the rounds (least to most)")
    for one in ratios:
        print(one.line())
    print(
        "\n`by hand` is bench/by_hand.py: task.delay() in the request, one httpx call per task, one httpx.Client"
        "\nshared by the process. It stores nothing durable, checks no duplicates and retries nothing."
        f"\n{report.machine_line(facts)}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="of load per receiver and round (default 3)"
    )
    parser.add_argument("--events", type=int, default=700, help="in a worker's backlog (default 700)")
    return parser.parse_args()


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
