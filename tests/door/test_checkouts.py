"""A checkout that becomes an order in time never becomes a lead; one that does not, becomes one, and only one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.conftest import NOON, Clock
from tests.door.door_requests import CONNECTION, TOML, Door, Webhook, open_door
from worker.ledger.database import Database
from worker.ledger.due import hand_over
from worker.ledger.tables import deliveries

HOUR = timedelta(hours=1)
#: Orders go to one CRM, checkouts to another, as a shop's sales and its marketing often do.
APART = (
    TOML
    + CONNECTION.replace("connections.opla", "connections.marketing")
    + ('[[routes]]\nsource = "shop"\nevents = ["checkouts/create", "checkouts/update"]\nto = ["marketing"]\n')
)


def checkout(number: int, minute: int, what: str = "update", **more: Any) -> Webhook:
    """Return the news of a checkout that was changed at this minute past noon."""
    changed = f"2026-03-02T12:{minute:02d}:00Z"
    payload = {"id": number, "email": "lan@example.com", "updated_at": changed, **more}
    headers = {"X-Shopify-Topic": f"checkouts/{what}", "X-Shopify-Webhook-Id": f"{number}-{what}-{minute}"}
    return Webhook("shop", json.dumps(payload).encode(), headers=headers)


def order(checkout_id: int | None) -> Webhook:
    """Return an order that came of this checkout."""
    payload = {"id": 1001, "updated_at": "2026-03-02T12:05:00Z", "checkout_id": checkout_id}
    headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Webhook-Id": f"order-{checkout_id}"}
    return Webhook("shop", json.dumps(payload).encode(), headers=headers)


def states(door: Door) -> list[tuple[str, str, datetime]]:
    """Return connection, state and due time of all deliveries, oldest first."""
    wanted = select(deliveries.c.connection, deliveries.c.state, deliveries.c.due_at)
    with door.db.read() as c:
        return [(row[0], row[1], row[2]) for row in c.execute(wanted.order_by(deliveries.c.id))]


def due(door: Door, now: datetime) -> int:
    """Return how many deliveries the sweep would hand over at `now`."""
    return len(hand_over(door.db, "opla", 10, now, timedelta(seconds=30), now))


def test_an_order_supersedes_the_checkout_that_waits(either_door: Door) -> None:
    """Otherwise a buyer who pays a minute later is called as a lead."""
    assert either_door.post(checkout(5, 0, "create")).status_code == 200
    assert states(either_door) == [("opla", "pending", NOON + HOUR)]
    assert either_door.hand_off.given == []
    assert due(either_door, NOON + HOUR - timedelta(seconds=1)) == 0
    assert either_door.post(order(5)).status_code == 200
    assert states(either_door) == [("opla", "superseded", NOON + HOUR), ("opla", "pending", NOON)]
    assert len(either_door.hand_off.given) == 1
    with either_door.db.read() as c:
        reason = c.execute(select(deliveries.c.reason).order_by(deliveries.c.id)).scalars().first()
    assert "(orders/create) came while it waited" in str(reason)


def test_a_checkout_without_an_order_is_due_after_its_hour(either_door: Door) -> None:
    """Otherwise a buyer who never comes back is forgotten."""
    either_door.post(checkout(5, 0, "create"))
    either_door.post(order(6))
    either_door.post(order(None))
    assert [state for _, state, _ in states(either_door)] == ["pending"] * 3
    with either_door.db.read() as c:
        reasons = c.execute(select(deliveries.c.reason).order_by(deliveries.c.id)).scalars().all()
    assert reasons == ["waits 60 minutes for what becomes of checkout-5", None, None]
    assert due(either_door, NOON + HOUR) == 3


def test_the_hour_runs_from_the_last_change_of_a_checkout(either_door: Door, clock: Clock) -> None:
    """Otherwise somebody who is still typing is called.

    The hour runs from the last change, and of ten changes only the last is worth a call.
    """
    either_door.post(checkout(5, 0, "create"))
    clock.forward(minutes=50)
    either_door.post(checkout(5, 50))
    assert states(either_door) == [
        ("opla", "superseded", NOON + HOUR),
        ("opla", "pending", NOON + timedelta(minutes=110)),
    ]


def test_an_older_state_of_a_checkout_settles_no_newer_one(either_door: Door, clock: Clock) -> None:
    """Otherwise news that come late undo newer ones."""
    either_door.post(checkout(5, 10, completed_at="2026-03-02T12:10:00Z"))
    clock.forward(minutes=20)
    either_door.post(checkout(5, 0, "create"))
    assert [state for _, state, _ in states(either_door)] == ["pending", "pending"]


def test_a_checkout_that_is_due_is_left_to_the_worker(either_door: Door, clock: Clock) -> None:
    """Otherwise a lead that is made already is taken back.

    What was due is for the worker to end; only what still waits is settled.
    """
    either_door.post(checkout(5, 0, "create"))
    clock.forward(minutes=60)
    either_door.post(order(5))
    assert [state for _, state, _ in states(either_door)] == ["pending", "pending"]


def test_an_order_settles_only_where_it_goes_itself(db: Database, tmp_path: Path, clock: Clock) -> None:
    orders_only = APART.replace(
        'source = "shop"\nto = ["opla"]', 'source = "shop"\nevents = ["orders/create"]\nto = ["opla"]'
    )
    door = open_door(tmp_path, db, clock, orders_only)
    door.post(checkout(5, 0, "create"))
    door.post(order(5))
    assert states(door) == [("marketing", "superseded", NOON + HOUR), ("opla", "pending", NOON)]


@pytest.mark.parametrize(("minutes", "waits"), [(0, timedelta()), (15, timedelta(minutes=15))])
def test_relay_toml_says_how_long_a_checkout_waits(
    db: Database, tmp_path: Path, clock: Clock, minutes: int, waits: timedelta
) -> None:
    """Otherwise a shop that wants its checkouts at once, or later, is not heard."""
    toml = TOML.replace('type = "shopify"', f'type = "shopify"\ncheckout_delay_minutes = {minutes}')
    door = open_door(tmp_path, db, clock, toml)
    door.post(checkout(5, 0, "create"))
    assert states(door) == [("opla", "pending", NOON + waits)]
    assert len(door.hand_off.given) == (0 if minutes else 1)
