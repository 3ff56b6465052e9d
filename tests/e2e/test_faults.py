"""Nothing lost and nothing doubled, with real processes that are really killed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import create_engine, make_url, text

from tests.conftest import wait_for
from tests.e2e.running import PER_LEAD, PER_ORDER, PER_TICKET, Up, relay_up
from tests.engine.jobs import EMAIL, ORDER

EVENTS = 150
PATIENCE = 150


def post_everything(up: Up, first: int, last: int) -> None:
    """Post a lead, an order or a support e-mail for each number; many customers and products are shared."""
    for number in range(first, last):
        if number % 3 == 0:
            answer = up.post("website", data={"name": f"Lead {number}", "email": f"lead{number}@example.com"})
        elif number % 3 == 1:
            answer = post_order(up, number)
        else:
            email = {
                **EMAIL,
                "MessageID": f"11111111-2222-4333-8444-{number:012}",
                "Subject": f"Question {number}",
            }
            answer = up.post("inbox", params={"token": "demo-inbox-token"}, json=email)
        assert answer.json()["status"] in ("accepted", "duplicate"), answer.text


def post_order(up: Up, number: int) -> Any:
    who = f"buyer{number % 5}@example.com"
    order = {**ORDER, "id": 900000 + number, "name": f"#{number}", "email": who}
    order["customer"] = {"id": number % 5, "email": who, "first_name": "Buyer", "last_name": str(number % 5)}
    body = json.dumps(order).encode()
    signature = base64.b64encode(hmac.digest(b"demo-shop-secret", body, hashlib.sha256)).decode()
    headers = {
        "content-type": "application/json",
        "x-shopify-topic": "orders/create",
        "x-shopify-webhook-id": f"webhook-{number}",
        "x-shopify-hmac-sha256": signature,
    }
    return up.post("shop", content=body, headers=headers)


def assert_each_once(up: Up, events: int) -> None:
    """Every event has its record at every CRM of its route, once; shared records exist once, too."""
    leads, orders = len(range(0, events, 3)), len(range(1, events, 3))
    tickets = events - leads - orders
    expected = PER_LEAD * leads + PER_ORDER * orders + PER_TICKET * tickets

    def done() -> bool:
        return up.states() == {"delivered": expected}

    try:
        wait_for(done, PATIENCE, "all deliveries")
    except AssertionError as error:
        raise AssertionError(f"{up.states()} instead of {expected} delivered") from error
    marks = [
        r["body"]["external_id"] for r in up.records("oplacrm", "lead") + up.records("oplacrm", "opportunity")
    ]
    assert len(marks) == len(set(marks)) == leads + orders
    titles = [r["body"]["title"] for r in up.records("centiacrm", "opportunity")]
    assert len(titles) == len(set(titles)) == leads + orders
    tickets_made = [r["body"]["title"] for r in up.records("centiacrm", "ticket")]
    assert len(tickets_made) == len(set(tickets_made)) == tickets
    for kind in ("order", "opportunity", "ticket"):
        codes = [record["body"]["code"] for record in up.records("crmtop", kind)]
        assert len(codes) == len(set(codes)) == (tickets if kind == "ticket" else orders)
    for vendor, kind, name in (
        ("crmtop", "customer", "code"),
        ("crmtop", "contact", "code"),
        ("crmtop", "product", "code"),
        ("oplacrm", "account", "external_id"),
        ("oplacrm", "contact", "external_id"),
        ("centiacrm", "company", "name"),
        ("centiacrm", "contact", "email"),
        ("centiacrm", "product", "sku"),
    ):
        shared = [record["body"][name] for record in up.records(vendor, kind)]
        assert len(shared) == len(set(shared)), f"{vendor} has a {kind} twice"


def test_workers_killed_at_random_and_the_broker_flushed_twice(tmp_path: Path) -> None:
    """If this fails, a crash loses a customer's order or makes it twice."""
    chance = random.Random(20260302)
    with relay_up(tmp_path) as up:
        sender = threading.Thread(target=post_everything, args=(up, 0, EVENTS))
        sender.start()
        for second in range(12):
            time.sleep(1)
            workers = up.children("worker.main")
            if workers and second % 2 == 0:
                os.kill(chance.choice(workers), signal.SIGKILL)
            if second in (3, 8):
                with up.broker as broker:
                    broker.flushall()
        sender.join()
        assert_each_once(up, EVENTS)


def test_the_same_on_postgresql_with_a_broker_of_ones_own(
    tmp_path: Path, postgres_url: str, broker: redis.Redis, broker_url: str
) -> None:
    """If this fails, what holds on a laptop does not hold where it has to."""
    url = make_url(postgres_url).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE relay"))
    admin.dispose()
    ledger = url.set(database="relay", drivername="postgresql").render_as_string(hide_password=False)
    with relay_up(tmp_path, RELAY_DATABASE_URL=ledger, RELAY_BROKER_URL=broker_url) as up:
        sender = threading.Thread(target=post_everything, args=(up, 0, 60))
        sender.start()
        for second in range(4):
            time.sleep(1)
            for worker in up.children("worker.main")[:1]:
                os.kill(worker, signal.SIGKILL)
            if second == 1:
                broker.flushall()
        sender.join()
        assert_each_once(up, 60)
        assert up.children("valkey-server") == []  # it uses ours


def test_a_crm_that_commits_and_drops_every_third_create(tmp_path: Path) -> None:
    """If this fails, an unstable line to the CRM makes records twice."""
    with relay_up(tmp_path) as up:
        for vendor, operations in {
            "oplacrm": ("lead_create", "account_create", "contact_create", "opportunity_create"),
            "centiacrm": (
                "companies_create_company",
                "contacts_create_contact",
                "products_create_product",
                "opportunities_create_opportunity",
                "tickets_create_ticket",
            ),
            "crmtop": (
                "lead_create",
                "customer_create",
                "opportunity_create",
                "order_create",
                "ticket_create",
            ),
        }.items():
            for operation in operations:
                fault = {"vendor": vendor, "operation": operation, "fault": "drop_after", "every": 3}
                assert up.client.post(f"{up.sandbox}/_sandbox/faults", json=fault).is_success
        post_everything(up, 0, 45)
        assert_each_once(up, 45)


def test_receivers_killed_while_senders_retry(tmp_path: Path) -> None:
    """If this fails, an event that was answered 200 is lost, or one that the sender repeats is doubled."""
    with relay_up(tmp_path) as up:
        sender = threading.Thread(target=post_everything, args=(up, 0, 60))
        sender.start()
        for _ in range(4):
            time.sleep(0.4)
            for pid in up.children("webhooks.app")[1:]:
                os.kill(pid, signal.SIGKILL)
        sender.join()
        assert_each_once(up, 60)


def test_a_broker_that_is_gone_delays_and_loses_nothing(tmp_path: Path) -> None:
    """If this fails, Redis is part of the promise, and its outage loses orders."""
    with relay_up(tmp_path) as up:
        (broker,) = up.children("valkey-server")
        os.kill(broker, signal.SIGSTOP)
        began = time.monotonic()
        post_everything(up, 0, 15)
        assert time.monotonic() - began < 10, "a frozen broker held the senders"
        os.kill(broker, signal.SIGCONT)
        assert_each_once(up, 15)
