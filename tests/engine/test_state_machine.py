"""The promises under whatever happens in any order: hypothesis plays senders, vendor, broker, time and operator.

The vendor's search lags as far as the engine reckons with, and it may take its time with a call while others go on.
docs/measurements.md says which planted faults the stories find, and how soon.

A failure prints its story as a program of rules, and the line that plays it again. With `Phase.shrink` it is the
shortest that hypothesis finds, which takes minutes.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.engine.small_world import FAULTS, World, order_body
from worker.ledger import search
from worker.ledger.new_events import Stored
from worker.ledger.releases import release_duplicate
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict

PEOPLE = ORDERS = st.integers(0, 1)
VERSIONS = st.integers(0, 3)
LATEST = 9
ANY = st.integers(0, 1_000)
#: Below the patience of a connection (24 h), after which a delivery fails on purpose.
LONGEST_STORY_HOURS = 12
#: Stories are told ten at a time, until this many are told or the time is over: a busy machine tells fewer.
STORIES, STEPS = 120, 25
SECONDS = 25.0


class Story(RuleBasedStateMachine):
    """One ledger, one vendor, and what the model remembers of what it told them."""

    empty: Path

    def __init__(self) -> None:
        super().__init__()
        # What a disk loses is tried elsewhere, and syncing one would take most of the time.
        memory = Path("/dev/shm")  # noqa: S108  (a folder of our own in it)
        self.folder = Path(tempfile.mkdtemp(prefix="relay-story-", dir=memory if memory.is_dir() else None))
        self.world = World(self.folder, self.empty)
        self.db = self.world.db
        self.accepted: set[str] = set()
        self.bodies: dict[str, bytes] = {}  # of the first event of a key
        self.asked: dict[int, datetime] = {}
        self.leads = 0
        self.highest: dict[str, int] = {}  # what each order has cost at the vendor at most: newer is dearer

    # What senders do

    @rule(order=ORDERS, version=VERSIONS, hook=st.integers(0, 3), is_handed=st.booleans())
    def shop_posts(self, order: int, version: int, hook: int, is_handed: bool) -> None:
        """Post an order in one of its states, older or newer, under one of four ids: each may come twice."""
        self._shop_posts(7000 + order, version, f"hook-{hook}", is_handed)

    def _shop_posts(self, number: int, version: int, hook: str, is_handed: bool) -> Stored:
        key = f"{number}-{hook}"
        headers = {"x-shopify-topic": "orders/updated", "x-shopify-webhook-id": key}
        body = order_body(number, version)
        stored = self.world.post("shop", body, headers=headers)
        assert stored.duplicate == (key in self.bodies)
        self._took(stored, key, body, is_handed)
        return stored

    @rule(person=PEOPLE, noise=st.integers(0, 2), is_handed=st.booleans())
    def form_posts(self, person: int, noise: int, is_handed: bool) -> None:
        """Post a form: the same words within ten minutes are the same lead, in whatever spelling."""
        body = f"name=Lan&email=lan{person}@example.com&_ts={noise}".encode()
        now, before = self.world.clock(), self.asked.get(person)
        stored = self.world.post("website", body, "application/x-www-form-urlencoded")
        assert stored.duplicate == (before is not None and now - before <= timedelta(minutes=10))
        if not stored.duplicate:
            self.asked[person] = now
            self.leads += 1
        self._took(stored, f"lead {stored.event_id}", body, is_handed)

    def _took(self, stored: Stored, key: str, body: bytes, is_handed: bool) -> None:
        if stored.duplicate:
            assert stored.event_id in self.accepted
            assert bool(stored.kept) == (self.bodies[key] != body), (
                "what differs is kept, what does not is counted"
            )
            return
        self.bodies[key] = body
        self.accepted.add(stored.event_id)
        if is_handed:  # else the web process died, or the broker was away
            self.world.broker.publish(stored.deliveries)

    @precondition(lambda self: bool(_prices(self.world)))
    @rule(which=ANY, calls_before=st.sampled_from([0, 0, 1]))
    def shop_changes_its_mind(self, which: int, calls_before: int) -> None:
        """Post two newer states of an order at once, while the vendor takes its time with one of the calls."""
        orders = sorted(_newest(self.world).items())
        name, price = orders[which % len(orders)]
        number, version = int(name.rpartition("-")[2]), price - 9
        if version + 1 > LATEST:
            return
        first, _ = (self._shop_posts(number, v, f"change-{v}", True) for v in (version, version + 1))
        self.world.vendor.coming.clear()
        self.world.vendor.coming.extend([""] * calls_before + ["slow"])
        self.world.work(first.deliveries[0][1])

    # What the machines do

    @rule(tasks=st.integers(1, 3))
    def workers_go_on(self, tasks: int) -> None:
        """Publish what is due, and carry out the oldest tasks of the broker."""
        self.world.sweep.once()
        for _ in range(tasks):
            # A worker that ends a delivery may take the next task of its connection along.
            if self.world.broker.tasks:
                self.world.work(self.world.broker.tasks.popleft())

    @rule(which=ANY)
    def a_task_comes_twice(self, which: int) -> None:
        """Hand over a delivery that may be anywhere in its life."""
        rows = self.world.rows()
        if rows:
            self.world.work(str(rows[which % len(rows)]["id"]))

    @precondition(lambda self: self._hours() < LONGEST_STORY_HOURS)
    @rule(seconds=st.sampled_from([1, 20, 60, 660, 3700]), is_flushed=st.booleans())
    def time_passes(self, seconds: int, is_flushed: bool) -> None:
        """Let leases, retries and windows run out; the broker may lose all tasks meanwhile."""
        if is_flushed:
            self.world.broker.tasks.clear()
        self.world.clock.forward(seconds=seconds)

    # What the vendor does

    @rule(fault=st.sampled_from(FAULTS), calls_before=st.integers(0, 2), reads=st.integers(0, 2))
    def vendor_fails(self, fault: str, calls_before: int, reads: int) -> None:
        """Let one of the next calls that change something meet a fault, and the next look-ups fail."""
        self.world.vendor.coming.extend([""] * calls_before + [fault])
        self.world.vendor.reads_to_fail = reads

    # What an operator does

    @rule(which=ANY)
    def operator_replays(self, which: int) -> None:
        """Release a delivery that can be released."""
        rows = [row for row in self.world.rows() if row["state"] in search.RELEASABLE]
        if rows:
            assert search.release(self.db, rows[which % len(rows)]["id"], "olga", self.world.clock())

    @rule(which=ANY)
    def operator_releases_a_duplicate(self, which: int) -> None:
        """Make a kept duplicate an event of its own."""
        kept = search.list_events(self.db, verdict=Verdict.DUPLICATE, limit=10_000)
        if not kept:
            return
        event = kept[which % len(kept)]
        assert release_duplicate(self.db, event["id"], lambda s, t: ["opla"], "olga", self.world.clock())
        self.world.clock.forward(microseconds=10)
        self.accepted.add(event["id"])
        if event["entity"] is None:
            self.leads += 1

    # What was promised

    @invariant()
    def what_was_accepted_has_its_delivery(self) -> None:
        """200 means stored: each event once, and nothing else."""
        assert Counter(row["event_id"] for row in self.world.rows()) == Counter(self.accepted)

    @invariant()
    def nothing_is_twice_in_the_crm(self) -> None:
        """One event, one record."""
        for kind in ("lead", "account", "contact", "product", "opportunity"):
            held = Counter(record.sent["external_id"] for record in self.world.vendor.held(kind))
            assert all(number == 1 for number in held.values()), f"{kind}: {held}"
        assert len(self.world.vendor.held("lead")) <= self.leads

    @invariant()
    def what_is_delivered_is_in_the_crm(self) -> None:
        """Delivered means delivered."""
        there = {record.id for kind in ("lead", "opportunity") for record in self.world.vendor.held(kind)}
        for row in self.world.rows():
            assert row["state"] != State.DELIVERED or row["record_id"] in there

    @invariant()
    def no_order_goes_back(self) -> None:
        """No older state is carried out after a newer one, nor together with it."""
        for order, price in _prices(self.world).items():
            assert price >= self.highest.get(order, 0), f"{order} is at an older state again"
            self.highest[order] = price

    def teardown(self) -> None:
        """When the faults are over, everything arrives, and every order stands in its newest state."""
        try:
            rows = self.world.settle()
            for row in rows:
                assert row["state"] in (State.DELIVERED, State.SUPERSEDED), (row["state"], row["reason"])
            self.what_was_accepted_has_its_delivery()
            self.nothing_is_twice_in_the_crm()
            self.what_is_delivered_is_in_the_crm()
            self.no_order_goes_back()
            assert len(self.world.vendor.held("lead")) == self.leads
            assert _prices(self.world) == _newest(self.world)
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    def _hours(self) -> float:
        return (self.world.clock() - self.world.began).total_seconds() / 3600


def _prices(world: World) -> dict[str, int]:
    """Return what each order costs at the vendor."""
    return {
        record.sent["external_id"]: round(record.sent["opportunities_products"][0]["unit_price"])
        for record in world.vendor.held("opportunity")
    }


def _newest(world: World) -> dict[str, int]:
    """Return what each order costs in its newest state that was accepted or released."""
    newest: dict[str, int] = {}
    for event in search.list_events(world.db, source="shop", limit=100_000):
        if event["verdict"] != Verdict.DUPLICATE:
            order = f"shop-{event['entity']}"
            newest[order] = max(newest.get(order, 0), 10 + _minute(event["version"]))
    return newest


def _minute(version: Any) -> int:
    return int(str(version)[14:16])


@pytest.mark.timeout(600)
def test_the_promises_hold_whatever_happens(empty_sqlite: Path) -> None:
    """If this fails, the printed story loses an event, doubles a record, or leaves one where nobody sees it."""
    ten = settings(
        max_examples=10,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=False,  # it would tell the same ten each time
        print_blob=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    story = type("Story", (Story,), {"empty": empty_sqlite})
    until = time.monotonic() + SECONDS
    for number in range(STORIES // 10):
        if settings().derandomize:
            seed(number)(story)
        run_state_machine_as_test(story, settings=ten)
        if time.monotonic() > until:
            break
