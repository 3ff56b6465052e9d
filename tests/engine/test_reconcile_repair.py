"""What a repair does to the ledger and the CRM, and what a reconciliation must not take for a missing record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mappings.vendor import CheckedValues
from tests.conftest import Clock
from tests.engine.harness import Bench
from tests.engine.jobs import JOBS, ORDER, Job
from tests.engine.reconciled import (
    another_id,
    api_of,
    by_hand,
    compared,
    delivered,
    opened,
    repaired,
    verdicts,
)
from worker.ledger import purging
from worker.ledger.database import Database
from worker.ledger.tables import State, audit, events, links
from worker.reconcile.repair import delete_double, make_again, may_delete

JOB = {(job.connection, job.name): job for job in JOBS}


@pytest.fixture
def bench(db: Database, clock: Clock, tmp_path: Path) -> Iterator[Bench]:
    """A bench on both databases."""
    with opened(db, clock, tmp_path) as bench:
        yield bench


def about(bench: Bench, job: Job) -> str:
    """Return the id of the one record that the job is about."""
    (record,) = bench.records(job.vendor, job.record)
    return str(record["id"])


def order_event(job: Job, topic: str, hour: int, **changes: Any) -> Job:
    """Return an event of the same order at an hour of the day."""
    order = {**ORDER, "updated_at": f"2026-03-02T{hour:02}:00:00+01:00", **changes}
    return replace(job, body=json.dumps(order).encode(), headers={"x-shopify-topic": topic})


def audited(bench: Bench) -> list[tuple[str, str, str]]:
    with bench.engine.db.read() as c:
        rows = c.execute(select(audit.c.operator, audit.c.action, audit.c.subject).order_by(audit.c.id))
        return [(row.operator, row.action, row.subject) for row in rows]


def test_a_paid_order_comes_back_as_paid(bench: Bench) -> None:
    """Otherwise the repair replays the first event, which the second has superseded, and nothing comes back."""
    job = JOB["overplane", "order"]
    first = delivered(bench, job)
    paid = delivered(bench, order_event(job, "orders/paid", 10, financial_status="paid"))
    by_hand(bench, "DELETE", job, about(bench, job))
    findings, _ = compared(bench, "overplane")
    assert verdicts(findings) == {("opportunity", "missing"): 1, ("opportunity_item", "missing"): 3}
    # Whichever of its deliveries was on the page where it was found.
    assert repaired(bench, [replace(found, delivery=first) for found in findings]).deliveries == {paid: None}
    (made,) = bench.records("overplane", "opportunity")
    assert made["body"]["status"] == "Converted"
    assert compared(bench, "overplane")[0] == []


def test_a_repair_of_yesterdays_findings_does_nothing(bench: Bench) -> None:
    """Otherwise a second operator who repairs the same list makes every record twice."""
    job = JOB["opla", "lead"]
    delivery = delivered(bench, job)
    gone = about(bench, job)
    by_hand(bench, "DELETE", job, gone)
    findings, _ = compared(bench, "opla")
    assert repaired(bench, findings).deliveries == {delivery: None}
    again = make_again(bench.engine.db, findings, "minh", bench.clock())
    assert (again.deliveries, again.left) == ({}, findings)
    assert bench.counts("oplacrm") == {"lead": 1}
    assert audited(bench) == [("lan", "make again", f"{delivery}: lead {findings[0].key}, was {gone}")]


def test_a_record_that_came_back_by_itself_is_not_made_again(bench: Bench) -> None:
    """Otherwise what was restored from the CRM's bin between the finding and the repair is there twice."""
    job = JOB["centia", "ticket"]
    delivered(bench, job)
    ours = about(bench, job)
    restored = another_id(ours)
    by_hand(bench, "POST", job, ours, **{"as": restored})
    by_hand(bench, "DELETE", job, ours)
    findings, _ = compared(bench, "centia")
    ((found),) = findings
    assert (found.verdict, found.others) == ("missing", (restored,))
    repaired(bench, findings)
    assert about(bench, job) == restored
    with bench.engine.db.read() as c:
        assert c.execute(select(links.c.record_id).where(links.c.kind == "ticket")).scalar_one() == restored


def test_what_an_update_has_taken_away_is_not_missing(bench: Bench) -> None:
    """Otherwise a line that the customer took out of the order comes back by the repair."""
    job = JOB["overplane", "order"]
    delivered(bench, job)
    shorter = {"shipping_lines": [], "total_price": "31.85"}
    delivered(bench, order_event(job, "orders/updated", 10, **shorter))
    assert len(bench.records("overplane", "opportunity_item")) == 2
    findings, tally = compared(bench, "overplane")
    assert findings == []
    assert tally.counts["opportunity_item"]["delivered"] == 2


def test_a_record_of_somebody_elses_that_was_found_is_not_compared_with_what_was_never_sent(
    bench: Bench,
) -> None:
    """Otherwise every customer who was in the CRM before counts as changed by hand."""
    job = JOB["centia", "lead"]
    api = api_of(bench, "centia")
    company = {"profile_id": 1, "name": "HONG NHUNG", "type_id": 52, "industry_id": 71}
    api.call("companies_create_company", company)
    delivered(bench, job)
    findings, tally = compared(bench, "centia")
    assert findings == []
    assert tally.counts["company"]["there"] == 1
    assert bench.counts("centiacrm")["company"] == 1


