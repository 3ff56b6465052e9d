"""The composition root of the worker process: what `celery -A worker.main worker` runs."""

from __future__ import annotations

import os
import random
import sys
import warnings
from datetime import UTC, datetime
from typing import Any

from celery import Celery, signals
from celery.exceptions import SecurityWarning

from worker.app import make_app
from worker.budget import Lanes
from worker.delivery import Engine
from worker.errors import LedgerUnavailable
from worker.http import Http
from worker.ledger.database import Database
from worker.ledger.version import require_current
from worker.privacy.retention import Retaining
from worker.publisher import Publisher
from worker.settings import SettingsError
from worker.settings.configuration import THREADS, load
from worker.settings.environment import grace_seconds
from worker.shared_tokens import sessions
from worker.stopping import end_in_time
from worker.sweep import Sweep
from worker.tasks import register
from worker.telemetry import start_logging, start_sentry


def utc_now() -> datetime:
    """Return the time, aware and in UTC."""
    return datetime.now(UTC)


def compose() -> Celery:
    """Return the Celery app of this process with its tasks and its sweep."""
    try:
        settings = load(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    threads = int(os.environ.get("RELAY_THREADS") or THREADS)
    # Celery warns root of unpickling strangers' messages; ours are JSON and hold nothing but an id.
    warnings.simplefilter("ignore", SecurityWarning)
    start_logging()
    start_sentry(settings.sentry_dsn, "worker")
    try:
        db = Database(settings.database_url, threads, settings.encryption_keys)
        require_current(db)
    except LedgerUnavailable as error:
        sys.exit(f"relay: {error}")
    celery = make_app(settings)
    lanes = Lanes(threads, len(settings.connections))
    http = Http()
    engine = Engine(settings, db, http, lanes, utc_now, random.random, sessions=sessions(settings))
    register(celery, engine)
    sweep = Sweep(settings, db, Publisher(celery, settings.connections), utc_now)
    retaining = Retaining(settings.retention, db, utc_now)

    @signals.worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
    def ready(**_: Any) -> None:
        sweep.timer.start()
        retaining.start()

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator]
    def shutting_down(**_: Any) -> None:
        if not engine.stopping.is_set():
            engine.stopping.set()
            sweep.timer.stop()
            retaining.timer.stop()
            end_in_time(grace_seconds(os.environ), http.cut)

    return celery


app = compose()
