"""The children of `relay up`, as real processes."""

import os
import sys
from pathlib import Path

import pytest

from relay.supervisor import Child, StartFailed, Supervisor

KILLED_ONCE = """
import os, pathlib, signal, sys, time
first, ready = map(pathlib.Path, sys.argv[1:])
if not first.exists():
    first.touch()
    os.kill(os.getpid(), signal.SIGKILL)
ready.touch()
time.sleep(60)
"""


def test_a_child_that_is_killed_while_it_starts_is_started_again(tmp_path: Path) -> None:
    """Otherwise one kill for want of memory ends the receiver too, which has told senders 200 already."""
    first, ready = tmp_path / "first", tmp_path / "ready"
    supervisor = Supervisor(os.environ, quiet=True)
    try:
        argv = [sys.executable, "-c", KILLED_ONCE, str(first), str(ready)]
        supervisor.start(Child("worker1", argv, ready.exists), seconds=200)
    finally:
        supervisor.stop()
    assert first.exists()


def test_a_child_that_ends_by_itself_at_its_start_is_told_with_its_code_and_words(tmp_path: Path) -> None:
    """Otherwise a wrong setting is tried again for a minute, and nobody sees which one it was."""
    supervisor = Supervisor(os.environ, quiet=True)
    argv = [sys.executable, "-c", "print('port 8000 is taken'); raise SystemExit(3)"]
    try:
        with pytest.raises(StartFailed, match="web ended with 3 at its start: port 8000 is taken"):
            supervisor.start(Child("web", argv, lambda: False), seconds=200)
    finally:
        supervisor.stop()
