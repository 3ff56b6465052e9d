"""What SQLite does for the questions that are asked often, or page by page: none reads more as the ledger grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from mappings.source import Naming
from tests.conftest import NOON, Clock
from worker.ledger import deliveries, intake, purging, reconciling, search
from worker.ledger.database import Database
from worker.ledger.deliveries import Closing
from worker.ledger.new_events import NewEvent
from worker.ledger.purging import Ages
from worker.ledger.reconciling import Period
from worker.ledger.steps import Checkpoints, StepName
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict

LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    db = Database(sqlite_url)
    yield db
    db.close()


def begun(db: Database, clock: Clock, number: int = 1) -> tuple[deliveries.Claim, Checkpoints]:
    """Store an event, claim its delivery, and make an order with a line of it."""
    naming = Naming("orders/create", f"e{number}", f"order-{number}")
    event_ = NewEvent("shop", naming, Verdict.ROUTED, "application/json", {}, b"{}", ["opla"])
    ((_, delivery_id),) = intake.store(db, event_, clock()).deliveries
    claim = deliveries.claim(db, delivery_id, clock(), LEASE)
    assert claim is not None
    made = Checkpoints(db, claim, clock, LEASE)
    for place, (kind, key) in enumerate((("order", f"ord-{number}"), ("line", f"ord-{number}.1"))):
        step = StepName(kind, key, place, "0" * 64)
        made.open(step)
        made.intend(step)
        made.finish(step, f"{kind}-{number}")
    made.write()
    return claim, made


def ended(db: Database, clock: Clock, number: int = 1) -> None:
    claim, _ = begun(db, clock, number)
    deliveries.close(db, claim, Closing(State.DELIVERED, clock()), None, clock())


@contextmanager
def planned(db: Database) -> Iterator[list[str]]:
    """Yield the plans of what is selected meanwhile, a line for each table that is read or sorted."""
    asked: list[tuple[str, Any]] = []
    lines: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(db.engine, "after_cursor_execute", note)
    yield lines
    event.remove(db.engine, "after_cursor_execute", note)
    assert asked
    with db.engine.connect() as c:
        for statement, parameters in asked:
            lines += [row[3] for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def lines_of(plan: list[str], table: str) -> list[str]:
    return [line for line in plan if f" {table} " in f"{line} "]


def test_a_page_of_a_reconciliation_costs_what_all_deliveries_cost(sqlite: Database, clock: Clock) -> None:
    """Otherwise each page of 200 takes minutes at a hundred thousand orders."""
    ended(sqlite, clock)
    with planned(sqlite) as plan:
        ((found,),) = reconciling.pages(sqlite, Period("opla", NOON - HOUR, NOON + HOUR, NOON + HOUR))
    assert found.linked == {("order", "ord-1"): "order-1", ("line", "ord-1.1"): "line-1"}
    assert all("(connection=? AND kind=? AND key=?)" in line for line in lines_of(plan, "links"))
    assert lines_of(plan, "links")
    assert lines_of(plan, "deliveries")[0].endswith("(id>?)")


def test_an_update_of_an_order_reads_its_own_lines(sqlite: Database, clock: Clock) -> None:
    """Otherwise an update of an order reads the lines of all others."""
    _, made = begun(sqlite, clock)
    begun(sqlite, clock, 11)
    with planned(sqlite) as plan:
        assert made.parts("line", "ord-1.") == [("ord-1.1", "line-1")]
    assert [line.partition("(")[2] for line in lines_of(plan, "links")] == [
        "connection=? AND kind=? AND key>? AND key<?)"
    ]


@pytest.mark.parametrize("state", [None, "delivered"])
def test_the_newest_of_a_crm_are_found_without_sorting(
    sqlite: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, state: str | None
) -> None:
    """Otherwise a look at the newest deliveries of a large ledger takes minutes."""
    monkeypatch.setattr(search, "FEW", 0)
    ended(sqlite, clock)
    with planned(sqlite) as plan:
        assert len(search.list_deliveries(sqlite, state, "opla")) == 1
    assert not [line for line in plan if "TEMP B-TREE" in line]


def the_pages(db: Database, ages: Ages, looks: Callable[..., Any]) -> list[int]:
    return [part.looked_at for part in looks(db, ages)]


def test_what_is_emptied_is_not_looked_at_again(db: Database, clock: Clock) -> None:
    """Otherwise a ledger of years never gets through its hourly round."""
    for number in range(3):
        ended(db, clock, number)
    clock.forward(days=100)
    ages = Ages({State.DELIVERED: clock() - HOUR})
    assert purging.size(db, ages) == 3
    assert [(part.looked_at, part.emptied) for part in purging.purge(db, ages, clock())] == [(3, 3)]
    assert purging.size(db, ages) == 0
    assert the_pages(db, ages, purging.count) == [0]
    clock.forward(days=100)
    rows = Ages(delete_before=clock() - HOUR)
    assert purging.size(db, rows) == 3
    assert [(part.looked_at, part.deleted) for part in purging.purge(db, rows, clock())] == [(3, 3)]
