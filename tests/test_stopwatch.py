"""The stopwatch of the tests counts the time that the machine gave them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from tests.conftest import wait_for
from tests.stopwatch import Stopwatch

ROOT = Path(__file__).parents[1]
MEASURES = """
import sys
from tests.stopwatch import Stopwatch
with Stopwatch() as watch:
    print("began", flush=True)
    sys.stdin.readline()
print(watch.seconds)
"""


def test_what_passes_while_the_machine_runs_is_counted() -> None:
    """Otherwise nothing that is measured is ever too long."""
    with Stopwatch() as watch:
        time.sleep(1)
    # Less only where this machine stood still, which takes away what it took.
    assert watch.seconds > 0.2


def test_what_passes_while_it_stands_still_is_not_counted() -> None:
    """Otherwise a test fails because a neighbour on the same machine is busy."""
    argv = [sys.executable, "-c", MEASURES]
    with subprocess.Popen(argv, cwd=ROOT, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        os.kill(process.pid, SIGSTOP)
        wait_for(lambda: is_stopped(process.pid), 60, "the stop")
        time.sleep(2.5)
        os.kill(process.pid, SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        assert 0 < float(process.stdout.readline()) < 2.5


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
