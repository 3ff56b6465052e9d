"""`relay reconcile` as people and scripts run it: what it prints, what it changes, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from relay import patient_api
from relay.errors import WrongInput
from relay.times import moment, written
from tests.cli.conftest import Crm
from tests.conftest import Clock
from tests.engine.harness import Bench
from tests.engine.jobs import FORM, JOBS
from tests.engine.reconciled import another_id, by_hand, delivered
from worker.ledger import limits
from worker.ledger import reconciling as ledger
from worker.ledger.database import Database
from worker.ledger.migrate import migrate
from worker.ledger.tables import State
from worker.reconcile import reading

Relay = Callable[..., Result]
LEAD = next(job for job in JOBS if (job.connection, job.name) == ("overplane", "lead"))
#: Later than anything that the sandbox's own clock has made, as the ledger of these tests sees it.
ALL = ("--since", "2026-03-01")


@pytest.fixture
def bench(crm: Crm, environ: dict[str, str], clock: Clock) -> Iterator[Bench]:
    """The ledger that the command opens, with a lead delivered to the sandbox."""
    var = Path(environ["RELAY_VAR"])
    var.mkdir()
    db = Database(f"sqlite:///{var / 'ledger.sqlite'}")
    migrate(db)
    bench = Bench(db, clock, crm, var)  # type: ignore[arg-type]
    yield bench
    bench.close()
    db.close()


def ledger_of(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def lead_id(bench: Bench) -> str:
    return str(bench.records("overplane", "lead")[0]["id"])


def test_where_all_is_as_it_should_be_it_ends_with_0_and_says_so(relay: Relay, bench: Bench) -> None:
    """Otherwise a nightly run cannot tell a good night from a bad one."""
    delivered(bench, LEAD)
    result = relay("reconcile", "overplane", *ALL)
    assert result.exit_code == 0, result.output
    header, row, deliveries = result.stdout.splitlines()
    assert header.split("  ")[0] == "kind"
    assert row.split() == ["lead", "1", "1", "0", "0", "0", "0"]
    assert deliveries == "1 deliveries compared"
    assert result.stderr == ""


def test_what_is_found_is_told_line_by_line_and_ends_with_1(relay: Relay, bench: Bench) -> None:
    """Otherwise an operator learns that something is wrong, but neither what nor where."""
    delivery = delivered(bench, LEAD)
    ours = lead_id(bench)
    by_hand(bench, "PATCH", LEAD, ours, {"company_name": "Hong Nhung Ltd"})
    by_hand(bench, "POST", LEAD, ours, **{"as": another_id(ours)})
    result = relay("reconcile", "overplane", *ALL)
    assert result.exit_code == 1
    doubled, changed, field, *_ = result.stdout.splitlines()
    assert doubled.startswith(f"doubled: lead {ours} (")
    assert doubled.endswith(f"with the same key: {another_id(ours)}")
    assert changed.endswith(f"delivery {delivery}")
    assert field == "    company_name: Hong Nhung was sent, Hong Nhung Ltd is there"
    assert "--repair" in result.stderr


def test_json_is_an_object_per_finding_and_a_summary(relay: Relay, bench: Bench) -> None:
    """Otherwise a program has to read a table that was made for people."""
    delivery = delivered(bench, LEAD)
    gone = lead_id(bench)
    by_hand(bench, "DELETE", LEAD, gone)
    result = relay("reconcile", "overplane", "--json", *ALL)
    assert result.exit_code == 1
    finding, last = ledger_of(result)
    assert finding == {
        "finding": "missing",
        "connection": "overplane",
        "kind": "lead",
        "key": finding["key"],
        "record_id": gone,
        "delivery": delivery,
    }
    summary = last["summary"]
    assert summary["deliveries"] == 1
    assert summary["complete"] is True
    counts = {"delivered": 1, "there": 0, "missing": 1, "doubled": 0, "changed": 0, "not known": 0}
    assert summary["kinds"] == {"lead": counts}


def with_keys(environ: dict[str, str], path: Path, keys: str) -> dict[str, str]:
    """Write the example with more keys of the connection; return what makes a command read it."""
    text, after = Path(environ["RELAY_CONFIG"]).read_text("utf-8"), 'token_env = "OVERPLANE_TOKEN"'
    path.write_text(text.replace(after, f"{after}\n{keys}"))
    return {"RELAY_CONFIG": str(path)}


def test_a_repair_makes_the_delivery_due_and_the_next_run_is_clean(
    relay: Relay, bench: Bench, environ: dict[str, str], tmp_path: Path
) -> None:
    """Otherwise what was found stays as it is, and somebody types the lead in by hand."""
    delivery = delivered(bench, LEAD)
    by_hand(bench, "DELETE", LEAD, lead_id(bench))
    result = relay("reconcile", "overplane", "--repair", "--yes", *ALL)
    assert result.exit_code == 1
    assert "1 deliveries are due again" in result.stderr
    assert bench.show(delivery)["state"] == State.PENDING
    bench.clock.now = datetime.now(UTC)
    bench.until_ended(delivery)
    assert len(bench.records("overplane", "lead")) == 1
    # What was delivered a moment ago a search may not show yet.
    result = relay("reconcile", "overplane", *ALL)
    assert (result.exit_code, "1 were delivered a moment ago" in result.stdout) == (0, True)
    at_once = with_keys(environ, tmp_path / "at_once.toml", "search_lag_seconds = 0")
    result = relay("reconcile", "overplane", *ALL, **at_once)
    assert (result.exit_code, "1 deliveries compared" in result.stdout) == (0, True)


def test_a_younger_double_is_deleted_and_ours_stays(relay: Relay, bench: Bench) -> None:
    """Otherwise the wrong one of the two goes, with all that sales have written on it."""
    delivered(bench, LEAD)
    ours = lead_id(bench)
    by_hand(bench, "POST", LEAD, ours, **{"as": another_id(ours)})
    by_hand(bench, "PATCH", LEAD, another_id(ours), {"created_at": "2099-01-01T00:00:00Z"})
    result = relay("reconcile", "overplane", "--repair", "--yes", *ALL)
    assert f"deleted lead {another_id(ours)}" in result.stderr
    assert [str(record["id"]) for record in bench.records("overplane", "lead")] == [ours]
    assert relay("reconcile", "overplane", *ALL).exit_code == 0


def test_without_repair_nothing_is_changed(relay: Relay, bench: Bench, crm: Crm) -> None:
    """Otherwise looking is dangerous."""
    delivery = delivered(bench, LEAD)
    by_hand(bench, "DELETE", LEAD, lead_id(bench))
    before = len(crm.calls())
    relay("reconcile", "overplane", *ALL)
    assert set(crm.calls()[before:]) == {"company_list", "lead_list", "lead_get"}
    assert bench.show(delivery)["state"] == State.DELIVERED


def test_a_crm_that_is_away_ends_it_soon_and_says_where_to_go_on(
    relay: Relay, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it knocks a hundred thousand times at a CRM that is down, or begins from the start."""
    monkeypatch.setattr(ledger, "PAGE", 1)
    monkeypatch.setattr(patient_api, "MOST_FAILURES", 2)
    for number in range(3):
        body = FORM.replace(b"lan%40", b"lan%d%%40" % number)
        row = bench.receive("website", body, LEAD.content_type, to="overplane")
        bench.until_ended(row)
        bench.clock.forward(seconds=10)
    created = bench.clock() - timedelta(seconds=30)
    bench.fault(vendor="overplane", fault="status", status=503, every=1)
    result = relay("reconcile", "overplane", *ALL)
    assert result.exit_code == 1
    assert "2 calls failed one after the other" in result.stderr
    bench.clear_faults()
    mark = written(created + timedelta(seconds=5))
    assert (
        ledger_of(relay("reconcile", "overplane", "--json", "--since", mark))[-1]["summary"]["deliveries"]
        == 2
    )


