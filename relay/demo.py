"""The demo: three events and a duplicate of each, through the real receiver, to the sandbox of the CRMs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from relay.demo_payloads import inbound_email, shop_order, web_form
from relay.listing import as_table
from relay.send import post_sample
from relay.stack import Stack
from relay.supervisor import Supervisor
from worker.ledger import search
from worker.ledger.database import Database
from worker.ledger.tables import State

#: Seconds that everything may take; it takes a few.
PATIENCE = 90.0
#: The fields in which one CRM or another holds our key.
_MARKED = ("external_id", "title", "subject", "code", "notes", "about")


@dataclass
class Sent:
    """One event of the demo: what it is, and what became of its first post and of its second."""

    title: str
    source: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    event_id: str = ""
    second_answer: Mapping[str, Any] = field(default_factory=dict)


def run_demo(stack: Stack, supervisor: Supervisor) -> bool:
    """Send, wait, show; return whether each record exists exactly once in the sandbox."""
    run = datetime.now(UTC).strftime("%m%d%H%M%S")
    events = [
        Sent("web-form lead", "website", urlencode(web_form(run)).encode()),
        Sent(
            "Shopify order",
            "shop",
            json.dumps(shop_order(run)).encode(),
            {"x-shopify-topic": "orders/create"},
        ),
        Sent("support e-mail", "inbox", json.dumps(inbound_email(run)).encode()),
    ]
    for event in events:
        first, event.second_answer = _post(stack, event), _post(stack, event)
        event.event_id = first["event_id"]
        print(f"sent {event.title} twice: {first['status']}, then {event.second_answer['status']}")
    db = Database(stack.settings.database_url, 1, stack.settings.encryption_keys)
    try:
        rows = _wait(db, supervisor, {event.event_id for event in events})
    finally:
        db.close()
    held = httpx.get(f"{stack.sandbox_url}/_sandbox/records", timeout=10, trust_env=False).json()["records"]
    table, worked = _result(events, rows, held)
    print(as_table(table, ("event", "connection", "state", "CRM record", "seconds", "in the CRM")))
    print("each record exists exactly once" if worked else "NOT every record exists exactly once")
    return worked


def _post(stack: Stack, event: Sent) -> Mapping[str, Any]:
    source = stack.settings.sources[event.source]
    media = "application/x-www-form-urlencoded" if event.source == "website" else "application/json"
    answer = post_sample(source, event.body, event.headers, media, stack.receiver_url)
    if answer.status_code != 200:
        raise SystemExit(
            f"relay: the receiver answered {answer.status_code} to the {event.title}: {answer.text}"
        )
    content: Mapping[str, Any] = answer.json()
    return content


def _wait(db: Database, supervisor: Supervisor, event_ids: set[str]) -> list[Mapping[str, Any]]:
    until = time.monotonic() + PATIENCE
    rows: list[Mapping[str, Any]] = []
    shown = -1

    def finished() -> bool:
        nonlocal rows, shown
        rows = [row for row in search.list_deliveries(db) if row["event_id"] in event_ids]
        ended = sum(row["state"] in (State.DELIVERED, State.FAILED, State.SKIPPED) for row in rows)
        if ended != shown:
            shown = ended
            print(f"delivered {ended} of {len(rows)}", file=sys.stderr, flush=True)
        return ended == len(rows) or time.monotonic() > until

    supervisor.watch(until=finished)
    return rows


def _result(
    events: list[Sent], rows: list[Mapping[str, Any]], held: list[Mapping[str, Any]]
) -> tuple[list[dict[str, str]], bool]:
    table, worked = [], bool(rows)
    for event in events:
        for row in (row for row in rows if row["event_id"] == event.event_id):
            copies = _copies(row, held)
            worked &= row["state"] == State.DELIVERED and copies == 1
            table.append(
                {
                    "event": event.title,
                    "connection": row["connection"],
                    "state": row["state"],
                    "CRM record": row["record_id"] or row["reason"] or "",
                    "seconds": f"{(row['updated_at'] - row['created_at']).total_seconds():.2f}",
                    "in the CRM": f"{copies} time{'s' if copies != 1 else ''}",
                }
            )
        is_duplicate = event.second_answer == {"status": "duplicate", "event_id": event.event_id}
        worked &= is_duplicate
        again = "duplicate of the first" if is_duplicate else f"NOT recognised: {event.second_answer}"
        table.append(
            dict.fromkeys(("connection", "CRM record", "seconds", "in the CRM"), "")
            | {"event": f"{event.title}, again", "state": again}
        )
    return table, worked


def _copies(row: Mapping[str, Any], held: list[Mapping[str, Any]]) -> int:
    """Count the records at the CRM that are this event's, by our key in them and not by the id we noted."""
    ours = next((r for r in held if str(r["id"]) == row["record_id"]), None)
    if ours is None:
        return 0
    body = ours["body"]
    mark = next((str(body[name]) for name in _MARKED if body.get(name)), None)
    if mark is None:
        return 0
    same = [r for r in held if r["vendor"] == ours["vendor"] and r["kind"] == ours["kind"]]
    return sum(mark in (r["body"].get(name) for name in _MARKED) for r in same)
