"""The door beside a broker that is frozen, gone or wiped: nobody waits, and nothing is lost."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest

from tests.conftest import wait_for
from tests.door.door_requests import LEAD
from tests.door.door_server import AT_MOST, HELD, Broker, Server, count
from worker.ledger import due
from worker.ledger.database import Database
from worker.ledger.new_events import HAND_OFF_GRACE


def posted(server: Server, number: int, begin: int = 0) -> list[str]:
    """Post that many leads one after the other, each answered quickly; return the events' ids."""
    ids, waits = [], []
    for n in range(begin, begin + number):
        answer, seconds = server.post(replace(LEAD, body=LEAD.body + b"&n=%d" % n))
        assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
        ids.append(answer.json()["event_id"])
        waits.append(seconds)
    assert max(waits) < HELD
    # Whoever asks the broker first, bounded or not, waits each time; what a busy machine holds up are a few.
    assert number < 10 or median(waits) < 1
    return ids


def left_to_the_sweep(ledger: Database) -> int:
    """Return how many deliveries the sweep finds, once the door's own hand-off had its time."""
    later = datetime.now(UTC) + HAND_OFF_GRACE + timedelta(seconds=1)
    return len(due.hand_over(ledger, "opla", 1_000, later, timedelta(seconds=30)))


@pytest.mark.parametrize("trouble", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "gone"])
def test_a_broker_in_trouble_costs_the_sender_nothing(
    server: Server, broker: Broker, ledger: Database, trouble: signal.Signals
) -> None:
    """Otherwise an outage of the broker is one of the door, and the senders' events are lost."""
    posted(server, 2)
    wait_for(lambda: broker.tasks("deliver.opla") >= 2, AT_MOST, "the first two tasks")
    broker.signal(trouble)
    ids = posted(server, 50, begin=100)
    ready, seconds = server.ready()
    assert seconds < AT_MOST / 2
    assert (ready.status_code, ready.json()["ledger"]) == (200, "ok")
    assert ready.json()["broker"].startswith("out of reach")
    assert ready.json()["last_sweep"] is None
    assert len(set(ids)) == 50
    assert (count(ledger), left_to_the_sweep(ledger)) == (52, 52)
    if trouble is signal.SIGSTOP:
        broker.signal(signal.SIGCONT)
    else:
        broker.start()
    before = broker.tasks("deliver.opla")
    wait_for(lambda: server.ready()[0].json()["broker"] == "ok", AT_MOST, "the broker in /readyz")
    # Both processes of the server publish again; which of them takes a connection is chance.
    more = iter(range(1_000, 2_000))
    for _ in range(4):
        posted(server, 1, begin=next(more))
    wait_for(lambda: broker.tasks("deliver.opla") >= before + 4, AT_MOST, "tasks of new events")


def test_many_who_ask_for_readiness_do_not_stop_the_door(server: Server, broker: Broker) -> None:
    """Otherwise a watchful load balancer takes every thread while the broker is frozen."""
    broker.signal(signal.SIGSTOP)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.ready()[0].status_code)) for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    posted(server, 10, begin=5_000)
    for thread in threads:
        thread.join(AT_MOST)
    assert answers == [200] * 32
