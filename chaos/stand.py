"""Where a row happens: a fresh folder, fresh ports, and the processes of the Procfile with all that they need."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import redis

from chaos.build import Build, environment
from chaos.load import Load
from chaos.postgres import Postgres, url_at
from chaos.processes import DidNotRun, Process, wait_until
from chaos.procfile import command
from chaos.proxy import Proxy, to_port
from relay.broker import broker_answers, broker_command
from relay.ports import HOST
from worker.errors import LedgerUnavailable
from worker.ledger import search
from worker.ledger.database import Database
from worker.ledger.migrate import migrate
from worker.settings import Settings
from worker.settings.configuration import load as settings_of


class Stand:
    """Everything that runs for one row. Harm is done to its parts; `tick` starts again what died.

    `notes` are what the harm says to whoever reads the row, `moments` when it did what (seconds since 1970).
    `strikes` count what the harm really did: a row in which one of them is zero proves nothing.
    """

    def __init__(self, folder: Path, build: Build) -> None:
        self.folder = folder
        self.build = build
        self.postgres: Postgres | None = None
        self.proxies: dict[str, Proxy] = {}
        self.processes: dict[str, Process] = {}
        self.env, self.settings = self._configured()
        self.load: Load | None = None
        self._db: Database | None = None
        self.notes: list[str] = []
        self.moments: dict[str, float] = {}
        self.strikes: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Where senders post."""
        return f"http://{HOST}:{self.env['PORT']}"

    @property
    def sandbox_url(self) -> str:
        """Where the CRMs are."""
        return self.env["RELAY_SANDBOX_URL"]

    @property
    def workers(self) -> list[Process]:
        """Both workers."""
        return [self.processes["worker1"], self.processes["worker2"]]

    @property
    def broker(self) -> redis.Redis:
        """A client of the broker itself, past any proxy."""
        return redis.Redis(host=HOST, port=int(self.env["BROKER_PORT"]), socket_timeout=5)

    def strike(self, what: str, number: int = 1) -> None:
        """Note that `what` was struck so many times, also where it should have been and was not."""
        self.strikes[what] += number

    def accepted(self) -> int:
        """Return how many events were answered 200 so far."""
        return len(self.load.outcome.accepted) if self.load else 0

    def queued(self) -> dict[str, int]:
        """Return how many tasks wait at the broker, by connection."""
        with self.broker as broker:
            return {name: int(broker.llen(known.queue)) for name, known in self.settings.connections.items()}

    def start(self) -> None:
        """Start everything and wait until it is ready. Raises DidNotRun."""
        argv = broker_command(self.folder, f"redis://{HOST}:{self.env['BROKER_PORT']}")
        host = self.build.host
        # It has no password, and takes nobody from elsewhere then; nobody else can come over a bridge of our own.
        also = ["--bind", HOST, host.inner.address, "--protected-mode", "no"] if host else []
        self._start("broker", [*argv, *also])
        self._wait("broker", lambda: broker_answers(f"redis://{HOST}:{self.env['BROKER_PORT']}/0"))
        self._migrate()
        lag = ["--search-lag", str(self.build.search_lag)] if self.build.search_lag else []
        port = self.sandbox_url.rpartition(":")[2]
        self._start("sandbox", [sys.executable, "-m", "relay", "sandbox", "--port", port, *lag])
        self._start("web", command("web", self.env))
        began = datetime.now(UTC).replace(microsecond=0)
        for number in (1, 2):
            env = {**self.env, **self._of_worker(number)}
            argv = command("worker", env, number)
            self._start(f"worker{number}", host.inside(argv) if host and number == 2 else argv, env)
        self._wait("sandbox", lambda: self._answers(f"{self.sandbox_url}/_sandbox/"))
        self._wait("web", lambda: self._answers(f"{self.url}/healthz"))
        self._wait("worker1", lambda: self._swept_since(began))

    def tick(self) -> None:
        """Start again whatever should run and does not, as the platform does."""
        for process in self.processes.values():
            process.revive()

    def close(self) -> None:
        """End everything, the youngest first."""
        if self._db is not None:
            self._db.close()
        for name, process in reversed(self.processes.items()):
            if name != "postgresql":
                process.kill()
                process.is_wanted = False
        for proxy in self.proxies.values():
            proxy.close()
        if self.postgres is not None:
            self.postgres.close()

    def fault(self, **fault: Any) -> None:
        """Set a fault of the sandbox."""
        httpx.post(
            f"{self.sandbox_url}/_sandbox/faults", json=fault, timeout=30, trust_env=False
        ).raise_for_status()

    def no_faults(self) -> None:
        """Remove all faults of the sandbox, and note how many calls each way of them has struck."""
        shown = httpx.get(
            f"{self.sandbox_url}/_sandbox/faults", timeout=30, trust_env=False
        ).raise_for_status()
        for fault in shown.json()["faults"]:
            self.strike(f"calls with {fault['fault']} {fault['status'] or ''}".strip(), fault["struck"])
        httpx.delete(f"{self.sandbox_url}/_sandbox/faults", timeout=30, trust_env=False).raise_for_status()

    def records(self) -> list[dict[str, Any]]:
        """Return what the CRMs hold."""
        answer = httpx.get(f"{self.sandbox_url}/_sandbox/records", timeout=120, trust_env=False)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["records"]
        return found

    @property
    def db(self) -> Database:
        """The ledger, past any proxy."""
        if self._db is None:
            self._db = Database(self.env["RELAY_DATABASE_URL"], threads=1)
        return self._db

    def states(self) -> dict[str, int] | None:
        """Return how many deliveries are in each state; None while the ledger does not say."""
        try:
            return search.count_states(self.db)
        except LedgerUnavailable:
            return None

    def last_words(self) -> str:
        """Return the end of what the receiver and the workers said."""
        names = ("web", "worker1", "worker2")
        return "; ".join(
            f"{name}: {self.processes[name].last_words()}" for name in names if name in self.processes
        )

    def _configured(self) -> tuple[dict[str, str], Settings]:
        env, host = environment(self.folder, self.build), self.build.host
        if self.build.postgresql:
            self.postgres = Postgres(self.folder, (host.inner.address, host.inner.net) if host else None)
            self.processes["postgresql"] = self.postgres.process
            env["RELAY_DATABASE_URL"] = self.postgres.url
        if self.build.proxied_broker:
            broker = self._proxy("broker", int(env["BROKER_PORT"]))
            env["RELAY_BROKER_URL"] = f"redis://{HOST}:{broker}/0"
        return env, settings_of(env)

    def _of_worker(self, number: int) -> Mapping[str, str]:
        if number == 1:
            return self.build.worker_1
        if self.postgres is None:
            return {}
        broker, host = int(self.env["BROKER_PORT"]), self.build.host
        if host:
            crms = self._proxy("crms", int(self.sandbox_url.rpartition(":")[2]), host.outer.address)
            return {
                "RELAY_BROKER_URL": f"redis://{host.inner.address}:{broker}/0",
                "RELAY_DATABASE_URL": url_at(self.postgres.port, host.inner.address),
                "RELAY_SANDBOX_URL": f"http://{host.outer.address}:{crms}",
            }
        if self.build.swallowed:
            return {
                "RELAY_BROKER_URL": f"redis://{HOST}:{self._proxy('broker', broker)}/0",
                "RELAY_DATABASE_URL": url_at(self._proxy("ledger", self.postgres.port)),
            }
        return {}

    def _proxy(self, name: str, port: int, address: str = HOST) -> int:
        self.proxies[name] = Proxy(to_port(port), address)
        return self.proxies[name].port

    def _migrate(self) -> None:
        # What `relay migrate` does, in here: a process for it costs as much CPU time as a second of load.
        migrate(self.db)

    def _start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.processes[name] = Process(name, argv, env or self.env, self.folder)
        self.processes[name].start()

    def _wait(self, name: str, ready: Any) -> None:
        try:
            wait_until(ready, 120, name)
        except DidNotRun as error:
            raise DidNotRun(f"{error}; its last words: {self.processes[name].last_words()}") from error

    def _answers(self, url: str) -> bool:
        try:
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def _swept_since(self, began: datetime) -> bool:
        try:
            swept = httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).json()["last_sweep"]
        except (httpx.HTTPError, ValueError, KeyError):
            return False
        return swept is not None and datetime.fromisoformat(swept) >= began
