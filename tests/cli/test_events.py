"""`relay events` and `relay replay` on duplicates and spam: found, looked into, released."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mappings.source import Naming
from tests.cli.conftest import Relay
from tests.conftest import NOON
from worker.ledger import intake, purging, search
from worker.ledger.database import Database
from worker.ledger.new_events import NewEvent, Stored
from worker.ledger.purging import Ages
from worker.ledger.tables import State, audit


@pytest.fixture
def ledger(relay: Relay, tmp_path: Path) -> Iterator[Database]:
    """The ledger that the commands open."""
    assert relay("migrate").exit_code == 0
    db = Database(f"sqlite:///{tmp_path / 'var' / 'ledger.sqlite'}", threads=1)
    yield db
    db.close()


def posted(ledger: Database, body: bytes, source: str = "shop", **changed: Any) -> Stored:
    naming = Naming("orders/create" if source == "shop" else "submitted", "b54557e4", "order-1001")
    values = {"verdict": "routed", "connections": ["opla"], **changed}
    return intake.store(
        ledger, NewEvent(source, naming, values.pop("verdict"), "x/y", {}, body, **values), NOON
    )


def test_an_eaten_order_is_found_compared_and_released(relay: Relay, ledger: Database) -> None:
    """Otherwise an operator who is told of a missing order finds nothing, or finds it and is stuck."""
    first, kept = posted(ledger, b"one lamp"), posted(ledger, b"two lamps").kept or ""
    table = relay("events", "--verdict", "duplicate").stdout
    assert kept in table
    assert f"duplicate  {first.event_id}" in table
    assert relay("events", first.event_id).exit_code == 0
    origin, other = (json.loads(relay("events", i).stdout) for i in (first.event_id, kept))
    assert [one["id"] for one in origin["duplicates"]] == [kept]
    assert (other["duplicate_of"], other["body"], origin["body"]) == (first.event_id, "two lamps", "one lamp")
    asked = relay("replay", kept, text="y\n")
    assert "release 1 duplicates as events of their own? [y/N]: " in asked.stdout
    assert asked.stdout.endswith("1 of 1 released\n")
    # By relay.toml, not by what the first one was routed to.
    routed = {row["connection"] for row in search.list_deliveries(ledger, event_id=kept)}
    assert routed == {"opla", "overplane", "centia", "office", "crmtop"}
    with ledger.read() as c:
        assert c.execute(select(audit.c.subject, audit.c.action)).all() == [(kept, "release")]


def test_what_was_judged_spam_is_found_and_released_by_its_event(relay: Relay, ledger: Database) -> None:
    """Otherwise a lead that was taken for a robot's is as good as dropped."""
    spam = {"verdict": "spam", "state": State.SKIPPED, "reason": "spam: no turnstile answer"}
    event = posted(ledger, b"name=Lan", "website", **spam).event_id
    (row,) = json.loads(relay("events", "--verdict", "spam", "--json").stdout)
    (delivery,) = json.loads(relay("events", row["id"]).stdout)["deliveries"]
    assert (row["id"], delivery["reason"]) == (event, "spam: no turnstile answer")
    assert relay("replay", "--yes", event).stdout == "1 of 1 released\n"
    assert search.count_states(ledger) == {"pending": 1}


def test_what_cannot_be_released_says_why(relay: Relay, ledger: Database) -> None:
    """Otherwise "0 of 1 released" leaves the operator guessing."""
    first = posted(ledger, b"one", connections=[])
    nothing = relay("replay", "--yes", first.event_id)
    assert (nothing.exit_code, nothing.stderr) == (
        2,
        f"relay: {first.event_id}: the event has no delivery that can be released\n",
    )
    posted(ledger, b"one", "former")
    kept = posted(ledger, b"two", "former").kept or ""
    unrouted = relay("replay", "--yes", kept)
    assert unrouted.exit_code == 2
    assert "takes submitted from former; add one first" in unrouted.stderr
    unknown = relay("replay", "--yes", "no-such-id")
    assert (unknown.exit_code, unknown.stderr) == (
        2,
        "relay: there is no delivery and no event 'no-such-id'; `relay deliveries` lists them\n",
    )
    ages = Ages(unrouted_before=NOON + timedelta(seconds=1))
    assert sum(one.emptied for one in purging.purge(ledger, ages, NOON)) == 2, "two are without deliveries"
    emptied = relay("replay", "--yes", kept)
    assert (emptied.exit_code, emptied.stderr) == (
        2,
        f"relay: {kept}: its payload was purged, so there is nothing to deliver any more\n",
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["events", "nothing"], "there is no event nothing"),
        (["deliveries", "nothing"], "there is no delivery nothing"),
        (["replay", "--yes"], "nothing to release: name deliveries or events, or a --state"),
    ],
)
def test_what_is_not_there_ends_as_every_wrong_input_does(
    relay: Relay, ledger: Database, words: list[str], complaint: str
) -> None:
    """Otherwise a script takes its own typing error for a CRM that failed, and tries again for ever."""
    done = relay(*words)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", f"relay: {complaint}\n")
