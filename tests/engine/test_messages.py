"""What we push is what Celery pushes: a message of its own beside ours, field by field."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import redis
from celery import Celery
from kombu import Connection, Consumer, Producer, Queue

from tests.engine.harness import ENVIRON
from worker.app import make_app, transport_options
from worker.broker.messages import Written, template
from worker.publisher import Publisher
from worker.settings.configuration import load

QUEUE = "deliver.opla"
FIRST, SECOND = "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
#: What a message has of its own: the task's id in three places, and the tag under which kombu keeps it.
OWN = [
    ("headers", "id"),
    ("headers", "root_id"),
    ("properties", "correlation_id"),
    ("properties", "delivery_tag"),
]
#: In what else send_task differs from what we ask of Celery: it names where answers go, and nobody answers; and
#: it leaves it open whether a result is kept, which without a backend none is.
OTHERWISE = {("properties", "reply_to"): "", ("headers", "ignore_result"): False}


@pytest.fixture
def app(broker: redis.Redis, broker_url: str) -> Celery:
    return make_app(load({**ENVIRON, "RELAY_BROKER_URL": broker_url}))


@pytest.fixture
def publisher(app: Celery) -> Publisher:
    return Publisher(app, load(ENVIRON).connections)


def waiting(broker: redis.Redis, queue: str = QUEUE) -> list[dict[str, Any]]:
    """The messages of a queue as they lie at the broker, the next one first."""
    raw: Any = broker.lrange(queue, 0, -1)
    return [json.loads(message) for message in reversed(raw)]


def test_a_message_of_ours_is_celerys(
    app: Celery, publisher: Publisher, broker: redis.Redis, broker_url: str
) -> None:
    """Otherwise a release of celery or kombu writes another envelope than we, and a worker refuses ours."""
    with Connection(broker_url, transport_options=transport_options(broker_url)) as link:
        app.send_task(
            "deliver.oplacrm.opla", args=(FIRST,), queue=QUEUE, producer=Producer(link), retry=False
        )
    publisher.publish([("opla", FIRST)])
    theirs, ours = waiting(broker)
    for part, name in OWN:
        assert str(UUID(ours[part][name])) == ours[part][name] != theirs[part].pop(name)
    assert len({ours[part].pop(name) for part, name in OWN[:3]}) == 1, "the task has one id"
    del ours["properties"]["delivery_tag"]
    for (part, name), value in OTHERWISE.items():
        del theirs[part][name]
        assert ours[part].pop(name) == value
    assert ours == theirs


def test_each_has_ids_of_its_own(publisher: Publisher, broker: redis.Redis) -> None:
    """Otherwise two tasks are one to kombu, and acknowledging the one lets the broker forget the other."""
    publisher.publish([("opla", FIRST), ("opla", SECOND)])
    publisher.publish([("opla", SECOND)])
    messages = waiting(broker)
    assert [message["headers"]["argsrepr"] for message in messages] == [
        f"('{FIRST}',)",
        f"('{SECOND}',)",
        f"('{SECOND}',)",
    ]
    for part, name in OWN:
        assert len({message[part][name] for message in messages}) == 3


def test_a_consumer_reads_what_was_pushed(
    app: Celery, publisher: Publisher, broker: redis.Redis, broker_url: str
) -> None:
    """Otherwise the deliveries' ids are in the envelope and not in the task's arguments, or out of order."""
    publisher.publish([("opla", FIRST), ("opla", SECOND)])
    taken: list[Any] = []
    queue = next(queue for queue in app.conf.task_queues if queue.name == QUEUE)
    with (
        Connection(broker_url, transport_options=transport_options(broker_url)) as link,
        Consumer(
            link, [queue], callbacks=[lambda body, _: taken.append(body[:2])], accept=["json"], no_ack=True
        ),
    ):
        for _ in range(2):
            link.drain_events(timeout=60)
    assert taken == [[[FIRST], {}], [[SECOND], {}]]


def test_what_came_together_is_one_command(publisher: Publisher, broker: redis.Redis) -> None:
    """Otherwise each accepted event costs the receiver a trip to the broker, or a task of it goes astray."""
    publisher.publish([("opla", FIRST)])
    broker.config_resetstat()
    publisher.publish([("opla", SECOND)] * 300 + [("centia", FIRST)] * 2 + [("left", FIRST)])
    stats: Any = broker.info("commandstats")
    assert stats["cmdstat_lpush"]["calls"] == 2, "one for each connection"
    assert (broker.llen(QUEUE), broker.llen("deliver.centia")) == (301, 2)
    assert (publisher.depth(QUEUE), publisher.depth("deliver.centia"), publisher.depth("nobody")) == (
        301,
        2,
        0,
    )


def test_nothing_is_pushed_for_a_template(publisher: Publisher, broker: redis.Redis) -> None:
    """Otherwise a worker gets a task for a delivery that does not exist."""
    publisher.publish([("opla", FIRST)])
    assert [message["headers"]["argsrepr"] for message in waiting(broker)] == [f"('{FIRST}',)"]
    assert broker.keys() == [QUEUE.encode()]


def test_other_brokers_are_kombus(app: Celery, publisher: Publisher) -> None:
    """Otherwise RELAY_BROKER_URL=amqp://… publishes nothing, or what only Redis can hold."""
    app.conf.broker_url = "memory://"
    publisher.publish([("opla", FIRST), ("opla", SECOND)])
    assert publisher.depth(QUEUE) == 2
    with Connection("memory://") as link:
        got = link.default_channel.basic_get(QUEUE, no_ack=True)
        assert got.decode()[0] == [FIRST]
        Queue(QUEUE, channel=link.default_channel).delete()


def test_a_template_gives_back_what_it_was_made_of() -> None:
    """Otherwise a percent sign or a name in the envelope becomes something else in each task."""
    body = b64encode(f'[["{FIRST}"], {{}}]'.encode()).decode()
    text = json.dumps(
        {"body": body, "headers": {"id": SECOND, "by": "50%s"}, "properties": {"delivery_tag": "t0"}}
    )
    made = template(Written("q", text, SECOND, FIRST))
    assert made is not None
    other = json.loads(made.message("d2", "t2", "g2"))
    # b64 of [["d2"], {}], written by hand
    assert other == {
        "body": "W1siZDIiXSwge31d",
        "headers": {"id": "t2", "by": "50%s"},
        "properties": {"delivery_tag": "g2"},
    }


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        '{"properties": {"delivery_tag": "t0"}, "body": "no base64!"}',
        '{"properties": {}, "body": ""}',
        '{"properties": {"delivery_tag": "t0"}, "body": "W10="}',
        '{"properties": {"delivery_tag": 7}, "body": "W10="}',
    ],
)
def test_what_cannot_be_followed_gives_no_template(text: str) -> None:
    """Otherwise a kombu that encrypts or packs its bodies makes us push tasks without their delivery."""
    assert template(Written("q", text, SECOND, FIRST)) is None


def test_without_a_template_kombu_publishes(
    publisher: Publisher, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise such a kombu stops the hand-off for good."""
    monkeypatch.setattr("worker.publisher.template", lambda written: template(replace(written, text="")))
    publisher.publish([("opla", FIRST), ("opla", SECOND)])
    assert [message["headers"]["argsrepr"] for message in waiting(broker)] == [
        f"('{FIRST}',)",
        f"('{SECOND}',)",
    ]
