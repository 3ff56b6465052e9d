"""`relay up` as a user starts it: a real terminal command, real processes, real signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import redis
from dotenv import dotenv_values

from relay.ports import free_port
from tests.conftest import wait_for
from tests.leash import leashed
from worker.ledger import search
from worker.ledger.database import Database
from worker.settings.configuration import load

ROOT = Path(__file__).parents[2]
#: Seconds after which a busy machine is no excuse any more: what was waited for does not come.
AT_MOST = 240.0
RELAY = [sys.executable, "-m", "relay"]
#: The example configuration with the demo's secrets, as `relay up --env-file demo.env` reads it.
EXAMPLE = load(
    {
        **{name: value or "" for name, value in dotenv_values(ROOT / "demo.env").items()},
        "RELAY_CONFIG": str(ROOT / "relay.toml"),
    }
)
#: To how many CRMs the example sends a lead, an order and a ticket.
PER_LEAD, PER_ORDER, PER_TICKET = (
    len(EXAMPLE.connections_for(source, event))
    for source, event in (("website", "submitted"), ("shop", "orders/create"), ("inbox", "inbound"))
)


def environ(var: Path, **more: str) -> dict[str, str]:
    """Return the environment of a run of its own: nothing of ours but the path to programs."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    home = {"HOME": str(var), "RELAY_VAR": str(var / "var"), "RELAY_CONFIG": str(ROOT / "relay.toml")}
    # Ports of its own, which nobody else chooses while the tests run.
    ports = {name: str(free_port()) for name in ("PORT", "SANDBOX_PORT", "FLOWER_PORT")}
    return {**kept, **home, **ports, **more}


class Up:
    """A running `relay up`."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, env: Mapping[str, str]) -> None:
        self.process = process
        self.output = output
        self.env = env
        self.receiver = f"http://127.0.0.1:{env['PORT']}"
        self.client = httpx.Client(timeout=AT_MOST, trust_env=False)

    def said(self, pattern: str) -> str | None:
        """Return what the first group of `pattern` matches in the output so far."""
        found = re.search(pattern, self.output.read_text("utf-8", "replace"))
        return found[1] if found else None

    def post(self, source: str, **kwargs: Any) -> httpx.Response:
        """Post to the receiver; a refused connection is retried, as real senders do."""
        until = time.monotonic() + AT_MOST
        while time.monotonic() < until:
            try:
                answer = self.client.post(f"{self.receiver}/webhooks/{source}", **kwargs)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code != 503:
                return answer
            time.sleep(0.1)
        raise AssertionError("the receiver did not come back")

    def records(self, vendor: str, kind: str) -> list[dict[str, Any]]:
        """Return what a CRM's sandbox holds."""
        params = {"vendor": vendor, "kind": kind}
        answer = self.client.get(f"{self.sandbox}/_sandbox/records", params=params)
        content: list[dict[str, Any]] = answer.json()["records"]
        return content

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return str(self.said(r"Sandbox +(http://[\d.:]+)"))

    @property
    def broker(self) -> redis.Redis:
        """A client of its broker."""
        url = str(self.said(r"Broker +(\S+)"))
        return redis.Redis.from_url(url.replace("redis+socket", "unix"))

    def states(self) -> dict[str, int]:
        """Return how many deliveries are in each state."""
        db = Database(
            self.env.get("RELAY_DATABASE_URL", f"sqlite:///{self.env['RELAY_VAR']}/ledger.sqlite"), 1
        )
        try:
            return search.count_states(db)
        finally:
            db.close()

    def children(self, name: str = "") -> list[int]:
        """Return the ids of the processes below it whose command line holds `name`."""
        return [pid for pid, line in below(self.process.pid) if name in line]

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send it a signal and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(AT_MOST)


@contextmanager
def relay_up(var: Path, *arguments: str, **more: str) -> Iterator[Up]:
    """Run `relay up` until the block ends; it is ready when the block begins."""
    env = {name: value for name, value in environ(var, **more).items() if value}  # empty: not set
    output = var / f"output-{time.monotonic_ns()}"
    argv = [*RELAY, "up", "--env-file", str(ROOT / "demo.env"), *arguments]
    with output.open("wb") as log:
        process = leashed(argv, env=env, cwd=var, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    up = Up(process, output, env)
    try:
        ready = "CRM Relay is ready"
        wait_for(lambda: up.said(f"({ready})") or process.poll() is not None, 3 * AT_MOST, "relay up")
        assert process.poll() is None, output.read_text()
        yield up
    finally:
        up.client.close()
        if process.poll() is None:
            process.terminate()
            process.wait(AT_MOST)


def below(pid: int) -> list[tuple[int, str]]:
    """Return (id, command line) of all processes below `pid`, to any depth."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], list(parents.get(pid, []))
    while queue:
        child = queue.pop()
        queue += parents.get(child, [])
        try:
            line = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        found.append((child, line))
    return found


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
