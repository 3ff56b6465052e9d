"""Celery's broker traffic over our own transport: the same keys, fewer objects, and kombu's way where it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import Celery
from kombu import Connection, Consumer
from redis.exceptions import ConnectionError as Broken

from tests.engine.harness import ENVIRON
from worker.app import make_app, transport_options
from worker.broker import transport
from worker.publisher import Publisher
from worker.settings.configuration import load

QUEUE = "deliver.opla"


@pytest.fixture
def app(broker: redis.Redis, broker_url: str) -> Celery:
    return make_app(load({**ENVIRON, "RELAY_BROKER_URL": broker_url}))


@pytest.fixture
def link(app: Celery, broker_url: str) -> Iterator[Connection]:
    with Connection(broker_url, transport_options=transport_options(broker_url)) as link:
        yield link


@pytest.fixture
def task(app: Celery, link: Connection) -> Iterator[Any]:
    """One task in our hands, not acknowledged."""
    publisher = Publisher(app, load(ENVIRON).connections)
    publisher.publish([("opla", "d1")])
    taken: list[Any] = []
    queue = next(queue for queue in app.conf.task_queues if queue.name == QUEUE)
    with Consumer(link, [queue], callbacks=[lambda body, message: taken.append(message)], accept=["json"]):
        link.drain_events(timeout=60)
        yield taken[0]
    publisher._drop()


def held(broker: redis.Redis) -> tuple[int, int]:
    return int(broker.hlen("unacked")), int(broker.zcard("unacked_index"))  # type: ignore[arg-type]


def test_every_address_of_redis_leads_to_it(app: Celery) -> None:
    """Otherwise the worker speaks through kombu's own, and nobody sees but the bill."""
    for url in ("redis://h/0", "rediss://h/0", "redis+socket:///s"):
        assert Connection(url).get_transport_cls() is transport.Transport


def test_a_task_is_held_until_it_is_acknowledged(broker: redis.Redis, task: Any) -> None:
    """Otherwise a killed worker's tasks are gone, or come back for ever."""
    assert held(broker) == (1, 1)
    task.ack()
    assert held(broker) == (0, 0)


def test_a_task_that_was_not_acknowledged_comes_back(broker: redis.Redis, task: Any) -> None:
    """Otherwise what we write there is not what kombu restores."""
    task.channel.qos.restore_unacked()
    assert held(broker) == (0, 0)
    assert broker.llen(QUEUE) == 1


def test_a_broken_connection_is_kombus_own_matter(
    broker: redis.Redis, task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one reset connection leaves a task unacknowledged and stops the worker's loop."""
    connection = task.channel.pool.get_connection()
    task.channel.pool.release(connection)

    def breaks(*_: Any, **__: Any) -> None:
        monkeypatch.undo()
        raise Broken("reset")

    monkeypatch.setattr(connection, "send_packed_command", breaks)
    task.ack()
    assert held(broker) == (0, 0)


def test_commands_share_a_client_until_their_pool_breaks(task: Any) -> None:
    """Otherwise each command costs a new client, or goes on with a pool that was given up."""
    first, second = task.channel._create_client(), task.channel._create_client()
    assert first is second
    task.channel._disconnect_pools()
    assert task.channel._create_client() is not first
    task.ack()
