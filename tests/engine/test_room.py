"""What the sweep and a worker make of a connection's breaker and of its few places, at a real broker."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.conftest import Clock
from tests.engine.harness import ENVIRON, benched
from tests.engine.test_sweep import after_grace, depth, stored
from worker.app import make_app
from worker.breaker import Breaker, Failed, Phase, Terms
from worker.delivery import carry_on
from worker.ledger import breakers
from worker.ledger.database import Database
from worker.publisher import Publisher, capacity, for_the_door
from worker.settings import Settings, SettingsError
from worker.settings.configuration import load
from worker.sweep import Sweep


def test_the_sweep_publishes_what_the_breaker_lets_through(
    broker: redis.Redis, settings: Settings, ledger: Database, clock: Clock
) -> None:
    """Otherwise an outage keeps workers busy turning the same backlog away, twice a second."""
    sweep = Sweep(settings, ledger, Publisher(make_app(settings), settings.connections), clock)
    stored(ledger, clock, 20)
    after_grace(clock)
    breakers.tell(ledger, "opla", Failed("d", "down"), clock(), Terms(breaker_after=1))
    assert sweep.once() == 0
    clock.forward(seconds=5)
    assert sweep.once() == 1, "its time is over: one tries"
    assert sweep.once() == 0, "and no second one, while the first waits for a worker"
    broker.flushall()
    releasing = Breaker(Phase.RELEASING, clock(), width=4)
    ledger.commit(lambda t: breakers.put(t, ledger, "opla", releasing))
    assert sweep.once() == 4
    broker.flushall()
    ledger.commit(lambda t: breakers.put(t, ledger, "opla", Breaker()))
    assert sweep.once() == 15
    assert depth(broker) == 15


@pytest.mark.parametrize(
    ("rate", "wide", "places", "door"),
    [(None, None, 500, 375), (5.0, None, 10, 8), (None, 3, 6, 5), (0.1, 1, 1, 1)],
)
def test_a_queue_is_as_long_as_its_limits(
    settings: Settings, rate: float | None, wide: int | None, places: int, door: int
) -> None:
    """Otherwise what waits at the broker is turned away again and again, or the door takes every place."""
    known = replace(settings.connections["opla"], requests_per_second=rate, concurrency=wide)
    assert (capacity(known), for_the_door(capacity(known))) == (places, door)


class WallClock(Clock):
    """The real time."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)

    def forward(self, **kwargs: float) -> None:
        """It goes by itself."""


def test_a_free_place_is_taken_at_once(sqlite_url: str, tmp_path: Path) -> None:
    """Otherwise a CRM that takes one request at a time gets one in half a second, whatever it could take."""
    with benched(WallClock(), sqlite_url, tmp_path) as bench:
        one = replace(bench.engine.settings.connections["opla"], concurrency=1)
        bodies = [f"name=Lan&email=lan{n}%40example.com".encode() for n in range(8)]
        ids = [bench.receive("website", body, "application/x-www-form-urlencoded") for body in bodies]
        time.sleep(5.1)  # until the door's own hand-off counts as lost
        carry_on(bench.engine, one)
        assert {bench.show(i)["state"] for i in ids} == {"delivered"}


def test_a_worker_that_stops_goes_on_with_nothing(sqlite_url: str, tmp_path: Path, clock: Clock) -> None:
    """Otherwise it spends its last seconds on claiming deliveries and putting them back, again and again."""
    with benched(clock, sqlite_url, tmp_path) as bench:
        waits = bench.receive(
            "website", b"name=Lan&email=lan%40example.com", "application/x-www-form-urlencoded"
        )
        clock.forward(seconds=60)
        bench.engine.stopping.set()
        carry_on(bench.engine, bench.engine.settings.connections["opla"])
        assert bench.show(waits)["state"] == "pending"
        bench.engine.stopping.clear()
        carry_on(bench.engine, bench.engine.settings.connections["opla"])
        assert bench.show(waits)["state"] == "delivered"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("requests_per_day = 0", "requests_per_day"),
        ("concurrency = 1.5", "concurrency"),
        ("breaker_after = 0", "breaker_after"),
        ('day_zone = "Mars/Olympus"', "must be a time zone"),
        ('day_zone = "../etc/passwd"', "must be a time zone"),
    ],
)
def test_wrong_limits_are_named(tmp_path: Path, line: str, says: str) -> None:
    """Otherwise a misspelt limit is no limit."""
    assert says in _faults(tmp_path, line)


def _faults(tmp_path: Path, line: str) -> str:
    text = Path(ENVIRON["RELAY_CONFIG"]).read_text("utf-8")
    config = tmp_path / "own.toml"
    config.write_text(text.replace('vendor = "oplacrm"', f'vendor = "oplacrm"\n{line}'), "utf-8")
    with pytest.raises(SettingsError) as raised:
        load({**ENVIRON, "RELAY_CONFIG": str(config)})
    return str(raised.value)


def test_limits_are_read(tmp_path: Path) -> None:
    """Otherwise what an operator has set does nothing."""
    lines = 'requests_per_day = 1000\nday_zone = "Asia/Ho_Chi_Minh"\nconcurrency = 4\nbreaker_after = 9'
    text = Path(ENVIRON["RELAY_CONFIG"]).read_text("utf-8")
    config = tmp_path / "own.toml"
    config.write_text(text.replace('vendor = "oplacrm"', f'vendor = "oplacrm"\n{lines}'), "utf-8")
    known: Any = load({**ENVIRON, "RELAY_CONFIG": str(config)}).connections["opla"]
    assert (known.allowance.per_day, known.allowance.zone) == (1000, "Asia/Ho_Chi_Minh")
    assert (known.terms.concurrency, known.terms.breaker_after) == (4, 9)
