"""Thin events on a real engine: what they lack is read once, at the sender, and nobody else suffers for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.conftest import Clock
from tests.engine.harness import ENVIRON, SECRETS_OF_EVERY_SOURCE, Bench, benched
from tests.engine.test_thin_support import SETTINGS
from worker.ledger.tables import State
from worker.settings.configuration import load

EVENT = {
    "object": "page",
    "entry": [
        {
            "id": "1",
            "time": 1772441000,
            "changes": [
                {
                    "field": "leadgen",
                    "value": {"leadgen_id": "445566", "page_id": "1", "created_time": 1772441000},
                }
            ],
        }
    ],
}
LEAD = {
    "id": "445566",
    "created_time": "2026-03-02T08:43:20+0000",
    "field_data": [
        {"name": "full_name", "values": ["Lan Nguyen"]},
        {"name": "email", "values": ["lan@example.com"]},
    ],
}


class Graph(BaseHTTPRequestHandler):
    """Plays the sender's interface: answers what the test has laid ready, one answer a request."""

    ready: list[tuple[int, Any]] = []  # noqa: RUF012
    asked: list[tuple[str, str]] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        status, content = self.ready.pop(0)
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    """A worker whose source `meta` reads its leads at a server of the test's own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Graph)
    Thread(target=server.serve_forever, daemon=True).start()
    Graph.ready.clear()
    Graph.asked.clear()
    with benched(clock, sqlite_url, tmp_path) as bench:
        here = f"http://127.0.0.1:{server.server_port}"
        source = replace(SETTINGS.sources["meta"], api_url=here)
        known = {**load({**ENVIRON, **SECRETS_OF_EVERY_SOURCE}).sources, "meta": source}
        settings = replace(bench.engine.settings, sources=known)
        bench.engine = replace(bench.engine, settings=settings)
        yield bench
    server.shutdown()
    server.server_close()


def receive(bench: Bench, **changed: Any) -> str:
    return bench.receive("meta", json.dumps({**EVENT, **changed}).encode())


def test_a_lead_is_read_once_and_delivered(bench: Bench) -> None:
    """Otherwise people who answered an advertisement never reach the CRM."""
    Graph.ready.append((200, LEAD))
    delivery = receive(bench)
    assert bench.attempt(delivery) == State.DELIVERED
    (lead,) = bench.records("oplacrm", "lead")
    assert (lead["body"]["name"], lead["body"]["email"]) == ("Lan Nguyen", "lan@example.com")
    (asked,) = Graph.asked
    assert asked[0].startswith("/445566?")
    assert asked[1] == f"Bearer {SETTINGS.sources['meta'].api_token}"


@pytest.mark.parametrize("status", [500, 429, 401, 403])
def test_a_sender_in_trouble_holds_nobody_else(bench: Bench, status: int) -> None:
    """Otherwise a token that ended at one sender closes the CRM for all the others."""
    Graph.ready += [(status, {}), (status, {}), (200, LEAD)]
    delivery = receive(bench)
    assert bench.attempt(delivery) == State.WAITING
    row = bench.show(delivery)
    assert row["error"] == "SenderDown"
    assert ("api_token_env" in row["reason"]) == (status in (401, 403))
    other = bench.receive("website", b"name=Ana&email=ana@example.com", "application/x-www-form-urlencoded")
    assert bench.attempt(other) == State.DELIVERED
    (ended,) = bench.until_ended(delivery)
    assert ended["state"] == State.DELIVERED
    assert len(Graph.asked) == 3


def test_what_was_read_is_kept_for_a_replay(bench: Bench) -> None:
    """Otherwise a lead that its sender has deleted by then cannot be delivered any more."""
    Graph.ready.append((200, LEAD))
    bench.fault(vendor="oplacrm", operation="lead_create", fault="status", status=500, times=1)
    delivery = receive(bench)
    assert bench.attempt(delivery) == State.UNKNOWN
    (row,) = bench.until_ended(delivery)
    assert row["state"] == State.DELIVERED
    assert len(Graph.asked) == 1


def test_what_is_gone_at_the_sender_is_told(bench: Bench) -> None:
    """Otherwise a lead that was deleted is asked for until the end of days."""
    Graph.ready.append((404, {}))
    delivery = receive(bench)
    assert bench.attempt(delivery) == State.FAILED
    assert "no longer at the sender" in bench.show(delivery)["reason"]
