"""A run of tests that is ended leaves nothing behind: real pytest, real servers, real signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import wait_for
from tests.e2e.running import AT_MOST, ROOT, below, is_alive

#: Two tests for two processes of xdist; each holds all kinds of servers until somebody ends the run.
HANGING = """
import time
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_hangs(number, server, broker_url, postgres_ledger_url):
    time.sleep(1000)
"""
#: What one of those tests has started.
SERVERS = {"gunicorn": 1, "bin/postgres": 1, "valkey": 2}
#: How the processes that PostgreSQL starts call themselves.
OF_POSTGRES = re.compile(r"^postgres: ")


@pytest.mark.parametrize(
    ("processes", "number"),
    [(1, signal.SIGTERM), (1, signal.SIGINT), (1, signal.SIGKILL), (2, signal.SIGTERM), (2, signal.SIGINT)],
)
def test_the_servers_of_a_run_end_with_it(tmp_path: Path, processes: int, number: signal.Signals) -> None:
    """Otherwise each run that somebody breaks off leaves servers, until the machine has no memory for the next."""
    (tmp_path / "test_hanging.py").write_text(HANGING)
    plugins = ["-p", "tests.conftest", "-p", "tests.door.conftest", "-p", "no:cacheprovider"]
    argv = [sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), *plugins, "-c", os.devnull]
    side_by_side = ["-n", str(processes)] if processes > 1 else []
    run = subprocess.Popen(
        [*argv, *side_by_side, f"--basetemp={tmp_path / 'temp'}", str(tmp_path / "test_hanging.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        # A shell that runs the tests in the background has them, and all that they start, ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )

    def started() -> bool:
        assert run.poll() is None, "the run has ended by itself"
        lines = [line for _, line in below(run.pid) if not OF_POSTGRES.match(line)]
        return all(sum(name in line for line in lines) >= processes * each for name, each in SERVERS.items())

    try:
        wait_for(started, AT_MOST, "the servers")
        all_of_it = [run.pid, *(pid for pid, _ in below(run.pid))]
        run.send_signal(number)
        run.wait(AT_MOST)
    finally:
        run.kill()  # else the next test is blamed for it
        run.wait()
    wait_for(lambda: not any(map(is_alive, all_of_it)), AT_MOST, "the end of all that was started")
    if processes == 1 and number != signal.SIGKILL:  # xdist leaves its processes few seconds to tidy up
        assert not list(tmp_path.glob("relay-pg-*")), "a database of 40 MB stays behind"
