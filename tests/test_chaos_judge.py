"""The judge of the fault rig counts what is planted: if it cannot fail, the rig's table proves nothing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos import report
from chaos.events import lead, shopify_order, ticket, token_of
from chaos.judge import Evidence, Verdict, judge, percentile
from chaos.load import Accepted
from chaos.processes import ROOT
from chaos.procfile import command
from chaos.proxy import Proxy, to_port
from chaos.rows import ROWS
from chaos.runner import Row, Size, of_the_harm, run
from chaos.truth import OWN, SHARED
from sandbox.app import VENDORS

LEAD, ORDER, TICKET = (
    Accepted(make(number), (f"event-{number}",), 0.0, 0.0)
    for number, make in ((1, lead), (2, shopify_order), (3, ticket))
)


def record(kind: str, **body: Any) -> dict[str, Any]:
    return {"vendor": "overplane", "kind": kind, "id": f"{kind}-1", "body": body}


def delivery(number: int, state: str = "delivered") -> dict[str, Any]:
    row = {"id": f"delivery-{number}", "event_id": f"event-{number}", "connection": "overplane"}
    return {**row, "state": state, "error": None, "reason": None}


#: What a run leaves behind where all went well: one lead, one order and one ticket at one CRM.
CLEAN = Evidence(
    accepted=(LEAD, ORDER, TICKET),
    deliveries=(delivery(1), delivery(2), delivery(3)),
    records=(
        record("lead", lead_name="Lead K000001K", email_id="k000001k@example.com"),
        record("customer", customer_name="Buyer Number2", email_id="buyer2@example.com"),
        record("item", item_code="LAMP-1"),
        record("opportunity", title="Order #K000002K [shop-order-900000002]"),
        *(
            record("opportunity_item", opportunity_id="opportunity-1", item_code=code)
            for code in ("A", "B", "C")
        ),
        record("issue", subject="Question K000003K"),
    ),
    connections={"website": ["overplane"], "shop": ["overplane"], "inbox": ["overplane"]},
    vendors={"overplane": "overplane"},
)


def cells(verdict: Verdict) -> tuple[int, int, int, int]:
    return verdict.lost, verdict.doubled, verdict.stuck, verdict.parked


def without(kind: str) -> tuple[Any, ...]:
    return tuple(one for one in CLEAN.records if one["kind"] != kind)


def with_again(kind: str) -> tuple[Any, ...]:
    again = deepcopy(next(one for one in CLEAN.records if one["kind"] == kind))
    return (*CLEAN.records, {**again, "id": "another"})


def test_a_clean_run_is_clean() -> None:
    """If this fails, the rig cries wolf and nobody reads its table any more."""
    verdict = judge(CLEAN)
    assert (verdict.accepted, *cells(verdict)) == (3, 0, 0, 0, 0)
    assert verdict.is_clean
    assert verdict.findings == ()


@pytest.mark.parametrize("kind", ["lead", "opportunity", "issue"])
def test_a_lost_event_is_counted(kind: str) -> None:
    """If this fails, an event that was answered 200 may vanish and the table says 0."""
    verdict = judge(replace(CLEAN, records=without(kind)))
    assert cells(verdict) == (1, 0, 0, 0)
    assert not verdict.is_clean
    assert kind in verdict.findings[0]


def test_an_event_whose_deliveries_vanished_with_its_record_is_lost() -> None:
    """If this fails, a ledger that forgot an event speaks for itself."""
    gone = replace(CLEAN, records=without("issue"), deliveries=CLEAN.deliveries[:2])
    assert cells(judge(gone)) == (1, 0, 0, 0)


def test_a_record_of_another_event_is_no_substitute() -> None:
    """If this fails, two events that became one record look like two that arrived."""
    doubled_and_lost = replace(
        CLEAN, records=(*without("issue"), record("issue", subject="Question K000004K"))
    )
    assert judge(doubled_and_lost).lost == 1


def test_an_order_that_lacks_a_line_is_lost() -> None:
    """If this fails, an order of 33 euros may stand in the CRM with 22 and the table says 0."""
    lines = [one for one in CLEAN.records if one["kind"] == "opportunity_item"]
    verdict = judge(replace(CLEAN, records=tuple(one for one in CLEAN.records if one is not lines[1])))
    assert cells(verdict) == (1, 0, 0, 0)
    assert "opportunity_item 3" in verdict.findings[0]


@pytest.mark.parametrize(
    "strange",
    [
        record("a new kind", subject="K000003K"),
        record("issue", subject="no token"),
        record("customer", name="x"),
    ],
    ids=["kind", "own without a token", "shared without what tells it apart"],
)
def test_a_record_that_no_cell_can_count_is_a_finding(strange: dict[str, Any]) -> None:
    """If this fails, a kind of records may be doubled for ever and the judge does not look at it."""
    verdict = judge(replace(CLEAN, records=(*CLEAN.records, strange)))
    assert (verdict.unseen, cells(verdict), verdict.is_clean) == (1, (0, 0, 0, 0), False)


def test_a_row_without_events_is_not_clean() -> None:
    """If this fails, a receiver that takes nothing loses nothing, and passes."""
    nothing = judge(replace(CLEAN, accepted=(), deliveries=(), records=()))
    assert (cells(nothing), nothing.is_clean) == ((0, 0, 0, 0), False)
    assert nothing.findings == ("nothing: no event was accepted, so nothing is proved",)


@pytest.mark.parametrize("kind", ["lead", "opportunity", "issue", "customer", "item", "opportunity_item"])
def test_a_doubled_record_is_counted(kind: str) -> None:
    """If this fails, a customer may be in the CRM twice and the table says 0."""
    verdict = judge(replace(CLEAN, records=with_again(kind)))
    assert cells(verdict) == (0, 1, 0, 0)
    assert not verdict.is_clean


@pytest.mark.parametrize(
    "state", ["pending", "sending", "waiting", "held", "blocked", "unknown", "a new one"]
)
def test_a_stuck_delivery_is_counted_as_stuck_and_not_as_lost(state: str) -> None:
    """If this fails, an event that nobody works on any more looks delivered, or the same one counts twice."""
    stuck = replace(CLEAN, records=without("lead"), deliveries=(delivery(1, state), *CLEAN.deliveries[1:]))
    assert cells(judge(stuck)) == (0, 0, 1, 0)
    assert not judge(stuck).is_clean


def test_a_parked_delivery_counts_where_the_vendor_can_look_it_up() -> None:
    """If this fails, the product may leave to people what it could find out by itself."""
    parked = replace(
        CLEAN, records=without("issue"), deliveries=(*CLEAN.deliveries[:2], delivery(3, "failed"))
    )
    verdict = judge(parked)
    assert cells(verdict) == (0, 0, 0, 1)
    assert not verdict.is_clean
    assert judge(parked, lambda vendor, job: (vendor, job) != ("overplane", "ticket")).is_clean


def test_the_truth_names_kinds_that_the_vendors_have() -> None:
    """If this fails, a kind was renamed and its records are counted no more."""
    named = {(vendor, kind) for (vendor, _), kinds in OWN.items() for kind in kinds}
    named |= {(shared.vendor, shared.kind) for shared in SHARED}
    assert {(vendor, kind) for vendor, kind in named if kind not in VENDORS[vendor].kinds} == set()


def test_no_token_is_part_of_another() -> None:
    """If this fails, the record of event 11 counts for event 1, too."""
    texts = [token_of(number) for number in (1, 11, 111, 100000)]
    assert all(one not in other for one in texts for other in texts if one is not other)


def test_a_row_survives_the_report() -> None:
    """If this fails, the table shows something else than what was found."""
    row = Row("a", "A", 7, judge(replace(CLEAN, records=without("lead"))), "", ("found",), ("note",), 1.5)
    assert report.row_from_json(json.loads(json.dumps(report.row_to_json(row)))) == row


def test_what_was_not_run_is_never_counted_as_passed() -> None:
    """If this fails, a machine without PostgreSQL proves what it never tried."""
    rows = [Row("a", "A", 1, judge(CLEAN)), Row("b", "B", 1, why="no PostgreSQL: install it")]
    assert not rows[1].is_clean
    assert report.summary(rows) == "1 of 1 rows that ran are clean, 3 events accepted; 1 not run"
    assert "b: not run: no PostgreSQL: install it" in report.table(rows)
    assert report.table(rows).endswith("3 events accepted; 1 not run")


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([Row("a", "A", 1, judge(CLEAN))], 0),
        ([Row("a", "A", 1, judge(CLEAN)), Row("b", "B", 1, why="no root")], 3),
        ([Row("b", "B", 1, why="no root")], 2),
        ([Row("a", "A", 1, judge(CLEAN)), Row("b", "B", 1, broke="it ended with -9")], 1),
        (
            [Row("a", "A", 1, judge(CLEAN), findings=("the fault never struck",)), Row("b", "B", 1, why="x")],
            1,
        ),
    ],
)
def test_the_exit_code_tells_clean_from_failed_and_from_not_run(rows: list[Row], code: int) -> None:
    """If this fails, a nightly run on a machine that can run nothing, or whose rows crash, is green."""
    assert report.exit_code(rows) == code


@pytest.mark.parametrize(
    ("struck", "findings"),
    [
        ({}, ["the fault never struck anything that was counted"]),
        ({"workers killed": 0, "flushes": 2}, ["the fault never struck: 0 workers killed"]),
        ({"workers killed": 3}, []),
    ],
)
def test_a_fault_that_never_struck_is_a_finding(struck: dict[str, int], findings: list[str]) -> None:
    """If this fails, a row whose harm hits nothing proves that nothing is lost by it."""
    notes: list[str] = []
    assert of_the_harm(struck, notes) == findings
    assert notes[0].startswith("struck: ")


def test_the_rows_have_names_of_their_own_and_sizes() -> None:
    """If this fails, `--only` runs another row than the one that was asked for."""
    assert len({fault.name for fault in ROWS}) == len(ROWS)
    assert all(Size.of(fault, seconds=2).events >= 1 for fault in ROWS)
    down = next(fault for fault in ROWS if fault.name == "crm-down")
    assert Size.of(down, full=True).events == 20_000


def test_the_rig_starts_what_the_procfile_says() -> None:
    """If this fails, the rig proves something about commands that nobody runs."""
    environ = {"PORT": "8123", "RELAY_THREADS": "16"}
    web, worker = command("web", environ)[2:], command("worker", environ, 2)[2:]
    assert web[0] == "gunicorn"
    assert "127.0.0.1:8123" in web
    assert worker[0] == "celery"
    assert "worker2@%h" in worker
    assert worker[worker.index("-c") + 1] == "16"
    assert (ROOT / "Procfile").exists()


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that answers what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_answer, args=(near,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _answer(near: socket.socket) -> None:
    with near:
        while data := near.recv(100):
            near.sendall(data)


#: Seconds in which an answer would come on a machine that has nothing else to do.
A_MOMENT = 0.3


def asked(client: socket.socket, seconds: float = 60.0) -> bytes | None:
    """Return what comes back, None where nothing does within `seconds`."""
    client.settimeout(seconds)
    client.sendall(b"are you there?")
    try:
        return client.recv(100)
    except TimeoutError:
        return None


def test_the_proxy_swallows_and_heals(echo: int) -> None:
    """If this fails, the rows with half-open connections and a host that is cut off do no harm at all."""
    proxy = Proxy(to_port(echo))
    connect = to_port(proxy.port)
    with connect() as old, connect() as later:
        assert asked(old) == b"are you there?"
        assert asked(later) == b"are you there?"
        assert proxy.swallow() == 2
        assert asked(old, A_MOMENT) is None
        with connect() as new:
            assert asked(new) == b"are you there?"
            proxy.cut()
            assert asked(new, A_MOMENT) is None
            with connect() as cut_off:
                assert asked(cut_off, A_MOMENT) is None
                proxy.mend()
                cut_off.settimeout(60)
                assert cut_off.recv(100) == b""  # closed, as by a host that is reached again
        with connect() as healed:
            assert asked(healed) == b"are you there?"
    proxy.close()


def test_a_percentile_is_one_of_the_values() -> None:
    """If this fails, the row with the slow CRM compares nothing."""
    assert percentile([0.1] * 95 + [9.0] * 5, 0.95) == 9.0
    assert percentile([0.1] * 96 + [9.0] * 4, 0.95) == 0.1
    assert percentile([], 0.95) == 0.0


def test_a_row_whose_needs_are_missing_is_not_begun(tmp_path: Path) -> None:
    """If this fails, a row that was never tried looks as if it had been."""
    fault = replace(ROWS[0], needs=(lambda: "no such thing: install it",))
    row = run(fault, tmp_path / "row", 1, Size.of(fault), lambda _: None)
    assert (row.verdict, row.why, row.is_clean) == (None, "no such thing: install it", False)
    assert list(tmp_path.iterdir()) == []
