"""One worker's world in one thread: an engine, a broker that forgets, and a vendor that fails when told to."""

from __future__ import annotations

import json
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from sandbox.app import create_app
from sandbox.store import Store
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ENDED, ENVIRON, Bench, Killed
from worker.budget import Lanes
from worker.delivery import Engine, deliver
from worker.errors import LeaseLost
from worker.http import Http
from worker.ledger import search
from worker.ledger.database import Database
from worker.ledger.tables import State
from worker.settings.configuration import load
from worker.steps.look_ups import CARRIED_OUT_WITHIN
from worker.sweep import Sweep

SETTINGS = load({**ENVIRON, "RELAY_SANDBOX_URL": "http://sandbox.test"})
OPLA = SETTINGS.connections["opla"]
#: What may meet a call that changes the vendor. "before" is before the vendor has done it, "after" when it has.
FAULTS = (
    *("refused", "timeout before", "timeout after", "503 before", "503 after", "429", "401"),
    *("killed before", "killed after", "frozen after", "slow", "slow"),
)
#: Until then a search does not show what was made: in the worst case that the engine reckons with, which is this
#: connection's `search_lag_seconds` after the last moment at which a vendor still carries out what we sent.
SEARCH_LAG_MS = 65_000
assert timedelta(milliseconds=SEARCH_LAG_MS) < CARRIED_OUT_WITHIN + OPLA.search_lag
#: Longer than a lease, so that others take over what a frozen or dead worker had.
LEASE_IS_OVER = timedelta(seconds=60)


class Vendor(httpx.BaseTransport):
    """The sandbox, called in this process; `coming` are the faults of the next calls that change something."""

    def __init__(self, clock: Clock, meanwhile: Callable[[timedelta], None]) -> None:
        self.store = Store(":memory:", lambda: clock().timestamp())
        self.coming: deque[str] = deque()
        self.reads_to_fail = 0
        self._meanwhile = meanwhile
        options = {"oplacrm": {"search_lag_ms": SEARCH_LAG_MS}}
        self._sandbox = httpx.WSGITransport(app=_with_uri(create_app(self.store, CREDENTIALS, options)))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or fail as `coming` says. Raises Killed where the worker is to die."""
        if request.method == "GET":
            self.reads_to_fail, fails = max(0, self.reads_to_fail - 1), self.reads_to_fail > 0
            return httpx.Response(503) if fails else self._sandbox.handle_request(request)
        fault = self.coming.popleft() if self.coming else ""
        if fault == "refused":
            raise httpx.ConnectError("refused")
        if fault == "slow":  # it takes its time, and only then does what it was asked
            self._meanwhile(timedelta(0))
        answer = self._sandbox.handle_request(request) if fault in _DONE else None
        if fault.startswith("killed"):
            raise Killed
        if fault.startswith("timeout"):
            raise httpx.ReadTimeout("no answer")
        if fault == "frozen after":
            self._meanwhile(LEASE_IS_OVER)
        if fault[:3].isdigit():
            return httpx.Response(int(fault[:3]), headers={"retry-after": "7"} if fault == "429" else {})
        assert answer is not None
        return answer

    def held(self, kind: str) -> list[Any]:
        """Return all records of `kind` that the vendor holds."""
        return self.store.everything("oplacrm", kind)


_DONE = ("", "slow", *(fault for fault in FAULTS if fault.endswith("after")))


def _with_uri(app: Any) -> Any:
    def serve(environ: dict[str, Any], start: Any) -> Any:
        return app({**environ, "REQUEST_URI": quote(environ["PATH_INFO"], safe="/~@:+,")}, start)

    return serve


class Broker:
    """The queue of one connection; takes the place of a Publisher."""

    def __init__(self) -> None:
        self.tasks: deque[str] = deque()

    def publish(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Queue the deliveries."""
        self.tasks.extend(delivery_id for _, delivery_id in pairs)

    def depth(self, queue: str) -> int:
        """Return how many tasks wait."""
        return len(self.tasks)


class World(Bench):
    """What happens in it is what the rules of the state machine say."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.clock = Clock()
        self.began = self.clock()
        self.db = Database(f"sqlite:///{shutil.copy(empty, folder / 'ledger.sqlite')}", threads=4)
        settings = replace(SETTINGS, connections={"opla": OPLA})
        self.vendor = Vendor(self.clock, self._others_go_on)
        self.engine = Engine(settings, self.db, Http(self.vendor), Lanes(8, 1), self.clock, lambda: 0.5)
        self.broker = Broker()
        self.sweep = Sweep(settings, self.db, self.broker, self.clock)  # type: ignore[arg-type]

    def close(self) -> None:
        """Close the ledger and the vendor."""
        self.engine.http.close()
        self.vendor.store.close()
        self.db.close()

    def work(self, delivery_id: str) -> None:
        """Carry out one task; a worker that dies in it leaves its lease to time."""
        try:
            deliver(self.engine, delivery_id, OPLA)
        except Killed:
            return
        except LeaseLost:
            return  # a frozen worker woke up, and wrote nothing

    def work_off(self) -> None:
        """Carry out all tasks of the broker."""
        while self.broker.tasks:
            self.work(self.broker.tasks.popleft())

    def _others_go_on(self, after: timedelta) -> None:
        """Let the other workers do all that is due while this one is at its call, and time has passed."""
        self.clock.forward(seconds=after.total_seconds())
        coming = list(self.vendor.coming)
        self.vendor.coming.clear()
        self.sweep.once()
        self.work_off()
        self.vendor.coming.extend(coming)

    def rows(self) -> list[Mapping[str, Any]]:
        """Return all deliveries, the oldest first."""
        return search.list_deliveries(self.db, limit=100_000)[::-1]

    def settle(self) -> list[Mapping[str, Any]]:
        """Take all faults away and let time pass until every delivery is at its end; return them."""
        self.vendor.coming.clear()
        self.vendor.reads_to_fail = 0
        for _ in range(300):
            self.sweep.once()
            self.work_off()
            open_rows = [row for row in self.rows() if row["state"] not in ENDED]
            if not open_rows:
                return self.rows()
            self.clock.forward(seconds=self._until_something_is_due(open_rows))
        raise AssertionError(f"never at their end: {[(r['state'], r['reason']) for r in open_rows]}")

    def _until_something_is_due(self, open_rows: list[Mapping[str, Any]]) -> float:
        waits: list[float] = [(row["due_at"] - self.clock()).total_seconds() for row in open_rows]
        is_sending = any(row["state"] == State.SENDING for row in open_rows)
        return max(1.0, min(60.0, *waits) if is_sending else min(waits))


def order_body(number: int, version: int) -> bytes:
    """Return an order of Shopify's in its state `version`, which shows in what it costs and when it changed."""
    return json.dumps(
        {
            "id": number,
            "name": f"#{number}",
            "currency": "EUR",
            "created_at": "2026-03-02T09:00:00+01:00",
            "updated_at": f"2026-03-02T09:0{version}:00+01:00",
            "financial_status": "pending",
            "email": "ana@example.com",
            "total_price": f"{10 + version}.00",
            "line_items": [
                {"title": "Lamp", "sku": "LAMP-1", "quantity": 1, "price": f"{10 + version}.00"},
            ],
        }
    ).encode()
