"""SIGTERM to each process, as a platform sends it: an end within the grace time, nothing lost, nothing doubled."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.conftest import wait_for
from tests.e2e.running import AT_MOST, PER_LEAD, ROOT, Up, is_alive, relay_up
from tests.stopwatch import Stopwatch

pytestmark = pytest.mark.timeout(1500)

#: The grace time of these runs; the children of `relay up` are told less, so they have ended well before. Each
#: bound is a share of it: of the ten seconds that Docker gives, four would be left to a busy machine, of these ten.
GRACE = 24.0
#: Seconds that OplaCRM takes for an answer, longer than a worker that has to stop waits for it, and the time-out.
SLOW, TIMEOUT = 40.0, 60


def seconds_to_the_end(pids: list[int]) -> float:
    """Send SIGTERM to `pids` and return after how many seconds the last has ended."""
    with Stopwatch() as watch:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not any(map(is_alive, pids)), AT_MOST, "the end after SIGTERM")
    return watch.seconds


def told(folder: Path) -> dict[str, str]:
    """Return what a run is told: the grace time, and a configuration that gives OplaCRM its time."""
    text, config = (ROOT / "relay.toml").read_text("utf-8"), folder / "relay.toml"
    patient = f'vendor = "oplacrm"\ntimeout_seconds = {TIMEOUT}'
    config.write_text(text.replace('vendor = "oplacrm"', patient), "utf-8")
    return {"RELAY_GRACE_SECONDS": f"{GRACE:g}", "RELAY_CONFIG": str(config)}


def let_wait(up: Up, seconds: float) -> None:
    """Let OplaCRM make a lead, and answer, only after `seconds`: long after the worker has gone."""
    fault = {"vendor": "oplacrm", "operation": "lead_create", "fault": "latency", "seconds": seconds}
    assert up.client.post(f"{up.sandbox}/_sandbox/faults", json=fault).is_success


def test_a_worker_ends_in_time_though_a_crm_does_not_answer(tmp_path: Path) -> None:
    """If this fails, every deployment during a slow hour of the CRM is a SIGKILL, and its leads wait or double."""
    with relay_up(tmp_path, "--workers", "1", **told(tmp_path)) as up:
        let_wait(up, SLOW)
        assert up.post("website", data={"name": "Lan", "email": "lan@example.com"}).status_code == 200
        wait_for(
            lambda: up.states() == {"delivered": PER_LEAD - 1, "sending": 1},
            AT_MOST,
            "one call without answer",
        )
        workers = up.children("worker.main")
        assert seconds_to_the_end(workers) < GRACE
        assert up.states() == {"delivered": PER_LEAD - 1, "unknown": 1}
        assert up.client.delete(f"{up.sandbox}/_sandbox/faults").is_success
        wait_for(lambda: up.states() == {"delivered": PER_LEAD}, 2 * AT_MOST, "the lead in doubt")
        assert len(up.records("oplacrm", "lead")) == 1


def test_the_receiver_answers_what_it_has_begun(tmp_path: Path) -> None:
    """If this fails, a sender sees a reset for a message that was stored, or a stored one is not answered."""
    with relay_up(tmp_path) as up:
        body = b"name=Lan&email=lan%40example.com"
        with socket.create_connection(("127.0.0.1", int(up.env["PORT"])), AT_MOST) as wire:
            head = f"POST /webhooks/website HTTP/1.1\r\nHost: relay\r\nContent-Length: {len(body)}\r\n"
            wire.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode() + body[:9])
            ours = wire.getsockname()[1]
            wait_for(lambda: has_read(int(up.env["PORT"]), ours), AT_MOST, "what was sent, at the receiver")
            master = up.children("webhooks.app")[0]
            os.kill(master, signal.SIGTERM)
            # So that the signal has come; where it has not, the test sees less and says the same.
            time.sleep(0.5)
            wire.sendall(body[9:])
            assert wire.recv(1000).startswith(b"HTTP/1.1 200 ")
        wait_for(lambda: not is_alive(master), AT_MOST, "the receiver's end")
        wait_for(lambda: up.states() == {"delivered": PER_LEAD}, AT_MOST, "all deliveries")


def has_read(port: int, peer: int) -> bool:
    """Say whether the program at `port` has taken the connection from port `peer`, and all that came on it."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (row,) = (r for r in rows if r[1].endswith(f":{port:04X}") and r[2].endswith(f":{peer:04X}"))
    # Before it is accepted a connection has no inode; what is not read yet stands in its queue.
    return row[9] != "0" and row[4].partition(":")[2] == "00000000"


def test_relay_up_ends_in_time_and_leaves_nobody(tmp_path: Path) -> None:
    """If this fails, a second start meets the first one's processes, and a container is killed."""
    with relay_up(tmp_path, **told(tmp_path)) as up:
        let_wait(up, SLOW)
        assert up.post("website", data={"name": "Lan", "email": "lan@example.com"}).status_code == 200
        wait_for(
            lambda: up.states() == {"delivered": PER_LEAD - 1, "sending": 1},
            AT_MOST,
            "one call without answer",
        )
        everybody = up.children()
        with Stopwatch() as watch:
            assert up.stop(signal.SIGTERM) == 0
        assert watch.seconds < GRACE
        assert not [pid for pid in everybody if is_alive(pid)]
        assert up.states() == {"delivered": PER_LEAD - 1, "unknown": 1}
