"""Every job at every CRM compared: no false alarm, nothing overlooked, exactly one after a repair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clock
from tests.engine.harness import Bench
from tests.engine.jobs import JOBS, ORDER, Job
from tests.engine.reconciled import (
    another_id,
    by_hand,
    compared,
    delivered,
    opened,
    repaired,
)
from worker.ledger import reconciling
from worker.ledger.database import Database
from worker.vendors import VENDORS

#: What people change in the record that a job is about: the field in the sandbox's own words, and ours of it.
CHANGED = {
    ("oplacrm", "lead"): ("note", "note"),
    ("oplacrm", "opportunity"): ("name", "name"),
    ("centiacrm", "opportunity"): ("title", "title"),
    ("centiacrm", "ticket"): ("description", "description"),
    ("onlyoffice", "person"): ("lastName", "lastName"),
    ("onlyoffice", "opportunity"): ("title", "title"),
    ("onlyoffice", "case"): ("title", "title"),
    ("overplane", "lead"): ("company_name", "company_name"),
    ("overplane", "opportunity"): ("contact_display", "contact_display"),
    ("overplane", "issue"): ("description", "description"),
    ("crmtop", "lead"): ("company", "company"),
    ("crmtop", "order"): ("receiverName", "receiverName"),
    ("crmtop", "ticket"): ("description", "Description"),
}
each_job = pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.vendor}-{job.name}")
each_order = pytest.mark.parametrize(
    "job", [job for job in JOBS if job.name == "order"], ids=lambda job: job.vendor
)


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    db = Database(sqlite_url)
    with opened(db, clock, tmp_path) as bench:
        yield bench
    db.close()


def about(bench: Bench, job: Job) -> str:
    """Return the id of the one record that the job is about."""
    (record,) = bench.records(job.vendor, job.record)
    return str(record["id"])


def later(job: Job, topic: str, hour: int, **changes: Any) -> Job:
    """Return a later event of the same order."""
    order = {**ORDER, "updated_at": f"2026-03-02T{hour}:00:00+01:00", **changes}
    return replace(job, body=json.dumps(order).encode(), headers={"x-shopify-topic": topic})


@each_job
def test_what_is_as_it_was_sent_gives_no_alarm(bench: Bench, job: Job) -> None:
    """Otherwise people are sent to look at records with which nothing is wrong, and stop to look."""
    delivered(bench, job)
    findings, tally = compared(bench, job.connection)
    assert findings == []
    assert tally.is_clean
    assert (tally.deliveries, tally.remapped, tally.purged) == (1, 0, 0)
    assert tally.total("delivered") == tally.total("there") + tally.total("uncompared")
    assert tally.counts[job.record]["there"] == 1


@each_order
def test_what_later_events_have_changed_gives_no_alarm(
    bench: Bench, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each order that was paid counts as changed by hand."""
    events = (
        job,
        later(job, "orders/paid", 10, financial_status="paid"),
        later(
            job, "orders/cancelled", 11, cancelled_at="2026-03-02T11:00:00+01:00", cancel_reason="customer"
        ),
    )
    for event in events:
        delivery = bench.receive(event.source, event.body, event.content_type, event.headers, job.connection)
        bench.until_ended(delivery)
    findings, tally = compared(bench, job.connection)
    assert findings == []
    assert tally.is_clean
    # Also where the earlier event is compared before the later one is known.
    monkeypatch.setattr(reconciling, "PAGE", 1)
    assert compared(bench, job.connection)[0] == []


@each_order
def test_two_orders_of_one_customer_give_no_alarm(bench: Bench, job: Job) -> None:
    """Otherwise what orders share counts as doubled, or as changed by whoever did not send it."""
    delivered(bench, job)
    body = job.body.replace(b"5001", b"5002").replace(b"#1001", b"#1002").replace(b"Garcia", b"Garcia Ruiz")
    delivered(bench, replace(job, body=body))
    findings, tally = compared(bench, job.connection)
    assert findings == []
    assert tally.counts[job.record]["there"] == 2


@each_job
def test_a_record_deleted_at_the_crm_is_missing_and_made_again_once(bench: Bench, job: Job) -> None:
    """Otherwise a lead that somebody deleted by mistake stays lost, or comes back twice."""
    delivery = delivered(bench, job)
    gone = about(bench, job)
    by_hand(bench, "DELETE", job, gone)
    findings, tally = compared(bench, job.connection)
    (missing,) = [found for found in findings if found.kind == job.record]
    assert (missing.verdict, missing.record_id, missing.delivery) == ("missing", gone, delivery)
    assert not tally.is_clean
    assert list(repaired(bench, findings).deliveries) == [delivery]
    assert about(bench, job) != gone
    assert compared(bench, job.connection)[0] == []


@each_job
def test_a_second_record_with_our_key_is_doubled(bench: Bench, job: Job) -> None:
    """Otherwise a record that was made twice is found by the customer who gets two calls."""
    delivered(bench, job)
    ours = about(bench, job)
    twin = another_id(ours)
    by_hand(bench, "POST", job, ours, **{"as": twin})
    (found,) = [f for f in compared(bench, job.connection)[0] if f.kind == job.record]
    assert (found.verdict, found.record_id, found.others) == ("doubled", ours, (twin,))


@each_job
def test_a_field_changed_by_hand_is_told_with_both_values(bench: Bench, job: Job) -> None:
    """Otherwise nobody knows that sales has corrected what the next event would write over."""
    delivered(bench, job)
    theirs, ours = CHANGED[job.vendor, job.record]
    record_id = about(bench, job)
    marker = bench.control.get("/records", params={"vendor": job.vendor, "kind": job.record})
    sent = marker.json()["records"][0]["body"]
    key = next((str(v) for k, v in sent.items() if k.lower() == ours.lower()), "")
    by_hand(bench, "PATCH", job, record_id, {theirs: f"{key} corrected by hand"})
    findings, tally = compared(bench, job.connection)
    (found,) = findings
    assert (found.verdict, found.kind, found.record_id) == ("changed", job.record, record_id)
    (difference,) = found.fields
    assert difference.field == ours
    assert difference.theirs == f"{key} corrected by hand"
    assert tally.counts[job.record]["there"] == 1


@each_job
@pytest.mark.parametrize("fault", ["status", "html_login", "drop_before", "success_false"])
def test_a_read_that_fails_is_never_a_record_that_is_missing(bench: Bench, job: Job, fault: str) -> None:
    """Otherwise a repair in a bad hour of the CRM makes everything twice."""
    delivered(bench, job)
    bench.fault(vendor=job.vendor, fault=fault, **({"status": 503} if fault == "status" else {}))
    findings, tally = compared(bench, job.connection)
    assert {found.verdict for found in findings} == {"not known"}
    assert all(found.why for found in findings)
    assert (tally.total("missing"), tally.total("there")) == (0, 0)
    assert tally.total("not known") > 0
    assert not tally.is_clean


def test_every_kind_can_be_read_or_says_why_not() -> None:
    """Otherwise a kind of record is left out of the comparison in silence."""
    for name, vendor in VENDORS.items():
        for kind, known in vendor.kinds.items():
            readable = known.proof.one is not None or known.proof.everywhere is not None
            assert readable is not bool(known.proof.cannot), (name, kind)
            unconfirmed = known.proof.one is not None and known.proof.everywhere is None
            assert not unconfirmed or name in ("onlyoffice", "crmtop"), (name, kind)
