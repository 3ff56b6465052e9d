"""Publishes deliveries as tasks, in batches, over a connection of its own with short timeouts."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Mapping, Sequence

from celery import Celery
from kombu.connection import Connection
from kombu.exceptions import ChannelError, OperationalError
from kombu.messaging import Producer

from worker.app import transport_options
from worker.broker.messages import Template, Written, template
from worker.broker.transport import Channel
from worker.ids import new_id
from worker.settings import ConnectionSettings

BATCH = 500
#: Tasks that may wait at the broker per connection, beyond which deliveries wait in the ledger. What waits at the
#: broker is lost with it and published again, and costs a look at the ledger each if its CRM is away meanwhile;
#: but there must be enough for the workers until the next sweep.
QUEUE_DEPTH = 500


def capacity(connection: ConnectionSettings) -> int:
    """Return how many tasks of `connection` may wait: no more than its own limits let through in two seconds."""
    rate, wide = connection.requests_per_second, connection.concurrency
    by_rate = QUEUE_DEPTH if rate is None else math.ceil(2 * rate)
    return min(QUEUE_DEPTH, by_rate, QUEUE_DEPTH if wide is None else 2 * wide)


def for_the_door(places: int) -> int:
    """Return how many of a queue's places the door may fill."""
    return max(1, places - max(1, places // 4))


class BrokerDown(Exception):
    """The broker did not take it in time; the sweep will publish it again."""


class Publisher:
    """For one thread. Connects when first needed and again after a failure."""

    def __init__(self, app: Celery, connections: Mapping[str, ConnectionSettings]) -> None:
        self._app = app
        self._connections = connections
        self._link: Connection | None = None
        self._templates: dict[str, Template | None] = {}

    def publish(self, deliveries: Iterable[tuple[str, str]]) -> None:
        """Publish (connection, delivery id) pairs. Raises BrokerDown; some may have been published then."""
        try:
            for name, ids in _by_connection(deliveries).items():
                connection = self._connections.get(name)
                if connection is not None:  # else it left relay.toml; its deliveries stay in the ledger
                    self._publish(connection, ids)
        except Exception as error:
            # kombu lets through whatever its transports raise; whatever it was, this connection is done for.
            self._drop()
            raise BrokerDown(f"{type(error).__name__}: {error}") from error

    def _publish(self, connection: ConnectionSettings, ids: Sequence[str]) -> None:
        channel = self._connection().default_channel
        # A broker that is not Redis has messages of its own kind, and kombu publishes them.
        if isinstance(channel, Channel) and (made := self._template(connection, channel)):
            for at in range(0, len(ids), BATCH):
                channel.push(
                    made.key, [made.message(one, new_id(), new_id()) for one in ids[at : at + BATCH]]
                )
            return
        producer = self._connection().Producer()
        with producer.batch(max_size=BATCH):
            for delivery_id in ids:
                self._one(producer, connection, delivery_id, new_id())

    def _template(self, connection: ConnectionSettings, channel: Channel) -> Template | None:
        if connection.name not in self._templates:
            task_id, delivery_id, producer = new_id(), new_id(), Producer(channel)
            key, text = channel.caught(lambda: self._one(producer, connection, delivery_id, task_id))
            self._templates[connection.name] = template(Written(key, text, task_id, delivery_id))
        return self._templates[connection.name]

    def _one(
        self, producer: Producer, connection: ConnectionSettings, delivery_id: str, task_id: str
    ) -> None:
        # What Celery.send_task does, less what it does anew for each task: bind and declare the queue. Straight to
        # the queue, through the exchange without a name, so that a wiped broker needs no declaration either.
        message = self._app.amqp.as_task_v2(task_id, connection.task, args=(delivery_id,))
        producer.publish(
            message.body,
            exchange="",
            routing_key=connection.queue,
            serializer="json",
            headers=message.headers,
            retry=False,
            delivery_mode=2,
            **message.properties,
        )

    def room(self, connection: str) -> int:
        """Return how many more tasks the queue of `connection` may take from the door. Raises BrokerDown.

        A quarter of it is the sweep's, where the sources take turns: a source that posts without pause would fill
        every place that comes free, and what others have in the ledger would never get one.
        """
        known = self._connections.get(connection)
        return for_the_door(capacity(known)) - self.depth(known.queue) if known else 0

    def depth(self, queue: str) -> int:
        """Return how many tasks wait in `queue`. Raises BrokerDown."""
        try:
            channel = self._connection().default_channel
            if isinstance(channel, Channel):
                return channel.waiting(queue)
            return int(channel.queue_declare(queue, passive=True).message_count)
        except ChannelError:
            return 0  # Redis keeps no empty lists, so an empty queue is one that is not there
        except Exception as error:
            self._drop()
            raise BrokerDown(f"{type(error).__name__}: {error}") from error

    def check(self) -> None:
        """Raise BrokerDown unless the broker answers."""
        connection = next(iter(self._connections.values()), None)
        if connection is not None:
            self.depth(connection.queue)

    def _connection(self) -> Connection:
        if self._link is None:
            url = self._app.conf.broker_url
            options = transport_options(url)
            if options:  # else it is no Redis, whose transport alone knows them
                options |= {"socket_timeout": 2, "max_retries": 0}
            self._link = Connection(url, transport_options=options, connect_timeout=2)
            self._link.ensure_connection(max_retries=1, timeout=2)
        return self._link

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(OSError, OperationalError):
                link.release()


def _by_connection(deliveries: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, delivery_id in deliveries:
        found.setdefault(name, []).append(delivery_id)
    return found
