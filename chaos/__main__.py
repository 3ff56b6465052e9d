"""`python -m chaos`: one fault after the other, the table, and 0 only where every cell that has to be zero is."""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

from chaos import report
from chaos.fault import Fault
from chaos.processes import adopt_orphans, bury_orphans
from chaos.rows import BY_NAME, ROWS
from chaos.runner import Row, Size, run

#: Rows at the same time: most of a row is waiting. With three, two cores are idle for a quarter of the run.
TOGETHER = 5
INTERRUPTED = "interrupted"


def main() -> int:
    """Run what was asked for and return what `report.exit_code` says of it; 130 where it was interrupted."""
    asked = _arguments()
    if asked.list:
        for fault in ROWS:
            print(f"{fault.name:<26} {'NOT HERE: ' + fault.missing() if fault.missing() else fault.title}")
        return 0
    if not Path("/proc/self/stat").exists():
        print("chaos: needs /proc, to find processes: run it on Linux", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    faults = [BY_NAME[name] for name in asked.only] or list(ROWS)
    print(f"seed {asked.seed}; the same again: python -m chaos --seed {asked.seed}", flush=True)
    began, rows = time.monotonic(), _all(faults, asked)
    written = _var() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    report.write(written, rows, asked.seed, cpu)
    print(f"\n{cpu / 60:.1f} CPU minutes in {(time.monotonic() - began) / 60:.1f} minutes")
    print(f"as JSON, with notes: {written}")
    print(report.table(rows))
    return 130 if any(row.why == INTERRUPTED for row in rows) else report.exit_code(rows)


def _one(fault: Fault, folder: Path, asked: argparse.Namespace) -> None:
    """Run one row in this process, whose main thread starts all others, and write it where the caller looks."""
    adopt_orphans()
    size, kept = Size.of(fault, asked.seconds, asked.full), asked.keep
    try:
        row = run(fault, folder / fault.name, asked.seed, size, lambda text: _tell(fault.name, text), kept)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if not bury_orphans():
            _tell(fault.name, "processes of this row are still there")
    _written(fault, folder).write_text(json.dumps(report.row_to_json(row)), "utf-8")


def _written(fault: Fault, folder: Path) -> Path:
    return folder / f"{fault.name}.json"


def _all(faults: Sequence[Fault], asked: argparse.Namespace) -> list[Row]:
    """Run each row in a process of its own, a few at a time; return them in the order of the table."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=_var()))
    waiting = sorted(
        faults, key=lambda fault: -fault.seconds - fault.settle
    )  # else the longest are left alone
    running: dict[str, ForkProcess] = {}
    done: dict[str, Row] = {}
    try:
        while waiting or running:
            while waiting and len(running) < asked.together:
                fault = waiting.pop(0)
                # Forked, not started anew: this process has imported by now what each row would have to import.
                running[fault.name] = ForkProcess(target=_one, args=(fault, folder, asked))
                running[fault.name].start()
            for name, process in list(running.items()):
                if process.exitcode is not None:
                    del running[name]
                    done[name] = _ended(BY_NAME[name], folder, asked.seed, process.exitcode)
                    _tell(name, _short(done[name]))
            time.sleep(0.2)
    except KeyboardInterrupt:
        waiting.clear()
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join()
    for fault in faults:
        done.setdefault(fault.name, Row(fault.name, fault.title, asked.seed, why=INTERRUPTED))
    if not asked.keep and all(row.is_clean or row.why for row in done.values()):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"what the rows left behind, logs and ledgers: {folder}")
    return [done[fault.name] for fault in faults]


def _ended(fault: Fault, folder: Path, seed: int, code: int) -> Row:
    written = _written(fault, folder)
    if not written.exists():
        return Row(fault.name, fault.title, seed, broke=f"the row itself ended with {code}")
    return report.row_from_json(json.loads(written.read_text("utf-8")))


def _short(row: Row) -> str:
    if row.verdict is None:
        return f"broke down: {row.broke}" if row.was_run else f"NOT RUN: {row.why}"
    v = row.verdict
    cells = f"{v.accepted} accepted, {v.lost} lost, {v.doubled} doubled, {v.stuck} stuck, {v.parked} parked"
    notes = "; ".join(note for note in row.notes if not note.startswith("last words"))
    return f"{'clean' if row.is_clean else 'NOT CLEAN'} after {row.seconds:.0f} s: {cells} ({notes})"


def _tell(name: str, text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {name:<26} {text}", file=sys.stderr, flush=True)


def _var() -> Path:
    var = Path(os.environ.get("RELAY_VAR") or "var").absolute() / "chaos"
    var.mkdir(parents=True, exist_ok=True)
    return var


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--list", action="store_true", help="show the rows, and which cannot be run here")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=BY_NAME, metavar="ROW", help="run these rows"
    )
    parser.add_argument("--seconds", type=float, help="of load per row (each row has its own)")
    parser.add_argument("--full", action="store_true", help="20,000 events wait for the CRMs that are down")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="for the same run again")
    parser.add_argument("--together", type=int, default=TOGETHER, help=f"rows at a time (default {TOGETHER})")
    parser.add_argument("--keep", action="store_true", help="keep logs and ledgers of clean rows, too")
    return parser.parse_args()


def _interrupt(number: int, frame: Any) -> None:
    # Once: a second signal would end the cleaning up, and leave processes, mounts and networks behind.
    for known in (signal.SIGTERM, signal.SIGINT):
        signal.signal(known, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
