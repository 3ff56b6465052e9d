"""Records that somebody deleted at the CRM, while its search does not show yet what was made a moment ago."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.engine.harness import Bench, lagging_by
from tests.engine.jobs import JOBS, ORDER, Job
from worker.ledger.tables import State

#: How far the sandbox's searches are behind, by the test's own clock: longer than from the first to the second try.
LAG_SECONDS = 8
#: Orders at the CRMs that refuse a line whose product is not there.
ORDERS = [job for job in JOBS if job.name == "order" and job.vendor in ("oplacrm", "centiacrm")]
LEAD_AT_WORK = b"name=Ana+Garcia&email=ana%40example.com&company=Hong+Nhung&message=Please+call"


@pytest.fixture
def lagging(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    with lagging_by(LAG_SECONDS, clock, sqlite_url, tmp_path) as bench:
        yield bench


def send(bench: Bench, job: Job, number: str = "1") -> str:
    body = job.body.replace(b"5001", b"500" + number.encode()).replace(b"#1001", b"#100" + number.encode())
    return bench.receive(job.source, body, job.content_type, job.headers, job.connection)


@pytest.mark.parametrize("job", ORDERS, ids=lambda job: job.vendor)
def test_a_deleted_product_does_not_double_the_customer_of_a_moment_ago(lagging: Bench, job: Job) -> None:
    """Otherwise a refusal within the search's lag makes the customer twice, or parks the order for good."""
    assert lagging.attempt(send(lagging, job)) == State.DELIVERED
    product = lagging.records(job.vendor, "product")[0]
    which = {"vendor": job.vendor, "kind": "product", "id": str(product["id"])}
    assert lagging.control.delete("/records", params=which).json() == {"deleted": 1}
    second = send(lagging, job, "2")
    assert lagging.attempt(second) == State.WAITING, "whether the customer is gone, too, cannot be told yet"
    lagging.clock.forward(seconds=6)
    lagging.attempt(second)
    lagging.clock.forward(seconds=LAG_SECONDS)
    (row,) = lagging.until_ended(second)
    assert row["state"] == State.DELIVERED, (row["error"], row["reason"])
    assert lagging.counts(job.vendor) == job.holds | {"opportunity": 2}


def test_one_person_of_two_companies_is_refused_at_neither(lagging: Bench) -> None:
    """Otherwise centiaCRM refuses every other event of whoever writes from work and buys at home."""
    order = next(job for job in ORDERS if job.vendor == "centiacrm")
    lead = replace(order, source="website", body=LEAD_AT_WORK, headers={})
    lead = replace(lead, content_type="application/x-www-form-urlencoded")
    again = replace(lead, body=LEAD_AT_WORK + b"+again")
    sent = [send(lagging, lead), send(lagging, order), send(lagging, again), send(lagging, order, "2")]
    assert [lagging.attempt(delivery) for delivery in sent] == [State.DELIVERED] * 4
    assert lagging.counts("centiacrm") == {"company": 2, "contact": 2, "product": 3, "opportunity": 4}


@pytest.mark.parametrize(
    ("vendor", "killed_at", "kinds"),
    [
        ("centiacrm", "companies_create_company", ("company", "contact")),
        ("centiacrm", "contacts_create_contact", ("company", "contact")),
        ("crmtop", "customer_create", ("customer", "contact")),
        ("crmtop", "contact_create", ("customer", "contact")),
        ("onlyoffice", "person_create", ("person",)),
        ("onlyoffice", "contact_info_add", ("person", "contact_info")),
        ("oplacrm", "account_create", ("account", "contact")),
        ("oplacrm", "contact_create", ("account", "contact")),
        ("overplane", "customer_create", ("customer",)),
    ],
)
def test_a_customer_with_two_names_is_one_customer(
    lagging: Bench, vendor: str, killed_at: str, kinds: tuple[str, ...]
) -> None:
    """Otherwise a lost answer makes whoever signs as "Anita" once and as "Ana Garcia" once two customers."""
    order = next(job for job in JOBS if job.name == "order" and job.vendor == vendor)
    nickname = {"id": 9, "email": "ana@example.com", "first_name": "Anita", "last_name": ""}
    other = {**ORDER, "id": 5002, "name": "#1002", "customer": nickname}
    first = send(lagging, replace(order, body=json.dumps(other).encode()))
    second = send(lagging, order)
    lagging.kill_during(first, killed_at)
    lagging.clock.forward(seconds=LAG_SECONDS)
    # Whoever comes next does not know by which name the first one has asked for the customer.
    rows = [*lagging.until_ended(second), *lagging.until_ended(first)]
    assert [row["state"] for row in rows] == [State.DELIVERED] * 2, [row["reason"] for row in rows]
    assert {kind: lagging.counts(vendor)[kind] for kind in kinds} == dict.fromkeys(kinds, 1)
