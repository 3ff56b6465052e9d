"""Orders of many lines at a CRM that is ill: each try gets a little further."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.engine.harness import Bench
from tests.engine.jobs import CREATED, ORDER
from worker.ledger.tables import State
from worker.policy import backoff

LINES = 14
LONG_ORDER = {
    **ORDER,
    "total_price": "140.00",
    "total_tax": "0.00",
    "shipping_lines": [],
    "line_items": [
        {"title": f"Lamp {n}", "sku": f"LAMP-{n}", "quantity": 1, "price": "10.00"} for n in range(LINES)
    ],
}


def waits_until_delivered(bench: Bench, delivery: str) -> list[timedelta]:
    """Try the delivery, each time when it is due, and return for how long it waited after each try."""
    waits: list[timedelta] = []
    while bench.attempt(delivery) != State.DELIVERED:
        wait = bench.show(delivery)["due_at"] - bench.clock()
        waits.append(wait)
        assert len(waits) < 40, bench.show(delivery)["reason"]
        bench.clock.forward(seconds=max(wait.total_seconds(), 1))
    return waits


def test_a_try_that_gets_further_does_not_lengthen_the_wait(bench: Bench) -> None:
    """Otherwise an order of fifty lines takes hours where the CRM loses every other answer."""
    fault = {"vendor": "centiacrm", "operation": "products_create_product", "fault": "drop_after"}
    bench.fault(**fault, every=2)
    order = bench.receive("shop", json.dumps(LONG_ORDER).encode(), headers=CREATED, to="centia")
    waits = waits_until_delivered(bench, order)
    assert len(waits) == LINES // 2, "every other product is made and not answered"
    assert max(waits) <= backoff(0, 0.5)
    assert bench.counts("centiacrm")["product"] == LINES


def test_a_try_that_gets_nowhere_waits_longer_each_time(bench: Bench) -> None:
    """Otherwise a CRM that fails at one product for an hour is asked for it every few seconds."""
    bench.fault(vendor="centiacrm", operation="products_get_products", fault="drop_before", times=4)
    order = bench.receive("shop", json.dumps(LONG_ORDER).encode(), headers=CREATED, to="centia")
    waits = waits_until_delivered(bench, order)
    assert waits == [backoff(tries, 0.5) for tries in range(4)]
