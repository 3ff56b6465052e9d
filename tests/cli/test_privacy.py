"""`relay purge`, `relay forget` and `relay keys`, as an operator uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from mappings.source import Naming
from tests.cli.conftest import Relay
from tests.engine.harness import ROOT
from tests.engine.jobs import FORM, URLENCODED
from worker.ledger import intake
from worker.ledger.database import Database
from worker.ledger.migrate import migrate
from worker.ledger.new_events import NewEvent
from worker.ledger.tables import State, audit, deliveries, events
from worker.ledger.verdicts import Verdict
from worker.ledger.version import require_current
from worker.settings.encryption_keys import key_bytes, new_key

LONG_AGO = datetime.now(UTC) - timedelta(days=100)


@pytest.fixture
def ledger(environ: dict[str, str]) -> Iterator[Database]:
    """The ledger that the command will find."""
    db = Database(f"sqlite:///{environ['RELAY_VAR']}/ledger.sqlite", 4)
    migrate(db)
    yield db
    db.close()


def fill(db: Database, state: State, number: int = 1, body: bytes = FORM) -> None:
    """Store events whose delivery ended a hundred days ago."""
    for place in range(number):
        key = f"{state}-{place}"
        event = NewEvent("website", Naming("submitted", key), Verdict.ROUTED, URLENCODED, {}, body, ["opla"])
        intake.store(db, event, LONG_AGO)
    with db.write() as c:
        pending = deliveries.c.state == State.PENDING
        c.execute(update(deliveries).where(pending).values(state=state, updated_at=LONG_AGO))


def bodies(db: Database) -> list[bytes]:
    with db.read() as c:
        return list(c.scalars(select(events.c.body).order_by(events.c.id)))


def subjects(db: Database) -> list[str]:
    with db.read() as c:
        return list(c.scalars(select(audit.c.subject)))


def test_purge_counts_and_asks_before_it_empties(relay: Relay, ledger: Database) -> None:
    """Otherwise a typing error in the age empties the ledger."""
    fill(ledger, State.DELIVERED, 3)
    fill(ledger, State.FAILED)
    refused = relay("purge", "--older-than", "90d", text="n\n")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "empty 3 events and delete 0 rows, for good? [y/N]" in refused.stderr
    counted = relay("purge", "--older-than", "90d", "--dry-run")
    assert counted.stdout == "4 events looked at, 3 to empty, 0 to delete\n"
    assert bodies(ledger) == [FORM] * 4
    done = relay("purge", "--older-than", "90d", text="y\n")
    assert (done.exit_code, done.stdout) == (0, "4 events looked at, 3 emptied, 0 deleted\n")
    assert bodies(ledger) == [b"", b"", b"", FORM]
    assert subjects(ledger) == ["3 emptied, 0 deleted"]


def test_purge_does_what_its_options_say(relay: Relay, ledger: Database) -> None:
    """Otherwise --state is decoration, or a script cannot read the answer."""
    fill(ledger, State.DELIVERED)
    fill(ledger, State.FAILED)
    done = relay("purge", "--older-than", "12w", "--state", "failed", "--yes", "--json")
    assert json.loads(done.stdout) == {"looked_at": 2, "emptied": 1, "deleted": 0, "done": True}
    assert bodies(ledger) == [FORM, b""]
    done = relay("purge", "--rows-older-than", "90d", "--yes", "--json")
    assert json.loads(done.stdout) == {"looked_at": 1, "emptied": 0, "deleted": 1, "done": True}
    assert bodies(ledger) == [FORM]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--older-than", "90"], "'90' is not an age: write 90d, 12h or 8w"),
        (["--older-than", "3m"], "'3m' is not an age: write 90d, 12h or 8w"),
        ([], "no age is given: add --older-than 90d, or set [retention] in relay.toml"),
        (["--state", "failed"], "--state needs --older-than"),
    ],
)
def test_purge_says_what_it_lacks(
    relay: Relay, ledger: Database, tmp_path: Path, arguments: list[str], complaint: str
) -> None:
    """Otherwise nobody knows what it was about to do."""
    bare = tmp_path / "bare.toml"
    bare.write_text((ROOT / "relay.toml").read_text("utf-8").partition("[retention]")[0], "utf-8")
    done = relay("purge", *arguments, RELAY_CONFIG=str(bare))
    assert (done.exit_code, done.stderr) == (2, f"relay: {complaint}\n")


def test_senders_are_answered_while_a_large_ledger_is_purged(relay: Relay, ledger: Database) -> None:
    """Otherwise a purge at noon is an outage: they wait at most for one page."""
    fill(ledger, State.DELIVERED, 1500, body=b"x" * 20_000)
    emptied: list[int] = []
    over = threading.Event()

    def post() -> None:
        while not over.is_set():
            event = NewEvent(
                "website", Naming("t", f"new-{len(emptied)}"), Verdict.ROUTED, URLENCODED, {}, FORM, []
            )
            intake.store(ledger, event, datetime.now(UTC))
            with ledger.read() as c:
                emptied.append(c.scalars(select(func.count()).where(events.c.purged_at.is_not(None))).one())
            time.sleep(0.005)

    sender = threading.Thread(target=post)
    sender.start()
    done = relay("purge", "--older-than", "90d", "--yes")
    over.set()
    sender.join()
    assert "1500 emptied" in done.stdout
    # Of the eight pages, between some of which an event was stored: however long each takes on this machine.
    assert len({number for number in emptied if 0 < number < 1500}) >= 2, "nobody was answered in its midst"


def test_forget_shows_asks_and_erases(relay: Relay, ledger: Database) -> None:
    """Otherwise an operator erases without knowing what, or is told nothing of what is still in the CRM."""
    fill(ledger, State.DELIVERED)
    fill(ledger, State.WAITING, body=b"name=Minh&email=minh%40example.com")
    shown = relay("forget", "Lan@Example.com", "--dry-run")
    assert shown.exit_code == 0
    assert "1 events, 1 deliveries, 0 attempts, 0 steps, 0 links, 0 audit entries" in shown.stdout
    refused = relay("forget", "lan@example.com", text="n\n")
    assert refused.exit_code == 1
    assert "for good? [y/N]" in refused.stderr
    assert FORM in bodies(ledger)
    done = relay("forget", "lan@example.com", "--yes")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "erased 1 events and 0 links")
    assert bodies(ledger) == [b"", b"name=Minh&email=minh%40example.com"]
    again = relay("forget", "lan@example.com", "--yes")
    assert (again.exit_code, again.stdout) == (0, "the ledger holds nothing of this person\n")
    assert subjects(ledger) == ["a person: 1 events, 0 links"]
    by_phone = relay("forget", "--phone", "+84901234567", "--dry-run", "--json")
    assert json.loads(by_phone.stdout)["events"] == []


def test_forget_says_what_to_do_where_something_is_in_flight(relay: Relay, ledger: Database) -> None:
    """Otherwise the operator believes that it is done."""
    fill(ledger, State.SENDING)
    with ledger.write() as c:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        c.execute(update(deliveries).values(lease="somebody", lease_until=soon))
    done = relay("forget", "--phone", "+84 901 234 567", "--yes", "--json")
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["in_flight"] == [told["events"][0]["id"]]
    text = relay("forget", "lan@example.com", "--yes").stdout
    assert "a worker is delivering it now: run this again in a minute" in text
    assert bodies(ledger) == [FORM]


@pytest.mark.parametrize("arguments", [[], ["lan"], ["--phone", "0901234567"]])
def test_forget_refuses_what_is_no_person(relay: Relay, ledger: Database, arguments: list[str]) -> None:
    """Otherwise a typing error says that nothing is kept."""
    done = relay("forget", *arguments)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1


def test_a_key_is_made_and_rotated(relay: Relay, ledger: Database) -> None:
    """Otherwise a key cannot be replaced when somebody leaves who knew it."""
    old, new = (relay("keys", "new", RELAY_CONFIG="/nowhere").stdout.strip() for _ in range(2))
    assert key_bytes(old) != key_bytes(new)
    fill(ledger, State.DELIVERED)
    unset = relay("keys", "rotate")
    assert (unset.exit_code, unset.stderr) == (
        2,
        "relay: RELAY_ENCRYPTION_KEY is not set: `relay keys new` makes a key\n",
    )
    first = relay("keys", "rotate", RELAY_ENCRYPTION_KEY=old)
    # Of the event and its delivery only the event has something to encrypt.
    assert first.stdout.startswith("1 rows encrypted anew"), first.stderr
    second = relay("keys", "rotate", RELAY_ENCRYPTION_KEY=f"{new},{old}")
    assert "not needed any more: key " in second.stdout
    assert relay("events", RELAY_ENCRYPTION_KEY=new).exit_code == 0
    for wrong in (old, ""):
        refused = relay("events", RELAY_ENCRYPTION_KEY=wrong)
        assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
        assert "RELAY_ENCRYPTION_KEY" in refused.stderr


@pytest.mark.parametrize(
    "argv",
    [
        ["-c", "import worker.main"],
        ["-c", "from webhooks.app import from_environment; from_environment()"],
    ],
    ids=["worker", "receiver"],
)
def test_a_process_without_the_key_says_so_in_one_line_and_ends(
    environ: dict[str, str], ledger: Database, argv: list[str]
) -> None:
    """Otherwise it starts, and fails at every event."""
    sealed = Database(ledger.engine.url.render_as_string(), 1, [key_bytes(new_key())])
    require_current(sealed)
    sealed.close()
    env = {**os.environ, **environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *argv], env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("relay: the ledger is encrypted with key ")
    assert line.endswith(": set RELAY_ENCRYPTION_KEY")