def test_without_its_payload_a_delivery_is_still_compared_for_existence(bench: Bench) -> None:
    """Otherwise the purge of old payloads takes the proof with it, or the command ends in a traceback."""
    job = JOB["office", "lead"]
    delivery = delivered(bench, job)
    gone = about(bench, job)
    with bench.engine.db.read() as c:
        (event,) = c.scalars(select(events.c.id)).all()
    with bench.engine.db.write() as c:
        purging.empty(c, [event], bench.clock())
    by_hand(bench, "PATCH", job, gone, {"lastName": "changed"})
    findings, tally = compared(bench, "office")
    assert (findings, tally.purged) == ([], 1)
    assert "payload" in tally.uncompared["history"]
    by_hand(bench, "DELETE", job, gone)
    findings, _ = compared(bench, "office")
    assert verdicts(findings) == {("person", "missing"): 1}
    # It cannot be delivered again: a repair must not turn what was delivered into something that fails.
    made = make_again(bench.engine.db, findings, "lan", bench.clock())
    assert (made.deliveries, made.left) == ({}, findings)
    assert bench.show(delivery)["state"] == State.DELIVERED


def test_a_changed_relay_toml_is_no_change_in_the_crm(bench: Bench) -> None:
    """Otherwise a new owner in relay.toml turns every record of the past into one that was changed by hand."""
    job = JOB["opla", "lead"]
    delivered(bench, job)
    settings = bench.engine.settings
    opla = settings.connections["opla"]
    values = CheckedValues({**opla.account.values, "lead_status": "Other"})
    changed = replace(opla, account=replace(opla.account, values=values))
    connections = {**settings.connections, "opla": changed}
    bench.engine.__dict__["settings"] = replace(settings, connections=connections)
    findings, tally = compared(bench, "opla")
    assert (findings, tally.remapped, tally.counts["lead"]["there"]) == ([], 1, 1)


@pytest.mark.parametrize(
    ("connection", "operation"), [("opla", "opportunity_get"), ("overplane", "customer_get")]
)
def test_a_404_on_a_path_that_no_document_states_is_no_missing_record(
    bench: Bench, connection: str, operation: str
) -> None:
    """Otherwise one wrong path in relay.toml makes every record of the CRM missing, and a repair doubles all."""
    delivered(bench, JOB[connection, "order"])
    settings = bench.engine.settings
    wrong = replace(settings.connections[connection], paths={operation: "/api/nowhere/{id}"})
    connections = {**settings.connections, connection: wrong}
    bench.engine.__dict__["settings"] = replace(settings, connections=connections)
    findings, _ = compared(bench, connection)
    assert {found.verdict for found in findings} <= {"not known"}


def test_only_the_younger_double_that_nothing_of_ours_is_may_be_deleted(bench: Bench) -> None:
    """Otherwise the repair deletes the record that sales work on."""
    job = JOB["overplane", "ticket"]
    delivered(bench, job)
    ours = about(bench, job)
    twin = another_id(ours)
    by_hand(bench, "POST", job, ours, **{"as": twin})
    by_hand(bench, "PATCH", job, ours, {"created_at": "2026-03-02T12:00:00Z"})
    by_hand(bench, "PATCH", job, twin, {"created_at": "2026-03-02T12:00:00Z"})
    assert compared(bench, "overplane")[0][0].younger == "", "both are of one second"
    by_hand(bench, "PATCH", job, twin, {"created_at": "2026-03-02T11:59:59Z"})
    assert compared(bench, "overplane")[0][0].younger == "", "the double is the older one"
    by_hand(bench, "PATCH", job, twin, {"created_at": "2026-03-02T12:00:01Z"})
    (found,), _ = compared(bench, "overplane")
    assert (found.others, found.younger) == ((twin,), twin)
    api = api_of(bench, "overplane")
    assert may_delete(bench.engine.db, api, found)
    assert not may_delete(bench.engine.db, api, replace(found, younger=ours)), "it is linked"
    delete_double(bench.engine.db, api, found, "lan", bench.clock())
    assert about(bench, job) == ours
    assert compared(bench, "overplane")[0] == []
    ((operator, action, subject),) = audited(bench)
    assert (operator, action) == ("lan", "delete double")
    assert subject.endswith(f": {twin}, kept {ours}")


def test_a_delivery_that_is_due_again_is_left_to_the_workers(bench: Bench) -> None:
    """Otherwise a repair forgets the steps of a delivery that a worker is carrying out."""
    job = JOB["opla", "lead"]
    delivery = delivered(bench, job)
    by_hand(bench, "DELETE", job, about(bench, job))
    findings, _ = compared(bench, "opla")
    make_again(bench.engine.db, findings, "lan", bench.clock())
    bench.hold_lease_of(delivery)
    assert make_again(bench.engine.db, findings, "minh", bench.clock()).deliveries == {}
    assert bench.show(delivery)["state"] == State.SENDING
