"""One CRM is down for twenty seconds under load, with real processes: it costs time and nothing else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_for
from tests.e2e.running import AT_MOST, PER_LEAD, Up, relay_up
from worker.ledger import search
from worker.ledger.database import Database

DOWN_SECONDS = 20
#: Deliveries of one CRM that two workers may have in hand, three quarters of their threads, and those that look
#: whether it is back.
IN_FLIGHT = 2 * 24 + 5


def by_connection(up: Up) -> dict[str, list[Any]]:
    db = Database(f"sqlite:///{up.env['RELAY_VAR']}/ledger.sqlite", 1)
    try:
        found: dict[str, list[Any]] = {}
        for row in search.list_deliveries(db, limit=100_000):
            found.setdefault(str(row["connection"]), []).append(row)
        return found
    finally:
        db.close()


def lead(up: Up, number: int) -> None:
    answer = up.post("website", data={"name": f"Lead {number}", "email": f"lead{number}@example.com"})
    assert answer.json()["status"] == "accepted", answer.text


# What was in doubt when it went down is looked up for a minute after before it is made again.
@pytest.mark.timeout(900)
def test_twenty_seconds_without_one_crm(tmp_path: Path) -> None:
    """If this fails, an outage costs leads, or the other CRMs suffer with the one that is down."""
    with relay_up(tmp_path) as up:
        faults = f"{up.sandbox}/_sandbox/faults"
        down = {"vendor": "oplacrm", "fault": "status", "status": 503}
        assert up.client.post(faults, json=down).is_success
        began, number = time.monotonic(), 0
        while time.monotonic() - began < DOWN_SECONDS:
            lead(up, number)
            number += 1
            time.sleep(0.1)

        def others_are_through() -> bool:
            found = by_connection(up)
            others = [row["state"] for name, rows in found.items() if name != "opla" for row in rows]
            return others == ["delivered"] * (PER_LEAD - 1) * number

        wait_for(others_are_through, AT_MOST, "the leads at the other CRMs")
        opla = by_connection(up)["opla"]
        assert not [row for row in opla if row["state"] == "delivered"]
        tried = [row for row in opla if row["attempts"]]
        assert len(tried) <= IN_FLIGHT, "more were tried than can be in flight when it opens"
        assert max((row["attempts"] for row in tried), default=0) <= 2
        assert up.client.delete(faults).is_success
        wait_for(lambda: up.states() == {"delivered": PER_LEAD * number}, 3 * AT_MOST, "the backlog")
        keys = [record["body"]["external_id"] for record in up.records("oplacrm", "lead")]
        assert len(keys) == len(set(keys)) == number
        wait_for(lambda: told(up, "closed") == 1, AT_MOST, "the word that it is over")
        assert told(up, "opened") == 1


def told(up: Up, what: str) -> int:
    return len(re.findall(rf'"event": "connection\.{what}"', up.output.read_text("utf-8", "replace")))
