"""Nothing lost and nothing doubled, with processes that are really killed: the short run of `make chaos`.

The rows, the load and the judge are those of the rig; `make chaos` runs all of them, for longer.
"""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from chaos.fault import Fault
from chaos.rows import broker, crm, ledger, processes
from chaos.runner import Row, Size, run
from tests.conftest import wait_for
from tests.e2e.running import AT_MOST, PER_LEAD, relay_up

SEED = 20260302
#: Seconds of load. What was killed is taken over when its lease has run out, which takes the rest of the time.
SECONDS = 8.0
#: Seconds in which all must be at its end. A quiet machine needs ninety: a minute for what is in doubt.
SETTLE = 500.0


def clean(fault: Fault, folder: Path) -> Row:
    """Run a row; fail where it found something, or was not run: all that it needs is in the lock files."""
    said: list[str] = []
    size = replace(Size.of(fault, SECONDS), settle=SETTLE)
    row = run(fault, folder / fault.name, SEED, size, said.append)
    assert row.verdict is not None, row.why or row.broke
    assert row.is_clean, "\n".join([*row.verdict.findings, *row.findings, *row.notes, *said])
    assert row.verdict.accepted == round(SECONDS * fault.rate)
    return row


@pytest.mark.timeout(900)
def test_workers_killed_at_random_and_the_broker_flushed(tmp_path: Path) -> None:
    """If this fails, a crash loses a customer's order or makes it twice."""
    clean(ledger.KILLED_AND_FLUSHED, tmp_path)


@pytest.mark.timeout(900)
def test_the_same_on_postgresql(tmp_path: Path) -> None:
    """If this fails, what holds on a laptop does not hold where it has to."""
    clean(ledger.WORKER_KILLED, tmp_path)


@pytest.mark.timeout(900)
def test_crms_that_commit_and_drop_every_third_create(tmp_path: Path) -> None:
    """If this fails, an unstable network to the CRM makes records twice."""
    clean(crm.DROPS, tmp_path)


@pytest.mark.timeout(900)
def test_receivers_killed_while_senders_retry(tmp_path: Path) -> None:
    """If this fails, an event that was answered 200 is lost, or one that the sender repeats is doubled."""
    clean(processes.RECEIVER_KILLED, tmp_path)


@pytest.mark.timeout(900)
def test_every_process_restarted_in_turn(tmp_path: Path) -> None:
    """If this fails, a deployment on a working day loses orders or makes them twice."""
    clean(processes.ROLLING_RESTART, tmp_path)


@pytest.mark.timeout(900)
def test_a_frozen_broker_delays_and_loses_nothing_and_holds_no_sender(tmp_path: Path) -> None:
    """If this fails, Redis is part of the promise, and its outage loses orders."""
    row = clean(broker.FROZEN, tmp_path)
    # None where all are held until it thaws; a busy machine costs some of the twenty, not all.
    said = re.match(r"struck: (\d+) events accepted while it was frozen", row.notes[0])
    assert said is not None
    assert int(said[1]) >= 5, "a frozen broker held the senders"


def test_relay_up_starts_a_killed_worker_again(tmp_path: Path) -> None:
    """If this fails, a worker that died on somebody's laptop is gone until they notice."""
    with relay_up(tmp_path) as up:
        before = set(up.children("worker.main"))
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        up.post("website", data={"name": "Lan", "email": "lan@example.com"})
        wait_for(lambda: up.states() == {"delivered": PER_LEAD}, AT_MOST, "a delivery by a new worker")
        assert not before & set(up.children("worker.main"))
