"""One worker without Celery: a real ledger, a real HTTP client, a sandbox on a socket, and a clock to move."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from mappings.source import Arrival
from mappings.sources import SOURCES
from sandbox.server import Running, running
from sandbox.store import Store
from tests.conftest import Clock
from worker.budget import Lanes
from worker.delivery import Engine, deliver
from worker.http import Http
from worker.ledger import deliveries, intake, search
from worker.ledger.database import Database
from worker.ledger.new_events import NewEvent, Stored
from worker.ledger.tables import State
from worker.ledger.tables import deliveries as table
from worker.ledger.verdicts import Verdict
from worker.settings.configuration import load

ROOT = Path(__file__).parents[2]
ENVIRON = {
    "RELAY_CONFIG": str(ROOT / "relay.toml"),
    "SHOP_SECRET": "shop-secret",
    "INBOX_TOKEN": "inbox-token",
    "OPLA_TOKEN": "opla-token",
    "OVERPLANE_TOKEN": "overplane-token",
    "CENTIA_EMAIL": "relay@example.com",
    "CENTIA_PASSWORD": "centia-password",
    "OFFICE_EMAIL": "relay@example.com",
    "OFFICE_PASSWORD": "office-password",
    "CRMTOP_CLIENT_ID": "crmtop-client",
    "CRMTOP_CLIENT_SECRET": "crmtop-secret",
}


def _named_secrets(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _named_secrets(value)
        elif key.endswith("_env"):
            yield from [value] if isinstance(value, str) else value


#: A secret for every `*_env` of the example that shows all sources.
SECRETS_OF_EVERY_SOURCE = {
    name: f"secret-of-{name}"
    for name in _named_secrets(tomllib.loads((ROOT / "docs" / "every-source.toml").read_text("utf-8")))
}
CREDENTIALS = {
    "oplacrm": {"token": "opla-token"},
    "overplane": {"token": "overplane-token"},
    "centiacrm": {"email": "relay@example.com", "password": "centia-password"},
    "onlyoffice": {"email": "relay@example.com", "password": "office-password"},
    "crmtop": {"client_id": "crmtop-client", "client_secret": "crmtop-secret"},
}
ENDED = (State.DELIVERED, State.FAILED, State.SKIPPED, State.SUPERSEDED)


class Killed(BaseException):
    """Stands for SIGKILL: no handler of the engine catches it, so nothing is written after it."""


class Bench:
    """An engine at a sandbox, and what a test does to both."""

    def __init__(self, db: Database, clock: Clock, sandbox: Running, var: Path) -> None:
        self.sandbox = sandbox
        self.control = httpx.Client(
            base_url=f"{sandbox.url}/_sandbox", verify=False, trust_env=False, timeout=60
        )
        self.clock = clock
        settings = load({**ENVIRON, "RELAY_SANDBOX_URL": sandbox.url, "RELAY_VAR": str(var)})
        self.engine = Engine(settings, db, Http(), Lanes(8, 2), clock, lambda: 0.5)

    def receive(
        self,
        source: str,
        body: bytes,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        to: str = "opla",
    ) -> str:
        """Store an event as the door would, for one connection; return its delivery's id."""
        stored = self.post(source, body, content_type, headers, to)
        assert not stored.duplicate
        return stored.deliveries[0][1]

    def post(
        self,
        source: str,
        body: bytes,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        to: str = "opla",
    ) -> Stored:
        """Store an event as the door would, for one connection, or find that it is a duplicate."""
        settings = self.engine.settings.sources[source]
        sender = SOURCES[settings.type]
        digest = hashlib.sha256(body).hexdigest()
        naming = sender.name(
            Arrival(source, headers or {}, sender.read(body, content_type), digest, settings.options)
        )
        event = NewEvent(source, naming, Verdict.ROUTED, content_type, headers or {}, body, [to])
        stored = intake.store(self.engine.db, event, self.clock())
        self.clock.forward(microseconds=10)
        return stored

    def attempt(self, delivery_id: str) -> State | None:
        """Try a delivery once, as a task would."""
        row = self.show(delivery_id)
        return deliver(self.engine, delivery_id, self.engine.settings.connections[row["connection"]])

    def until_ended(self, *delivery_ids: str, tries: int = 60) -> list[Mapping[str, Any]]:
        """Try the deliveries, moving the clock as a sweep would wait, until all are at their end."""
        open_rows = self._open(delivery_ids)
        for _ in range(tries):
            if not open_rows:
                return [self.show(i) for i in delivery_ids]
            for row in open_rows:
                if row.due_at <= self.clock():
                    deliver(self.engine, row.id, self.engine.settings.connections[row.connection])
            self.clock.forward(seconds=1)
            open_rows = self._open(delivery_ids)
            first = min((row.due_at for row in open_rows), default=self.clock())
            if first > self.clock():
                self.clock.forward(seconds=(first - self.clock()).total_seconds())
        raise AssertionError([(r["state"], r["error"], r["reason"]) for r in map(self.show, delivery_ids)])

    def _open(self, delivery_ids: tuple[str, ...]) -> Sequence[Any]:
        # Not `show`, whose five queries of all that an operator sees took longer than the attempt between them.
        kept = table.c.id.in_(delivery_ids) & table.c.state.not_in(ENDED)
        with self.engine.db.read() as c:
            order = {i: place for place, i in enumerate(delivery_ids)}
            rows = c.execute(select(table.c.id, table.c.connection, table.c.due_at).where(kept)).all()
            return sorted(rows, key=lambda row: order[row.id])

    def kill_during(self, delivery_id: str, operation: str) -> None:
        """Try a delivery and die after the vendor has carried out `operation`, before the checkpoint."""
        http = self.engine.http
        self.engine.__dict__["http"] = _DiesAfter(http, self.control, operation)
        try:
            self.attempt(delivery_id)
        except Killed:
            pass
        else:
            raise AssertionError(f"{operation} was never called")
        finally:
            self.engine.__dict__["http"].close()
            self.engine.__dict__["http"] = http
        self.clock.forward(seconds=60)  # until the dead worker's lease is over

    def show(self, delivery_id: str) -> Mapping[str, Any]:
        """Return the delivery as the operator sees it."""
        found = search.show_delivery(self.engine.db, delivery_id)
        assert found is not None
        return found

    def fault(self, **fault: Any) -> None:
        """Set a fault at the sandbox."""
        answer = self.control.post("/faults", json=fault)
        assert answer.status_code in (200, 201), answer.text

    def close(self) -> None:
        """Close all connections to the sandbox."""
        self.engine.http.close()
        self.control.close()

    def clear_faults(self) -> None:
        """Take all faults back."""
        self.control.delete("/faults")

    def records(self, vendor: str, kind: str) -> list[Any]:
        """Return what the sandbox holds."""
        answer = self.control.get("/records", params={"vendor": vendor, "kind": kind})
        content: list[Any] = answer.json()["records"]
        return content

    def counts(self, vendor: str) -> dict[str, int]:
        """Return how many records of each kind the vendor holds, none left out."""
        answer = self.control.get("/records", params={"vendor": vendor})
        found: dict[str, int] = {}
        for record in answer.json()["records"]:
            found[record["kind"]] = found.get(record["kind"], 0) + 1
        return found

    def hold_lease_of(self, delivery_id: str) -> deliveries.Claim:
        """Claim a delivery as another worker would, and do nothing with it."""
        claim = deliveries.claim(self.engine.db, delivery_id, self.clock(), timedelta(seconds=30))
        assert claim is not None
        return claim


