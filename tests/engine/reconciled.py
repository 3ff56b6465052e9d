"""A bench whose CRM is compared with its ledger, and what people do in a CRM by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.conftest import Clock
from tests.engine.harness import Bench, benched
from tests.engine.jobs import Job
from worker.ledger.database import Database
from worker.ledger.reconciling import Period
from worker.ledger.tables import State
from worker.reconcile import reconcile
from worker.reconcile.findings import Finding, Tally
from worker.reconcile.repair import MadeAgain, make_again
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session


@contextmanager
def opened(db: Database, clock: Clock, var: Path) -> Iterator[Bench]:
    """Open a bench at a sandbox of its own."""
    with benched(clock, db, var) as bench:
        yield bench


def delivered(bench: Bench, job: Job) -> str:
    """Deliver the job and return its delivery's id."""
    delivery = bench.receive(job.source, job.body, job.content_type, job.headers, job.connection)
    (row,) = bench.until_ended(delivery)
    assert row["state"] == State.DELIVERED, (row["error"], row["reason"])
    return delivery


def api_of(bench: Bench, connection: str) -> Api:
    """Return the connection as a command would open it, without its limits."""
    settings = bench.engine.settings.connections[connection]
    session = bench.engine.sessions.setdefault(connection, Session())
    return Api(VENDORS[settings.vendor], settings, bench.engine.http, session, lambda: None)


def compared(bench: Bench, connection: str, days: float = 7) -> tuple[list[Finding], Tally]:
    """Compare what was delivered in the last days with what the CRM holds."""
    until = bench.clock() + timedelta(seconds=1)
    period = Period(connection, until - timedelta(days=days), until, until)
    tally = Tally()
    pages = reconcile(bench.engine.settings, bench.engine.db, api_of(bench, connection), period, tally)
    return [found for page in pages for found in page.findings], tally


def repaired(bench: Bench, findings: list[Finding]) -> MadeAgain:
    """Give the missing records back, and deliver what is due again."""
    missing = [found for found in findings if found.verdict == "missing"]
    made = make_again(bench.engine.db, missing, "lan", bench.clock())
    for row in bench.until_ended(*made.deliveries):
        assert row["state"] == State.DELIVERED, (row["error"], row["reason"])
    return made


def verdicts(findings: list[Finding]) -> Counter[tuple[str, str]]:
    """Return how often each kind of record has which verdict."""
    return Counter((found.kind, found.verdict) for found in findings)


def by_hand(bench: Bench, verb: str, job: Job, record_id: str, changes: Any = None, **more: str) -> None:
    """Delete, change or copy the record that the job is about, as a person in the CRM would."""
    where = {"vendor": job.vendor, "kind": job.record, "id": record_id, **more}
    answer = bench.control.request(verb, "/records", params=where, json=changes)
    assert answer.status_code in (200, 201), answer.text


def another_id(record_id: str) -> str:
    """Return an id of the same form that no record has."""
    if record_id.isdecimal():
        return str(int(record_id) + 7)
    if "_" in record_id:
        return f"{record_id}7"
    return str(UUID(int=UUID(record_id).int ^ 7))
