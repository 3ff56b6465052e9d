"""Starts the processes of a benchmark, counts their CPU seconds, and leaves none behind."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess  # nosec B404 # starts what it measures
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


class DidNotRun(Exception):
    """Something that a measurement needs did not happen; the text says what."""


class Processes:
    """The processes of one run. What they print goes to files in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._logs: dict[int, Path] = {}

    def start(self, name: str, argv: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start `argv` in the project's folder, in a session of its own, and return it."""
        path = self._folder / f"{name}.log"
        with path.open("ab") as log:
            process = subprocess.Popen(  # nosec B603 # lists of our own arguments, no shell
                argv,
                cwd=ROOT,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._running[process.pid] = process
        self._logs[process.pid] = path
        return process

    def wait(
        self, process: subprocess.Popen[bytes], ready: Callable[[], bool], what: str, seconds: float = 30.0
    ) -> None:
        """Wait until `ready` says so. Raises DidNotRun when `process` ends before that, or time does."""
        until = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None:
                raise DidNotRun(f"{what}: the process ended with {process.returncode}; {self._said(process)}")
            if time.monotonic() > until:
                raise DidNotRun(f"{what}: not within {seconds:g} s; {self._said(process)}")
            time.sleep(0.02)

    def stop(self, process: subprocess.Popen[bytes], grace: float = 6.0) -> None:
        """End `process` and what it started: SIGTERM, and after `grace` seconds SIGKILL."""
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._running.pop(process.pid, None)

    def stop_all(self) -> None:
        """End everything that still runs, the youngest first."""
        for process in reversed(list(self._running.values())):
            self.stop(process, grace=2.0)

    def _said(self, process: subprocess.Popen[bytes]) -> str:
        lines = self._logs[process.pid].read_text("utf-8", "replace").strip().splitlines()
        return "its last words: " + (" / ".join(lines[-4:]) or "none")


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds, user and system, that `pid` and its children have used, dead ones included."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    used = sum(map(int, fields[11:15])) / _TICKS  # utime, stime, cutime, cstime of proc(5)
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        used += sum(cpu_seconds(int(child)) for child in path.read_text("ascii").split())
    return used


def listens(port: int) -> bool:
    """Return whether somebody accepts connections at `port` of the loopback address."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def answers(port: int) -> bool:
    """Return whether a web application answers at `port`: gunicorn listens before it is loaded."""
    asked = http.client.HTTPConnection(HOST, port, timeout=1)
    try:
        asked.request("GET", "/")
        asked.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()
    return True


def _die_with_parent() -> None:
    # A benchmark that is killed with SIGKILL stops nobody; the kernel then does. Linux only, as /proc is.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
