"""The Celery app: broker, queues and task names, set against the known traps of Celery on Redis."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu.entity import Exchange, Queue

from worker.broker import transport
from worker.settings import Settings

#: Seconds after which Redis hands a task out again that nobody acknowledged. Harmless when it happens, since a
#: claimed delivery is not claimed twice; far above the longest call.
VISIBILITY_SECONDS = 900


def make_app(settings: Settings) -> Celery:
    """Return the app for `settings`; makes no connection yet."""
    transport.register()
    app = Celery("crm_relay", broker=settings.broker_url)
    # A key of its own for each queue: with Celery's default exchange and key every queue would get every task.
    exchange = Exchange("deliver", "direct")
    queues = [c.queue for c in settings.connections.values()]
    app.conf.update(
        task_queues=[Queue(name, exchange, routing_key=name) for name in queues],
        task_create_missing_queues=False,
        # A worker that dies leaves its tasks at the broker. The sweep would repair it, only later.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        # Results live in the ledger; a result backend would add a key and a subscription per task.
        task_ignore_result=True,
        result_backend=None,
        worker_prefetch_multiplier=1,
        task_publish_retry=False,
        broker_pool_acquire_timeout=2,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        visibility_timeout=VISIBILITY_SECONDS,
        broker_transport_options=transport_options(settings.broker_url),
    )
    return app


def transport_options(broker_url: str) -> dict[str, Any]:
    """Return what the broker's transport needs to notice a dead connection."""
    if not broker_url.startswith(("redis", "valkey")):
        return {}
    return {
        "visibility_timeout": VISIBILITY_SECONDS,
        # Without both of these a half-open connection is never noticed, and the worker consumes nothing for ever.
        "socket_timeout": 5,
        "health_check_interval": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": not broker_url.startswith("redis+socket"),
        # Above the concurrency: with the default of 10 messages are lost after a reconnection.
        "max_connections": 200,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
    }
