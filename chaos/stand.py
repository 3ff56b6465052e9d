"""Where a row happens: a fresh folder, fresh ports, and the processes of the Procfile with all that they need."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import redis
from dotenv import dotenv_values

from chaos.postgres import Postgres, url_at
from chaos.processes import ROOT, DidNotRun, Process, wait_until
from chaos.procfile import command
from chaos.proxy import Proxy, to_port
from chaos.senders import SECRETS
from relay.broker import broker_answers, broker_command
from relay.ports import HOST, free_port
from worker.configuration import load
from worker.errors import LedgerUnavailable
from worker.ledger import search
from worker.ledger.database import Database
from worker.settings import Settings

#: The second shop, which the example configuration has not.
_SECOND_SHOP = """
[sources.woo]
type = "woocommerce"
secret_env = "WOO_SECRET"

[[routes]]
source = "woo"
to = ["opla", "centia", "office", "overplane", "crmtop"]
"""
#: Threads of each of the two workers: enough for all CRMs at once, little enough for two cores.
THREADS = 16


@dataclass(frozen=True, slots=True)
class Build:
    """How a row wants its stand.

    `cut_off` puts the ledger and the broker of worker 2 behind proxies, `proxied_broker` that of everybody.
    `ledger_folder` is where the SQLite ledger lies, if not in the row's own folder; `worker_1` goes into the
    environment of worker 1. `search_lag`, and the `timeout` of a call to a CRM, are in seconds; a dead worker's
    deliveries are taken over 10 s after the timeout.
    """

    postgresql: bool = False
    proxied_broker: bool = False
    cut_off: bool = False
    ledger_folder: Path | None = None
    worker_1: Mapping[str, str] = field(default_factory=dict)
    search_lag: float = 0.0
    timeout: float = 10.0


class Stand:
    """Everything that runs for one row. Harm is done to its parts; `tick` starts again what died.

    `notes` are what the harm says to whoever reads the row, `moments` when it did what (seconds since 1970).
    """

    def __init__(self, folder: Path, build: Build) -> None:
        self.folder = folder
        self.build = build
        self.postgres: Postgres | None = None
        self.proxies: dict[str, Proxy] = {}
        self.processes: dict[str, Process] = {}
        self.env, self.settings = self._configured()
        self._db: Database | None = None
        self.notes: list[str] = []
        self.moments: dict[str, float] = {}

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

    def start(self) -> None:
        """Start everything and wait until it is ready. Raises DidNotRun."""
        self._start("broker", broker_command(self.folder, f"redis://{HOST}:{self.env['BROKER_PORT']}"))
        self._wait("broker", lambda: broker_answers(f"redis://{HOST}:{self.env['BROKER_PORT']}/0"))
        self._migrate()
        lag = ["--search-lag", str(self.build.search_lag)] if self.build.search_lag else []
        port = self.sandbox_url.rpartition(":")[2]
        self._start("sandbox", [sys.executable, "-m", "relay", "sandbox", "--port", port, *lag])
        self._start("web", command("web", self.env))
        began = datetime.now(UTC).replace(microsecond=0)
        for number in (1, 2):
            env = {**self.env, **self._of_worker(number)}
            self._start(f"worker{number}", command("worker", env, number), env)
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
        """Remove all faults of the sandbox."""
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

    def last_words(self, names: Iterable[str] = ("web", "worker1", "worker2")) -> str:
        """Return the end of what the processes said."""
        return "; ".join(
            f"{name}: {self.processes[name].last_words()}" for name in names if name in self.processes
        )

    def _configured(self) -> tuple[dict[str, str], Settings]:
        config = self.folder / "relay.toml"
        example = (ROOT / "relay.toml").read_text("utf-8")
        timed = re.sub(
            r'^vendor = "\w+"$', rf"\g<0>\ntimeout_seconds = {self.build.timeout}", example, flags=re.M
        )
        config.write_text(timed + _SECOND_SHOP, "utf-8")
        (self.folder / "broker").mkdir(exist_ok=True)
        broker = free_port()
        env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        env |= {name: value or "" for name, value in dotenv_values(ROOT / "demo.env").items()}
        env |= {
            "HOME": str(self.folder),
            **SECRETS,
            "RELAY_CONFIG": str(config),
            "RELAY_VAR": str(self.folder),
            "RELAY_THREADS": str(THREADS),
            "RELAY_SANDBOX_URL": f"http://{HOST}:{free_port()}",
            "PORT": str(free_port()),
            "BROKER_PORT": str(broker),
            "RELAY_BROKER_URL": f"redis://{HOST}:{broker}/0",
            "RELAY_DATABASE_URL": f"sqlite:///{(self.build.ledger_folder or self.folder) / 'ledger.sqlite'}",
        }
        if self.build.postgresql:
            self.postgres = Postgres(self.folder)
            self.processes["postgresql"] = self.postgres.process
            env["RELAY_DATABASE_URL"] = self.postgres.url
        if self.build.proxied_broker:
            env["RELAY_BROKER_URL"] = f"redis://{HOST}:{self._proxy('broker', broker)}/0"
        return env, load(env)

    def _of_worker(self, number: int) -> Mapping[str, str]:
        if number == 1:
            return self.build.worker_1
        if not self.build.cut_off or self.postgres is None:
            return {}
        return {
            "RELAY_BROKER_URL": f"redis://{HOST}:{self._proxy('broker', int(self.env['BROKER_PORT']))}/0",
            "RELAY_DATABASE_URL": url_at(self._proxy("ledger", self.postgres.port)),
        }

    def _proxy(self, name: str, port: int) -> int:
        self.proxies[name] = Proxy(to_port(port))
        return self.proxies[name].port

    def _migrate(self) -> None:
        migration = Process("migrate", command("release", self.env), self.env, self.folder)
        migration.start()
        self.processes["migrate"] = migration
        migration.is_wanted = False
        wait_until(lambda: not migration.is_alive(), 90, "relay migrate")
        del self.processes["migrate"]

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
