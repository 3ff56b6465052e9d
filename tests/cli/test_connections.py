"""`relay connections`: how they stand, and by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mappings.source import Naming
from relay.connections import gone_at
from relay.times import duration
from tests.cli.conftest import Relay
from tests.conftest import NOON
from worker.breaker import Failed, Terms
from worker.ledger import breakers, deliveries, intake
from worker.ledger.database import Database
from worker.ledger.deliveries import Closing
from worker.ledger.new_events import NewEvent
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    db = Database(sqlite_url, threads=1)
    yield db
    db.close()


def stored(db: Database, key: str, now: datetime) -> str:
    naming = Naming(type="submitted", dedup_key=key)
    event = NewEvent("website", naming, Verdict.ROUTED, "application/json", {}, b"{}", ["opla"])
    return intake.store(db, event, now).deliveries[0][1]


def test_an_outage_on_one_page(relay: Relay, db: Database, sqlite_url: str) -> None:
    """Otherwise nobody sees which CRM is down, since when, why, and how long the backlog will take."""
    now = datetime.now(UTC)
    done = stored(db, "done", now - timedelta(minutes=2))
    claim = deliveries.claim(db, done, now, timedelta(seconds=30))
    assert claim is not None
    deliveries.close(db, claim, Closing(State.DELIVERED, now), None, now)
    for number in range(4):
        stored(db, f"e{number}", now)
    breakers.tell(db, "opla", Failed("d", "VendorDown: answered 503"), now, Terms(breaker_after=1))
    shown = relay("connections", RELAY_DATABASE_URL=sqlite_url)
    assert shown.exit_code == 0
    header, *lines = shown.stdout.splitlines()
    assert header.split()[:3] == ["connection", "state", "since"]
    assert [line.split()[:2] for line in lines] == [
        ["opla", "open"],
        *([name, "closed"] for name in ("centia", "office", "overplane", "crmtop")),
    ]
    assert lines[0].endswith("VendorDown: answered 503")
    opla, centia, *_ = json.loads(relay("connections", "--json", RELAY_DATABASE_URL=sqlite_url).stdout)
    assert opla["waiting"] == {"pending": 4}
    assert (opla["waits"], opla["in_flight"], opla["per_minute"]) == (4, 0, 0.2)
    gone = datetime.fromisoformat(opla["gone_at"]) - datetime.now(UTC)
    assert timedelta(minutes=19) < gone < timedelta(minutes=21), "four, at one in five minutes"
    assert opla["next_try"] == (now + timedelta(seconds=5)).isoformat(timespec="seconds")
    assert (centia["state"], centia["waits"], centia["gone_at"]) == ("closed", 0, None)


def test_held_and_let_go_by_hand(relay: Relay, db: Database, sqlite_url: str) -> None:
    """Otherwise a CRM that is being moved gets half of its leads, or none ever after."""
    held = relay("connections", "hold", "opla", "--for", "2h", RELAY_DATABASE_URL=sqlite_url)
    assert (held.exit_code, held.stdout.startswith("opla is held until ")) == (0, True)
    (opla, *_) = json.loads(relay("connections", "--json", RELAY_DATABASE_URL=sqlite_url).stdout)
    assert (opla["state"], opla["reason"].startswith("held by ")) == ("held", True)
    left = datetime.fromisoformat(opla["next_try"]) - datetime.now(UTC)
    assert timedelta(minutes=119) < left <= timedelta(hours=2)
    assert breakers.room(db, "opla", datetime.now(UTC), Terms()) == 0
    reset = relay("connections", "reset", "opla", RELAY_DATABASE_URL=sqlite_url)
    assert reset.exit_code == 0
    assert breakers.room(db, "opla", datetime.now(UTC), Terms()) is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("reset", "nobody"), "there are: opla, centia"),
        (("hold", "nobody"), "there are: opla, centia"),
        (("hold", "opla", "--for", "soon"), "write 90s, 30m, 2h or 1d"),
        (("hold", "opla", "--for", "0s"), "must be longer than 0 s"),
    ],
)
def test_what_cannot_be_done_is_said(
    relay: Relay, db: Database, sqlite_url: str, arguments: tuple[str, ...], says: str
) -> None:
    """Otherwise a misspelt name looks as if it had worked."""
    done = relay("connections", *arguments, RELAY_DATABASE_URL=sqlite_url)
    assert done.exit_code != 0
    assert says in done.stderr


def test_without_a_ledger_there_is_one_clear_line(relay: Relay, tmp_path: Path) -> None:
    """Otherwise a newcomer reads a traceback."""
    done = relay("connections", RELAY_DATABASE_URL=f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert done.exit_code == 1
    assert "run `relay migrate`" in done.stderr


def test_lengths_and_forecasts() -> None:
    """Otherwise an hour is read as a minute, or the forecast divides by nothing."""
    assert [duration(text) for text in ("90s", "30m", "2h", "1d", "8w")] == [
        timedelta(seconds=90),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(days=1),
        timedelta(days=56),
    ]
    for wrong in ("", "h", "2", "-1h", "2 weeks", "1.5h", "3M", "999999d"):
        with pytest.raises(ValueError, match="is not a length of time"):
            duration(wrong)
    assert gone_at(1200, 300, NOON) == NOON + timedelta(minutes=20)
    assert gone_at(0, 300, NOON) is None
    assert gone_at(1200, 0, NOON) is None
