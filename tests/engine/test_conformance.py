"""Every job at every vendor under every fault at every call: one record of each kind, and the job delivered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clock
from tests.engine.harness import Bench, lagging_by
from tests.engine.jobs import AT_ONCE, CREATES, JOBS, Job
from worker.ledger import search
from worker.ledger.tables import State
from worker.vendors import VENDORS

#: Faults that may have been carried out or not; either way the record must exist once.
FAULTS: dict[str, dict[str, Any]] = {
    "the connection drops before": {"fault": "drop_before"},
    "the connection drops after the record was made": {"fault": "drop_after"},
    "garbage comes back": {"fault": "garbage"},
    "half an answer comes back": {"fault": "half_answer"},
    "a login page comes back": {"fault": "html_login"},
    "success false": {"fault": "success_false"},
    "500": {"fault": "status", "status": 500},
    "502": {"fault": "status", "status": 502},
    "503": {"fault": "status", "status": 503, "retry_after": 3},
    "429": {"fault": "status", "status": 429, "retry_after": 3},
}
#: The creates of records that are looked up, not those that may be repeated.
SEARCHED = [
    (job, create)
    for job, create in CREATES
    if not any(k.repeatable for k in VENDORS[job.vendor].kinds.values() if k.create == create)
]
#: How far the lagging sandbox's searches are behind, by the test's own clock.
LAG_SECONDS = 26


def name_of(value: str | Job) -> str:
    return value if isinstance(value, str) else f"{value.vendor}-{value.name}"


@pytest.fixture
def lagging(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    with lagging_by(LAG_SECONDS, clock, sqlite_url, tmp_path) as bench:
        yield bench


def receive(bench: Bench, job: Job) -> str:
    return bench.receive(job.source, job.body, job.content_type, job.headers, job.connection)


def assert_made_once(bench: Bench, job: Job, delivery_id: str) -> None:
    (row,) = bench.until_ended(delivery_id)
    assert row["state"] == State.DELIVERED, (row["error"], row["reason"])
    assert bench.counts(job.vendor) == job.holds
    (record,) = bench.records(job.vendor, job.record)
    assert str(record["id"]) == row["record_id"]


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_a_job_makes_its_records(bench: Bench, job: Job) -> None:
    """Otherwise nothing of what people sent reaches the CRM."""
    delivery = receive(bench, job)
    assert bench.attempt(delivery) == State.DELIVERED
    assert_made_once(bench, job, delivery)
    assert bench.show(delivery)["attempts"] == 1


@pytest.mark.parametrize("fault", FAULTS, ids=name_of)
@pytest.mark.parametrize(("job", "create"), CREATES, ids=name_of)
def test_a_fault_at_a_create_makes_no_second_record(bench: Bench, job: Job, create: str, fault: str) -> None:
    """Otherwise a bad minute of the CRM leaves two opportunities for one order, or none."""
    bench.fault(vendor=job.vendor, operation=create, times=1, **FAULTS[fault])
    delivery = receive(bench, job)
    assert bench.attempt(delivery) not in (State.DELIVERED, State.FAILED)
    assert_made_once(bench, job, delivery)


@pytest.mark.parametrize(("job", "create"), CREATES, ids=name_of)
def test_a_refused_create_fails_and_is_made_once_it_is_released(bench: Bench, job: Job, create: str) -> None:
    """Otherwise what a CRM will never take is tried for a day, or the look-up after it finds another's record."""
    bench.fault(vendor=job.vendor, operation=create, times=1, fault="status", status=400)
    delivery = receive(bench, job)
    assert bench.attempt(delivery) == State.FAILED
    row = bench.show(delivery)
    assert row["error"] == "Rejected"
    assert row["reason"].startswith(f"{create}: ")
    assert search.release(bench.engine.db, delivery, "ana", bench.clock())
    assert_made_once(bench, job, delivery)


@pytest.mark.parametrize(("job", "create"), CREATES, ids=name_of)
def test_a_worker_killed_after_the_call_makes_no_second_record(bench: Bench, job: Job, create: str) -> None:
    """Otherwise each deploy and each crash doubles what was in flight."""
    delivery = receive(bench, job)
    bench.kill_during(delivery, create)
    assert_made_once(bench, job, delivery)


@pytest.mark.parametrize(("job", "create"), SEARCHED, ids=name_of)
def test_a_look_up_that_fails_is_not_a_record_that_is_missing(bench: Bench, job: Job, create: str) -> None:
    """Otherwise an overloaded CRM, which fails the search too, gets each record again and again."""
    bench.fault(vendor=job.vendor, operation=create, fault="drop_after", times=1)
    delivery = receive(bench, job)
    bench.attempt(delivery)
    made = bench.counts(job.vendor)
    bench.fault(vendor=job.vendor, fault="status", status=500, times=4)
    bench.clock.forward(seconds=120)
    for _ in range(3):
        bench.attempt(delivery)
        bench.clock.forward(seconds=120)
    assert bench.counts(job.vendor) == made
    assert_made_once(bench, job, delivery)


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_a_token_that_expires_is_renewed(bench: Bench, job: Job) -> None:
    """Otherwise everything stops at the first expiry; where there is no login, it waits and spends nothing."""
    bench.fault(vendor=job.vendor, operation=job.creates[-1], fault="expire_token", times=1)
    delivery = receive(bench, job)
    bench.attempt(delivery)
    if VENDORS[job.vendor].login is None:
        row = bench.show(delivery)
        assert (row["state"], row["error"], row["attempts"]) == (State.HELD, "CredentialsRefused", 0)
    assert_made_once(bench, job, delivery)


@pytest.mark.parametrize("job", JOBS, ids=name_of)
def test_a_repeated_job_changes_nothing(bench: Bench, job: Job) -> None:
    """Otherwise an operator's replay of what was delivered doubles it."""
    delivery = receive(bench, job)
    assert_made_once(bench, job, delivery)
    assert bench.attempt(delivery) is None
    assert bench.counts(job.vendor) == job.holds


@pytest.mark.parametrize(("job", "create"), SEARCHED, ids=name_of)
def test_a_search_that_lags_makes_no_second_record(
    clock: Clock, lagging: Bench, job: Job, create: str
) -> None:
    """Otherwise a CRM whose index is a few seconds behind gets each record again after each lost answer."""
    lagging.fault(vendor=job.vendor, operation=create, fault="drop_after", times=1)
    delivery = receive(lagging, job)
    lagging.attempt(delivery)
    lagging.clock.forward(seconds=25)
    if job.vendor != "onlyoffice" or create not in AT_ONCE:
        assert lagging.attempt(delivery) != State.DELIVERED, "the look-up finds nothing yet"
    assert_made_once(lagging, job, delivery)


@pytest.mark.parametrize("job", [job for job in JOBS if job.name == "order"], ids=name_of)
def test_what_was_deleted_by_hand_is_made_again(bench: Bench, job: Job) -> None:
    """Otherwise one customer deleted in the CRM lets all their later orders fail."""
    delivery = receive(bench, job)
    assert bench.attempt(delivery) == State.DELIVERED
    bench.control.delete("/records")
    again = replace(job, body=job.body.replace(b"5001", b"5002").replace(b"#1001", b"#1002"))
    assert_made_once(bench, again, receive(bench, again))
