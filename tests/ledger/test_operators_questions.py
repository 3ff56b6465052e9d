"""What an operator asks of a ledger of years: the few that matter are found without reading all the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from mappings.source import Naming
from tests.conftest import NOON, Clock
from tests.ledger.test_plans import lines_of, planned
from worker.ledger import by_state, deliveries, evidence, intake, purging, search
from worker.ledger.database import Database
from worker.ledger.deliveries import Closing
from worker.ledger.new_events import NewEvent
from worker.ledger.prepared import Prepared
from worker.ledger.steps import Checkpoints, StepName
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict

LEASE = timedelta(seconds=30)
STEP = StepName("order", "ord-1", 0, "0" * 64)


def stored(
    db: Database,
    clock: Clock,
    number: int,
    verdict: Verdict = Verdict.ROUTED,
    to: str = "opla",
    source: str = "shop",
) -> str:
    """Store an event and return its delivery."""
    event = NewEvent(source, Naming("t", f"k{number}"), verdict, "text/plain", {}, b"{}", [to])
    ((_, delivery),) = intake.store(db, event, clock()).deliveries
    clock.forward(seconds=1)
    return delivery


def failed(db: Database, clock: Clock, number: int, to: str = "opla") -> str:
    delivery = stored(db, clock, number, to=to)
    claim = deliveries.claim(db, delivery, clock(), LEASE)
    assert claim is not None
    deliveries.close(db, claim, Closing(State.FAILED, clock(), "Rejected"), None, clock())
    clock.forward(seconds=1)
    return delivery


@pytest.fixture
def sqlite(sqlite_url: str) -> Any:
    db = Database(sqlite_url)
    yield db
    db.close()


QUESTIONS: dict[str, Callable[[Database, Clock], Any]] = {
    "failed": lambda db, clock: search.list_deliveries(db, State.FAILED),
    "waiting over one": lambda db, clock: search.list_deliveries(db, State.WAITING, "opla"),
    "spam": lambda db, clock: search.list_events(db, verdict=Verdict.SPAM),
    "spam of one source": lambda db, clock: search.list_events(db, "shop", verdict=Verdict.SPAM),
    "a release by state": lambda db, clock: list(by_state.pages(db, State.FAILED, None, clock())),
}
#: What finds the rows that are asked for, and those of one event or delivery.
BY_WHAT_IS_ASKED = ("(connection=? AND state=?", "(verdict=?", "(id=?)", "(connection>?)")


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_asked_for_is_found_by_an_index(sqlite: Database, clock: Clock, name: str) -> None:
    """Otherwise each question reads all that was ever delivered: seconds, where the ledger is large."""
    failed(sqlite, clock, 1)
    stored(sqlite, clock, 2, Verdict.SPAM)
    with planned(sqlite) as plan:
        QUESTIONS[name](sqlite, clock)
    read = [*lines_of(plan, "deliveries"), *lines_of(plan, "events")]
    assert read
    assert [line for line in read if not any(by in line for by in BY_WHAT_IS_ASKED)] == []


@pytest.mark.parametrize("statement", [evidence._LAST, evidence._OTHER])
def test_a_failed_try_reads_nothing_of_what_was_delivered(sqlite: Database, statement: Prepared) -> None:
    """Otherwise an outage costs most where most was delivered before: each try reads all of that."""
    ready = statement.on(sqlite.engine.dialect)
    values = ready.parameters({"over": "opla", "delivery": "x", "now_": NOON})
    with sqlite.engine.connect() as c:
        plan = [row[3] for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {ready.text}", tuple(values))]
    assert "(connection=? AND state=?" in plan[0]
    assert len(plan) == 1, "and sorts nothing"


def test_the_newest_of_a_busy_sender_are_found_without_sorting(
    sqlite: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a look at what a shop has just sent sorts all that it ever sent."""
    monkeypatch.setattr(search, "FEW", 1)
    for number in range(3):
        stored(sqlite, clock, number)
    stored(sqlite, clock, 4, source="inbox")
    with planned(sqlite) as plan:
        assert len(search.list_events(sqlite, "shop", limit=2)) == 2
    assert not [line for line in plan if "TEMP B-TREE" in line]
    with planned(sqlite) as plan:
        assert len(search.list_events(sqlite, "inbox")) == 1
    assert [line for line in plan if "(source=?)" in line], "the few of a rare one by their index"


