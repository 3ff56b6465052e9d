"""One process of the rig: started, killed, frozen and started again; the kernel ends it with the rig."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Seconds until whoever keeps a real process alive (systemd, Docker) has started a dead one again.
REVIVED_AFTER = 0.5
_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36  # of prctl(2)


class DidNotRun(Exception):
    """Something that a row needs did not happen; the text says what."""


class Process:
    """A program that should run until somebody says otherwise.

    It must be started by the thread that lives longest: the kernel ends it with that thread. `user` is whom it runs
    as, where that is not us. `wrap` goes before its arguments.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        user: str | None = None,
    ) -> None:
        self.name = name
        self._argv = list(argv)
        self._environ = dict(environ)
        self._log = folder / f"{name}.log"
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._ended_at: float | None = None
        self.is_wanted = False
        self.starts = 0

    def start(self) -> None:
        """Start it; nothing if it runs."""
        self.is_wanted = True
        if self.is_alive():
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **running_as(self._user),
                preexec_fn=_die_with_parent,
            )
        self._ended_at = None
        self.starts += 1

    @property
    def pid(self) -> int:
        """Its id. Raises DidNotRun where it was never started."""
        if self._process is None:
            raise DidNotRun(f"{self.name} was not started")
        return self._process.pid

    def is_alive(self) -> bool:
        """Say whether it runs, or would if it were not frozen."""
        return self._process is not None and self._process.poll() is None

    def revive(self) -> None:
        """Start it again where it should run and has been dead for a moment."""
        if not self.is_wanted or self.is_alive():
            return
        now = time.monotonic()
        self._ended_at = self._ended_at or now
        if now - self._ended_at >= REVIVED_AFTER:
            self.start()

    def send(self, number: int) -> None:
        """Send it a signal; nothing if it has ended."""
        if self.is_alive():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it and what it started, with SIGKILL, and wait for that; it is started again by `revive`."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, number: int = signal.SIGTERM, grace: float = 40.0) -> bool:
        """Ask it to end and wait; return False where it had to be killed after `grace` seconds."""
        self.is_wanted = False
        if self._process is None:
            return True
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        # What it left behind: a gunicorn that died by itself leaves its workers for a moment.
        self.kill()
        return True

    def children(self) -> list[int]:
        """Return the ids of the processes that it started."""
        if not self.is_alive():
            return []
        with contextlib.suppress(OSError):
            lists = Path(f"/proc/{self.pid}/task").glob("*/children")
            return [int(child) for path in lists for child in path.read_text("ascii").split()]
        return []

    def peak_memory(self) -> float:
        """Return the most memory that it had in hand since its start, in MiB; 0 where it does not run."""
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines()
            return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
        return 0.0

    def cpu_seconds(self) -> float:
        """Return the CPU time that it and its children have used since its last start; 0 where it does not run."""
        with contextlib.suppress(OSError, DidNotRun):
            pids = [self.pid, *self.children()] if self.is_alive() else []
            ticks = [
                Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[11:15] for pid in pids
            ]
            own = [int(user) + int(system) for user, system, *_ in ticks]
            return (sum(own) + sum(map(int, ticks[0][2:]))) / os.sysconf("SC_CLK_TCK") if own else 0.0
        return 0.0

    def last_words(self) -> str:
        """Return the end of what it said."""
        lines = self._log.read_text("utf-8", "replace").strip().splitlines() if self._log.exists() else []
        return " / ".join(lines[-4:]) or "none"


def running_as(user: str | None) -> dict[str, Any]:
    """Return what lets subprocess run something as `user`; nothing where that is us."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def wait_until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `ready`. Raises DidNotRun, naming `what`, after `seconds`."""
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise DidNotRun(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


def adopt_orphans() -> None:
    """Become the parent of what killed processes leave behind, so that `bury_orphans` finds all of it.

    Where our own parent is killed we are asked to end.
    """
    _prctl(_SET_CHILD_SUBREAPER, 1)
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def bury_orphans(seconds: float = 5.0) -> bool:
    """Wait for every child, adopted ones too, so that their CPU time counts; return False where one still lives."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return True
    return False


def _die_with_parent() -> None:
    # A rig that is killed with SIGKILL stops nobody; the kernel then does. Linux only, as /proc is.
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _prctl(what: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(what, value)
