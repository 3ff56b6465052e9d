"""kombu's Redis transport, less what it makes anew for every message: half of what a task costs its worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from kombu import transport
from kombu.transport import redis, virtual
from kombu.utils.json import dumps
from redis.exceptions import RedisError

#: kombu has no types.
_Untyped: Any = redis.QoS


class QoS(redis.QoS):
    """Notes which tasks are in our hands, and which no more, with two commands on the wire.

    The commands are kombu's own. What is left out is redis-py's pipeline around them, which takes longer than a
    delivery's mapping; where anything goes wrong, kombu does it in its way, with its repetitions and its errors.
    """

    def append(self, message: Any, delivery_tag: Any) -> None:
        """Keep the task at the broker until it is acknowledged."""
        info = message.delivery_info
        held = dumps([message._raw, info["exchange"], info["routing_key"]])
        done = self._sent(
            ("ZADD", self.unacked_index_key, time.time(), delivery_tag),
            ("HSET", self.unacked_key, delivery_tag, held),
        )
        if done:
            virtual.QoS.append(self, message, delivery_tag)
        else:
            _Untyped.append(self, message, delivery_tag)

    def ack(self, delivery_tag: Any) -> None:
        """Let the broker forget the task."""
        done = self._sent(
            ("ZREM", self.unacked_index_key, delivery_tag), ("HDEL", self.unacked_key, delivery_tag)
        )
        if done:
            virtual.QoS.ack(self, delivery_tag)
        else:
            _Untyped.ack(self, delivery_tag)

    def _sent(self, *commands: tuple[Any, ...]) -> bool:
        if self.channel.global_keyprefix:
            return False
        # Without MULTI: should the broker die between the two, the sweep has the task in its ledger.
        pool = self.channel.pool
        connection = pool.get_connection()
        try:
            connection.send_packed_command(connection.pack_commands(commands), check_health=True)
            for _ in commands:
                connection.read_response()
        except (RedisError, OSError):
            connection.disconnect()
            return False
        finally:
            pool.release(connection)
        return True


class Channel(redis.Channel):
    """A channel that keeps one client for its commands.

    kombu makes a client for every single one, twice per task, and redis-py fills a table of 300 entries in each: a
    fifth of what Celery costs. A client holds nothing but its pool, and may be shared between threads.
    """

    QoS = QoS
    _kept: Any = None
    _caught: list[tuple[str, str]] | None = None

    def caught(self, publish: Callable[[], object]) -> tuple[str, str]:
        """Return the key and the value that `publish` would push; the broker sees nothing of it."""
        self._caught = []
        try:
            publish()
            return self._caught[0]
        finally:
            self._caught = None

    def push(self, key: str, messages: Sequence[str]) -> None:
        """Push `messages`, each as kombu would have, in their order and in one round trip."""
        with self.conn_or_acquire() as client:
            client.lpush(key, *messages)

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in `queue`, of the one priority that all of ours have.

        kombu asks first if the queue is there and then how long it is, four keys each time.
        """
        with self.conn_or_acquire() as client:
            return int(client.llen(queue))

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        put: Any = super()._put
        if self._caught is None:
            put(queue, message, **kwargs)
            return
        channel: Any = self
        priority = channel._get_message_priority(message, reverse=False)
        self._caught.append((channel._q_for_pri(queue, priority), dumps(message)))

    def _create_client(self, asynchronous: bool = False) -> Any:
        new: Any = super()._create_client
        if asynchronous:
            return new(asynchronous=True)
        # A pool that broke is replaced by another one, so the client goes with it.
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = new()
        return self._kept


class Transport(redis.Transport):
    """The transport with that channel."""

    Channel = Channel


def register() -> None:
    """Let every broker address of Redis in this process lead to it, with TLS and over a socket, too."""
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
