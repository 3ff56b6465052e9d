"""The memory of a reconciliation: that of a page, however many deliveries there are."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, insert

from tests.conftest import Clock
from tests.engine.harness import ENVIRON
from worker.http import Http
from worker.ids import new_id
from worker.ledger import reconciling
from worker.ledger.database import Database
from worker.ledger.reconciling import Period
from worker.ledger.stored_event import StoredEvent
from worker.ledger.tables import State, StepState, deliveries, events, links, steps
from worker.planning import planned
from worker.reconcile import reconcile
from worker.reconcile.findings import Tally
from worker.settings import Settings
from worker.settings.configuration import load
from worker.steps.first_step import digest
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

PAGE, FEW, MANY = 10, 20, 200


class Standing(Api):
    """An account whose lists show every lead as it was sent, with nobody on a socket to make them."""

    number = 0

    def each(self, name: str, values: Mapping[str, Any] | None = None) -> Iterator[Mapping[str, Any]]:
        key = str((values or {})["external_id"])
        yield {"id": f"id-of-{key}", "external_id": key, "note": "held" * 50}


def fill(db: Database, settings: Settings, clock: Clock, number: int) -> None:
    """Write as many delivered leads as the worker would have left behind."""
    rows: dict[Table, list[dict[str, Any]]] = {events: [], deliveries: [], steps: [], links: []}
    for _ in range(number):
        clock.forward(seconds=1)
        event: dict[str, Any] = {
            "id": new_id(),
            "source": "website",
            "type": "submitted",
            "dedup_key": new_id(),
            "verdict": "routed",
            "received_at": clock(),
            "content_type": "application/x-www-form-urlencoded",
            "headers": "{}",
            "body": f"name=Lan&email=lan%40example.com&message={'Please+call. ' * 2000}".encode(),
            "repeats": 0,
        }
        named = {
            name: event[name] for name in ("id", "source", "type", "received_at", "content_type", "body")
        }
        stored = StoredEvent(**named, entity=None, version=None, headers={})
        (plan,) = planned(settings, settings.connections["opla"], stored)
        (record,) = plan.records
        of = {"kind": "lead", "key": record.key, "record_id": f"id-of-{record.key}", "updated_at": clock()}
        delivery = {"id": new_id(), "event_id": event["id"], "connection": "opla", "state": State.DELIVERED}
        times = {"due_at": clock(), "created_at": clock(), "updated_at": clock()}
        done = {
            "position": 0,
            "state": StepState.DONE,
            "was_there": False,
            "request_digest": digest(record.body),
        }
        rows[events].append(event)
        rows[deliveries].append({**delivery, **times, "attempts": 1, "tries": 0})
        rows[steps].append({**of, **done, "delivery_id": delivery["id"]})
        rows[links].append({**of, "connection": "opla"})
    with db.write() as c:
        for table, some in rows.items():
            c.execute(insert(table), some)


def peak(db: Database, settings: Settings, clock: Clock) -> tuple[int, Tally]:
    """Return the most memory in bytes that a whole comparison took, and what it came to."""
    until, tally = clock() + timedelta(hours=1), Tally()
    api = Standing(VENDORS["oplacrm"], settings.connections["opla"], Http(), Session(), lambda: None)
    period = Period("opla", until - timedelta(days=7), until, until)
    tracemalloc.start()
    for page in reconcile(settings, db, api, period, tally):
        assert len(page.findings) == page.deliveries
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most, tally


def test_ten_times_the_deliveries_take_the_memory_of_one_page(
    db: Database, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a year's reconciliation ends when the memory does, and says nothing of what it had found."""
    monkeypatch.setattr(reconciling, "PAGE", PAGE)
    settings = load({**ENVIRON, "RELAY_VAR": str(tmp_path)})
    fill(db, settings, clock, FEW)
    few, tally = peak(db, settings, clock)
    assert tally.counts["lead"]["there"] == tally.counts["lead"]["changed"] == FEW
    fill(db, settings, clock, MANY - FEW)
    many, tally = peak(db, settings, clock)
    assert (tally.deliveries, tally.counts["lead"]["there"]) == (MANY, MANY)
    assert many < 1.5 * few