def test_lists_show_the_newest_of_what_is_asked_first(db: Database, clock: Clock) -> None:
    """Otherwise the failure of this morning is hidden behind those of last year."""
    of_opla, of_centia = failed(db, clock, 1), failed(db, clock, 2, "centia")
    stored(db, clock, 3)
    spam = [stored(db, clock, number, Verdict.SPAM) for number in (4, 5)]

    def ids(**asked: Any) -> list[str]:
        return [row["id"] for row in search.list_deliveries(db, **asked)]

    assert ids(state=State.FAILED) == [of_centia, of_opla]
    assert ids(state=State.FAILED, limit=1) == [of_centia]
    assert ids(state=State.FAILED, connection="opla") == [of_opla]
    assert ids(state=State.HELD) == []
    assert ids(connection="centia") == [of_centia]
    assert ids(connection="gone") == []
    (event_id,) = {row["event_id"] for row in search.list_deliveries(db, State.FAILED, "centia")}
    assert ids(event_id=event_id) == ids(event_id=event_id, state=State.FAILED, connection="centia")
    assert ids(event_id=event_id, connection="opla") == []
    judged = search.list_events(db, verdict=Verdict.SPAM)
    assert [search.show_event(db, row["id"])["deliveries"][0]["id"] for row in judged] == spam[::-1]  # type: ignore[index]
    assert len(search.list_events(db, verdict=Verdict.ROUTED)) == 3
    assert search.list_events(db, "shop", verdict=Verdict.TEST) == []


def test_a_release_by_state_takes_all_of_that_state_once(
    db: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise an operator who releases what failed leaves some behind, or releases what fails for ever."""
    monkeypatch.setattr(by_state, "PAGE", 2)
    wanted = [failed(db, clock, number) for number in range(5)] + [failed(db, clock, 5, "centia")]
    emptied = failed(db, clock, 6)
    stored(db, clock, 7)
    event_id = search.show_delivery(db, emptied)["event_id"]  # type: ignore[index]
    with db.write() as c:
        purging.empty(c, [event_id], clock())
    assert by_state.count(db, State.FAILED) == 6
    assert by_state.count(db, State.FAILED, "opla") == 5
    began, released = clock(), []
    for page in by_state.pages(db, State.FAILED, None, began):
        assert len(page) <= 2
        for delivery in page:
            clock.forward(seconds=1)
            assert search.release(db, delivery, "ana", clock())
            claim = deliveries.claim(db, delivery, clock(), LEASE)
            assert claim is not None
            deliveries.close(db, claim, Closing(State.FAILED, clock(), "Rejected"), None, clock())
            released.append(delivery)
    assert sorted(released) == sorted(wanted)
    clock.forward(seconds=1)
    assert [one for page in by_state.pages(db, State.FAILED, "centia", clock()) for one in page] == wanted[5:]


def test_a_doubt_that_was_taken_over_ends_by_an_operators_word(db: Database, clock: Clock) -> None:
    """Otherwise a delivery that waits for another's lost call can never be released with --not-made."""
    one, two = stored(db, clock, 1), stored(db, clock, 2)
    first = deliveries.claim(db, one, clock(), LEASE)
    assert first is not None
    steps = Checkpoints(db, first, clock, LEASE)
    steps.open(STEP)
    steps.intend(STEP)
    left_at = clock()
    clock.forward(seconds=60)
    second = deliveries.claim(db, two, clock(), LEASE)
    assert second is not None
    opened: Any = Checkpoints(db, second, clock, LEASE).open(STEP)
    assert (opened.risked_at, opened.risked_by, opened.as_sent) == (left_at, one, False)
    deliveries.close(db, second, Closing(State.FAILED, clock(), "NotConfigured"), None, clock())
    assert search.release(db, two, "ana", clock(), not_made=True)
    third = deliveries.claim(db, two, clock(), LEASE)
    assert third is not None
    opened = Checkpoints(db, third, clock, LEASE).open(STEP)
    assert (opened.risked_at, opened.risked_by) == (None, None)


def test_a_word_about_one_delivery_says_nothing_of_another(db: Database, clock: Clock) -> None:
    """Otherwise an operator who has looked for one order makes another one twice."""
    one, two = stored(db, clock, 1), stored(db, clock, 2)
    for number, delivery in enumerate((one, two)):
        claim = deliveries.claim(db, delivery, clock(), LEASE)
        assert claim is not None
        steps = Checkpoints(db, claim, clock, LEASE)
        steps.open(StepName("order", f"ord-{number}", 0, "0" * 64))
        steps.intend(StepName("order", f"ord-{number}", 0, "0" * 64))
        deliveries.close(db, claim, Closing(State.FAILED, clock(), "NotConfigured"), None, clock())
    left_at = clock()
    assert search.release(db, one, "ana", clock(), not_made=True)
    assert search.release(db, two, "ana", clock())
    claim = deliveries.claim(db, two, clock(), LEASE)
    assert claim is not None
    opened: Any = Checkpoints(db, claim, clock, LEASE).open(StepName("order", "ord-1", 0, "0" * 64))
    assert (opened.risked_at, opened.as_sent) == (left_at, True)