def test_interrupted_it_says_how_far_it_came(
    relay: Relay, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise Ctrl-C after an hour means an hour for nothing."""
    monkeypatch.setattr(ledger, "PAGE", 1)
    for number in range(2):
        body = FORM.replace(b"lan%40", b"lan%d%%40" % number)
        bench.until_ended(bench.receive("website", body, LEAD.content_type, to="overplane"))
        bench.clock.forward(hours=1)
    read, pages = reading.Reading.of, []

    def once(self: Any, kind: Any, wanted: Any) -> Any:
        pages.append(kind)
        if len(pages) > 1:
            raise KeyboardInterrupt
        return read(self, kind, wanted)

    monkeypatch.setattr(reading.Reading, "of", once)
    result = relay("reconcile", "overplane", "--json", *ALL)
    monkeypatch.undo()
    assert result.exit_code == 130
    assert "stopped after 1 deliveries: interrupted; go on with --since 2026-03-02T12:00:" in result.stderr
    summary = ledger_of(result)[-1]["summary"]
    assert summary["complete"] is False
    mark = summary["go_on_with"]
    again = relay("reconcile", "overplane", "--json", "--since", mark)
    assert ledger_of(again)[-1]["summary"]["deliveries"] == 2


def test_a_connection_that_is_held_is_left_alone(relay: Relay, bench: Bench, crm: Crm) -> None:
    """Otherwise reconciling takes the last logins of an account that is about to be locked."""
    delivered(bench, LEAD)
    limits.hold(bench.engine.db, "overplane", datetime.now(UTC) + timedelta(hours=1), "refused")
    before = len(crm.calls())
    result = relay("reconcile", "overplane", *ALL)
    assert result.exit_code == 1
    assert "is held until" in result.stderr
    assert len(crm.calls()) == before


def test_the_budget_of_the_connection_is_kept(
    relay: Relay, bench: Bench, tmp_path: Path, environ: dict[str, str]
) -> None:
    """Otherwise a reconciliation takes the requests that the deliveries need."""
    delivered(bench, LEAD)
    paced = with_keys(environ, tmp_path / "paced.toml", "requests_per_second = 50")
    assert relay("reconcile", "overplane", *ALL, **paced).exit_code == 0
    slot = bench.engine.db
    with slot.read() as c:
        taken = c.exec_driver_sql(
            "SELECT next_slot_at FROM connections WHERE name = 'overplane'"
        ).scalar_one()
    assert taken is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "there is no connection 'nowhere'"),
        (("overplane", "--since", "yesterday"), "is not a time"),
        (("overplane", "--since", "1h", "--until", "2h"), "is after --until"),
        (("overplane", "--yes"), "--yes goes with --repair"),
        (("overplane", "--repair"), "no terminal to ask at"),
    ],
)
def test_a_wrong_command_is_one_line_and_ends_with_2(
    relay: Relay, bench: Bench, arguments: tuple[str, ...], said: str
) -> None:
    """Otherwise a script takes a slip of the pen for a finding."""
    result = relay("reconcile", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_period_is_read_as_it_is_written() -> None:
    """Otherwise the wrong days are compared and nobody notices."""
    now = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
    assert moment("7d", now) == datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert moment("36h", now) == datetime(2026, 3, 8, 0, 0, tzinfo=UTC)
    assert moment("90m", now) == datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
    assert moment("2026-03-02", now) == datetime(2026, 3, 2, tzinfo=UTC)
    assert moment("2026-03-02T09:00:00+07:00", now) == datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    exact = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
    assert moment(written(exact), now) == exact
    with pytest.raises(WrongInput):
        moment("7", now)
