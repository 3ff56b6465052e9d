"""Where a benchmark takes place: a folder, the broker, the CRM stand-in, and the load that is sent."""

from __future__ import annotations

import json
import sqlite3
import subprocess  # nosec B404 # starts what it measures
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from bench import contenders
from bench.contenders import Contender
from bench.crm import Control
from bench.processes import HOST, DidNotRun, Processes, answers, listens
from relay.ports import free_port

Web = tuple[subprocess.Popen[bytes], int]  # a receiver and its port
#: How often a benchmark takes tasks from the broker in the workers' place, in seconds, and how many at once.
TAKE_EVERY_SECONDS = 0.05
#: Seconds that the last tasks may take to the broker.
TASKS_SECONDS = 20.0
TAKE_AT_ONCE = 5_000


@dataclass(frozen=True)
class Sent:
    """What became of one load: answers of status 200, and how long it took; waits in milliseconds."""

    accepted: int
    seconds: float
    p50_ms: float
    p99_ms: float


@dataclass
class Taken:
    """How many tasks of a contender were taken from the broker."""

    name: str
    count: int = 0

    def wait(self, count: int) -> None:
        """Return once `count` were taken. Raises DidNotRun for more, and after TASKS_SECONDS."""
        until = time.monotonic() + TASKS_SECONDS
        while self.count < count and time.monotonic() < until:
            time.sleep(0.01)
        if self.count != count:
            raise DidNotRun(f"{self.name}: {self.count} tasks came to the broker, not {count}")


class Site:
    """The broker and the stand-in, running, with what is started beside them."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.folder = folder
        self.processes = processes
        self.crm_port, broker_port = free_port(), free_port()
        self.broker_url = f"redis://{HOST}:{broker_port}/0"
        # redis-py types its answers for sync and async clients alike.
        self._redis: Any = redis.Redis(port=broker_port, socket_timeout=5)
        argv = contenders.broker(folder / "broker", broker_port)
        broker = processes.start("broker", argv, contenders.plain_environ())
        processes.wait(broker, lambda: listens(broker_port), "the broker")
        stand_in = [sys.executable, "-m", "bench.crm", str(self.crm_port)]
        crm = processes.start("crm", stand_in, contenders.plain_environ())
        processes.wait(crm, lambda: listens(self.crm_port), "the CRM stand-in")
        self.crm = Control(self.crm_port)

    def start_web(self, contender: Contender) -> Web:
        """Start `contender`'s receiver; return it and its port."""
        port = free_port()
        name = f"{contender.web.partition(':')[0]}-{port}"
        web = self.processes.start(name, contenders.gunicorn(contender, port), contender.environ)
        self.processes.wait(web, lambda: answers(port), f"the receiver of {contender.name}", 60.0)
        return web, port

    def send(
        self, contender: Contender, port: int, tag: str, seconds: float, count: int | None = None
    ) -> Sent:
        """Post forms for `seconds`, or `count` of them. Raises DidNotRun where one was not answered with 200."""
        argv = [sys.executable, "-m", "bench.load", "--port", str(port), "--path", contender.path]
        argv += ["--tag", tag, "--seconds", str(seconds)]
        argv += ["--count", str(count)] if count else []
        load = self.processes.start(f"load-{tag}", argv, contenders.plain_environ())
        try:
            load.wait(seconds + 30)
        except subprocess.TimeoutExpired as error:
            raise DidNotRun(f"the load on {contender.name} did not end") from error
        told = (self.folder / f"load-{tag}.log").read_text("utf-8").strip()
        if load.returncode:
            raise DidNotRun(f"the load on {contender.name}: {told[-400:]}")
        outcome: dict[str, Any] = json.loads(told.splitlines()[-1])
        others = outcome.pop("others")
        if others or count not in (None, outcome["accepted"]):
            raise DidNotRun(
                f"{contender.name} accepted {outcome['accepted']} and answered otherwise: {others}"
            )
        return Sent(**outcome)

    def waiting(self, contender: Contender) -> int:
        """Return how many tasks of `contender` wait at the broker."""
        return int(self._redis.llen(contender.queue))

    @contextmanager
    def taking(self, contender: Contender) -> Iterator[Taken]:
        """Take `contender`'s tasks from the broker while this lasts, and throw them away."""
        taken, over = Taken(contender.name), threading.Event()

        def take() -> None:
            while not over.wait(TAKE_EVERY_SECONDS):
                taken.count += len(self._redis.lpop(contender.queue, TAKE_AT_ONCE) or ())

        thread = threading.Thread(target=take, daemon=True)
        if contender.queue:
            thread.start()
        try:
            yield taken
        finally:
            over.set()
            if contender.queue:
                thread.join()

    def at_rest(self, contender: Contender) -> bool:
        """Return whether no task of `contender` waits, and none is in a worker's hands."""
        return not self.waiting(contender) and not self._redis.hlen("unacked")

    def await_tasks(self, contender: Contender, count: int) -> None:
        """Return once `count` tasks, or as many as may, stand at the broker. Raises DidNotRun after 20 s."""
        until = time.monotonic() + TASKS_SECONDS
        most = contender.most_waiting or count
        while min(self.waiting(contender), most) != min(count, most):
            if time.monotonic() > until:
                raise DidNotRun(
                    f"{contender.name}: {self.waiting(contender)} tasks at the broker, not {count}"
                )
            time.sleep(0.02)


def ledger_counts(contender: Contender) -> dict[str, int]:
    """Return how many deliveries of `contender`'s ledger are in which state; empty where it has no ledger."""
    if contender.ledger is None:
        return {}
    with closing(sqlite3.connect(f"file:{contender.ledger}?mode=ro", uri=True)) as ledger:
        return dict(ledger.execute("SELECT state, count(*) FROM deliveries GROUP BY state"))
