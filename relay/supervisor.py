"""Keeps child processes alive, shows what they say, and leaves none behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess  # nosec B404 # a supervisor starts processes
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from worker.settings.environment import LEAST_GRACE_SECONDS, grace_seconds

#: The part of our own grace in which the children that nobody needs must end; the others have the rest.
FIRST_PART = 0.85
#: The children are told that they have less than we do, so that they end by themselves.
TOLD_PART = 0.75
#: Seconds within which a child must be ready. One that ends is noticed at once; one that does not has a slow
#: machine, on which to give up helps nobody.
READY_SECONDS = 180.0
#: A child that ends sooner than this after its start is not restarted at once.
STEADY_SECONDS = 5.0
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


class StartFailed(Exception):
    """A child did not become ready; the text names it and says what it said last."""


@dataclass
class Child:
    """One process: how to start it, how to see that it is ready, and whether others call it until they end."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool]
    needed_by_others: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    last_lines: list[str] = field(default_factory=list)


class Supervisor:
    """Runs children in the order given and stops first those that no other needs."""

    def __init__(self, environ: Mapping[str, str], quiet: bool = False) -> None:
        self._grace = grace_seconds(environ)
        told = max(LEAST_GRACE_SECONDS, int(self._grace * TOLD_PART))
        self._environ = {**environ, "RELAY_GRACE_SECONDS": str(told)}
        self._quiet = quiet
        self._children: list[Child] = []
        self._output = selectors.DefaultSelector()
        self._stop = False

    def start(self, child: Child, seconds: float = READY_SECONDS) -> None:
        """Start `child` and wait until it is ready. Raises StartFailed."""
        self._children.append(child)
        self._spawn(child)
        self.wait(child.ready, seconds, f"{child.name} is not ready")

    def wait(self, ready: Callable[[], bool], seconds: float, complaint: str) -> None:
        """Wait until `ready`. Raises StartFailed after `seconds`, or at once where a child has ended by itself."""
        until = time.monotonic() + seconds
        while not ready():
            self._pump(0.05)
            if self._stop:
                raise KeyboardInterrupt
            for child in self._children:
                self._look_at_start(child)
            if time.monotonic() > until:
                raise StartFailed(f"{complaint} after {seconds:g} s")

    def _look_at_start(self, child: Child) -> None:
        code = child.process.poll() if child.process is not None else None
        if code is None:
            return
        if code < 0:  # killed from outside, say for want of memory: that says nothing of how it was set up
            self._revive(child)
            return
        self._pump(0.2)
        said = " ".join(child.last_lines[-3:]) or "no word"
        raise StartFailed(f"{child.name} ended with {code} at its start: {said}")

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Show output and restart what dies, until `until` or a signal says stop."""
        while not self._stop and not until():
            self._pump(0.2)
            for child in self._children:
                self._revive(child)

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Let SIGINT, SIGTERM and SIGHUP stop `watch`, and stop every child on the way out."""

        def stop(number: int, frame: FrameType | None) -> None:
            self._stop = True

        before = {
            number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            yield
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """End all children within the grace time: SIGTERM, then SIGKILL; what others need ends after them."""
        began = time.monotonic()
        for needed, part in ((False, FIRST_PART), (True, 1.0)):
            ending = [child for child in self._children if child.needed_by_others == needed]
            self._end(ending, began + self._grace * part)
        for key in list(self._output.get_map().values()):
            self._forget(key.fileobj)

    def _end(self, children: list[Child], until: float) -> None:
        running = [(child, child.process) for child in reversed(children) if child.process is not None]
        for _, process in running:
            if process.poll() is None:
                process.terminate()
        while any(process.poll() is None for _, process in running) and time.monotonic() < until:
            self._pump(0.1)
        for _, process in running:
            if process.poll() is None:
                # The whole session of the child, so that nothing it started outlives it.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _spawn(self, child: Child) -> None:
        process = subprocess.Popen(  # nosec B603 # lists of our own arguments, no shell
            child.argv,
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C in the terminal reaches us alone, and we stop them in order.
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        child.process, child.started = process, time.monotonic()
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._output.register(process.stdout, selectors.EVENT_READ, child)

    def _revive(self, child: Child) -> None:
        if child.process is None or child.process.poll() is None:
            return
        now = time.monotonic()
        if not child.due:
            self._say(child, f"ended with {child.process.returncode}; starting it again")
            child.due = now + (0.2 if now - child.started > STEADY_SECONDS else 2.0)
        elif now >= child.due:
            child.due = 0.0
            self._spawn(child)

    def _pump(self, seconds: float) -> None:
        for key, _ in self._output.select(seconds):
            data = os.read(key.fd, 65536)
            if not data:
                self._forget(key.fileobj)
                continue
            for line in data.decode("utf-8", "replace").splitlines():
                self._say(key.data, line)

    def _forget(self, output: Any) -> None:
        self._output.unregister(output)
        output.close()

    def _say(self, child: Child, line: str) -> None:
        if not line.strip():
            return
        child.last_lines = [*child.last_lines[-9:], line]
        if not self._quiet:
            print(f"{child.name:<8}| {line}", file=sys.stderr, flush=True)


def _die_with_parent() -> None:
    # If the supervisor is killed with SIGKILL it cannot stop anybody: the kernel then does. Linux only. And not
    # with SIGTERM, since they all lose the broker at that moment: Flower would wait for it for ever.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