class _DiesAfter(Http):
    def __init__(self, http: Http, control: httpx.Client, operation: str) -> None:
        super().__init__()
        self._http = http
        self._control = control
        self._operation = operation

    def send(self, request: Any, seconds: float) -> Any:
        answer = self._http.send(request, seconds)
        if self._control.get("/requests").json()["requests"][-1]["operation"] == self._operation:
            raise Killed
        return answer


@contextmanager
def benched(clock: Clock, ledger: Database | str, var: Path, **sandbox: Any) -> Iterator[Bench]:
    """Open an engine over `ledger`, or the one at that URL, at a sandbox of its own, started with `sandbox`."""
    db = Database(ledger) if isinstance(ledger, str) else ledger
    with running(CREDENTIALS, **sandbox) as server:
        bench = Bench(db, clock, server, var)
        yield bench
        bench.close()
    if db is not ledger:
        db.close()


@contextmanager
def lagging_by(seconds: int, clock: Clock, url: str, var: Path) -> Iterator[Bench]:
    """Open an engine at a sandbox whose searches are so many seconds behind, by the test's own clock."""
    store = Store(":memory:", clock=lambda: clock().timestamp())
    with benched(clock, url, var, options={"*": {"search_lag_ms": seconds * 1000}}, store=store) as bench:
        yield bench
    store.close()
