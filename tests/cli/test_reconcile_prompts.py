"""`relay reconcile --repair` at a terminal, as a process of its own: yes, no, and Ctrl-C at any moment."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Crm
from tests.cli.test_reconcile import ALL, LEAD, bench, lead_id  # noqa: F401  (bench is a fixture)
from tests.conftest import wait_for
from tests.engine.harness import ROOT, Bench
from tests.engine.reconciled import another_id, by_hand, delivered
from worker.ledger.sqlite_connection import TURN_SECONDS

#: How long a process may take for a step on a busy machine.
SECONDS = 100


class Terminal:
    """The command at a terminal; `seen` is all that it has shown so far."""

    def __init__(self, environ: dict[str, str], *arguments: str) -> None:
        ours, theirs = pty.openpty()
        self._ours = ours
        self._place = os.ttyname(theirs)
        self.seen = ""
        argv = [sys.executable, "-m", "relay", "reconcile", "overplane", *ALL, *arguments]
        env = {**os.environ, **environ, "TERM": "xterm", "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            argv,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env,
            cwd=ROOT,
            start_new_session=True,
            # A shell that runs the tests in the background has them, and all that they start, ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(theirs)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        while True:
            try:
                some = os.read(self._ours, 4096)
            except OSError:  # nobody is at the other end any more
                return
            if not some:
                return
            self.seen += some.decode()

    def shows(self, text: str) -> None:
        """Wait until it has shown `text`."""
        wait_for(lambda: text in self.seen or self.process.poll() is not None, SECONDS, text)
        assert text in self.seen, self.seen

    def answers(self, text: str) -> None:
        """Type `text` and the return key."""
        os.write(self._ours, f"{text}\n".encode())

    def is_heard(self) -> None:
        """Wait until it has read all that was typed."""
        wait_for(lambda: self._typed() == 0, SECONDS, "somebody who reads")

    def _typed(self) -> int:
        place = os.open(self._place, os.O_RDONLY | os.O_NOCTTY)
        try:
            return int.from_bytes(fcntl.ioctl(place, termios.FIONREAD, bytes(4)), sys.byteorder)
        finally:
            os.close(place)

    def is_interrupted(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def ends(self) -> int:
        """Wait for its end; return its exit code."""
        code = self.process.wait(SECONDS)
        self._reading.join(SECONDS)
        return code


@contextmanager
def terminal(environ: dict[str, str], *arguments: str) -> Iterator[Terminal]:
    """Run it, and leave nothing behind."""
    there = Terminal(environ, *arguments)
    yield there
    if there.process.poll() is None:
        there.process.kill()
        there.process.wait()
    os.close(there._ours)


@pytest.fixture
def missing(bench: Bench) -> str:  # noqa: F811
    """A lead that was delivered and then deleted in the CRM by hand; its delivery."""
    delivery = delivered(bench, LEAD)
    by_hand(bench, "DELETE", LEAD, lead_id(bench))
    return delivery


def state(bench: Bench, delivery: str) -> str:  # noqa: F811
    return str(bench.show(delivery)["state"])


def test_yes_mends_and_the_bar_shows_how_far_it_is(
    bench: Bench,  # noqa: F811
    missing: str,
    environ: dict[str, str],
) -> None:
    """Otherwise whoever says yes is not obeyed, or sits for an hour before a screen that shows nothing."""
    with terminal(environ, "--repair") as screen:
        screen.shows("make 1 missing records again? [y/N]:")
        screen.answers("y")
        assert screen.ends() == 1
    assert "1 deliveries are due again" in screen.seen
    assert "deliveries  [####################################]  100%" in screen.seen
    assert state(bench, missing) == "pending"


def test_no_changes_nothing(bench: Bench, missing: str, environ: dict[str, str]) -> None:  # noqa: F811
    """Otherwise no means yes."""
    with terminal(environ, "--repair") as screen:
        screen.shows("again? [y/N]:")
        screen.answers("n")
        assert screen.ends() == 1
    assert "due again" not in screen.seen
    assert state(bench, missing) == "delivered"


def test_ctrl_c_at_the_question_changes_nothing(
    bench: Bench,  # noqa: F811
    missing: str,
    environ: dict[str, str],
) -> None:
    """Otherwise whoever is startled by the question cannot leave, or gets a traceback."""
    with terminal(environ, "--repair") as screen:
        screen.shows("again? [y/N]:")
        screen.is_interrupted()
        assert screen.ends() == 130
    assert "relay: interrupted; what is not named above is as it was" in screen.seen
    assert "Traceback" not in screen.seen
    assert state(bench, missing) == "delivered"


def test_ctrl_c_in_the_middle_of_a_repair_leaves_nothing_half_done(
    bench: Bench,  # noqa: F811
    missing: str,
    environ: dict[str, str],
) -> None:
    """Otherwise a record's link is gone and nothing is due: the next order of it makes a second one."""
    held = TURN_SECONDS
    while held >= TURN_SECONDS:  # this machine was too busy: its turn to write did not come in time
        with terminal(environ, "--repair") as screen:
            screen.shows("again? [y/N]:")
            other = sqlite3.connect(Path(environ["RELAY_VAR"]) / "ledger.sqlite", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")  # the repair waits for its turn
            screen.answers("y")
            began = time.monotonic()
            screen.is_heard()
            time.sleep(0.5)  # a few steps from there to the turn
            screen.is_interrupted()
            held = time.monotonic() - began
            code = screen.ends()
            other.execute("ROLLBACK")
            other.close()
    assert code == 130
    assert "0 deliveries are due again" in screen.seen
    assert "Traceback" not in screen.seen
    assert state(bench, missing) == "delivered"
    with terminal(environ, "--repair", "--yes") as screen:
        assert screen.ends() == 1
    assert "1 deliveries are due again" in screen.seen


def test_ctrl_c_while_the_crm_is_read_says_where_to_go_on(
    bench: Bench,  # noqa: F811
    missing: str,
    environ: dict[str, str],
    crm: Crm,
) -> None:
    """Otherwise Ctrl-C waits for a slow CRM, or a script takes it for a finding."""
    before = len(crm.calls())
    bench.fault(vendor="overplane", fault="latency", seconds=6)
    with terminal(environ, "--repair") as screen:
        wait_for(lambda: len(crm.calls()) > before, SECONDS, "a call")
        screen.is_interrupted()
        assert screen.ends() == 130
    bench.clear_faults()
    assert "relay: stopped after 0 deliveries: interrupted" in screen.seen
    assert "again?" not in screen.seen
    assert state(bench, missing) == "delivered"


def test_each_kind_of_repair_is_asked_for_by_itself(
    bench: Bench,  # noqa: F811
    environ: dict[str, str],
) -> None:
    """Otherwise who wants a missing lead back deletes a double with it."""
    delivered(bench, LEAD)
    ours = lead_id(bench)
    by_hand(bench, "POST", LEAD, ours, **{"as": another_id(ours)})
    by_hand(bench, "PATCH", LEAD, another_id(ours), {"created_at": "2099-01-01T00:00:00Z"})
    with terminal(environ, "--repair") as screen:
        screen.shows("delete 1 doubles, of each pair the younger, which is not linked? [y/N]:")
        screen.answers("n")
        assert screen.ends() == 1
    assert len(bench.records("overplane", "lead")) == 2
