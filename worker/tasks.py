"""The tasks, a few lines each: Celery carries out what the ledger says is due."""

from __future__ import annotations

from celery import Celery

from worker.delivery import Engine, carry_on, deliver
from worker.errors import LeaseLost, LedgerUnavailable
from worker.settings import ConnectionSettings
from worker.telemetry import log


def register(app: Celery, engine: Engine) -> None:
    """Give `app` one task per connection, so that Flower tells which CRM each is for."""
    for connection in engine.settings.connections.values():
        _register(app, engine, connection)


def _register(app: Celery, engine: Engine, connection: ConnectionSettings) -> None:
    @app.task(name=connection.task)  # type: ignore[untyped-decorator]
    def run(delivery_id: str) -> None:
        try:
            state = deliver(engine, delivery_id, connection)
            if state is not None and connection.concurrency is not None:
                carry_on(engine, connection)
        except (LedgerUnavailable, LeaseLost) as error:
            # Nothing could be recorded, so nothing is: the lease runs out and the sweep goes on from there.
            log().warning(
                "delivery.unrecorded", delivery_id=delivery_id, why=f"{type(error).__name__}: {error}"
            )
