"""The composition root of the web process: the door, the health pages, and what becomes of errors."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix

from webhooks.forms import Guards, storage_for
from webhooks.receiver import Receiver, refusal
from webhooks.turns import Crowded, long_wait, step_aside
from worker.app import make_app
from worker.errors import LedgerUnavailable
from worker.handoff import HandOff
from worker.ledger import due, duties
from worker.ledger.database import Database
from worker.ledger.intake import Intake
from worker.ledger.version import require_current
from worker.publisher import BrokerDown, Publisher
from worker.settings import Settings, SettingsError
from worker.settings.configuration import load
from worker.sweep import DUTY
from worker.telemetry import log, start_logging, start_sentry

#: Seconds after which a sender should try again when the ledger is out of reach.
RETRY_AFTER_SECONDS = 10
#: Seconds that /readyz waits behind another one. More of them must not take the threads that events need.
PROBE_SECONDS = 0.2


class Door(Flask):
    """The web application; none of its functions is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return `func`: Flask looks at its code for a coroutine at each request."""
        return func


def create_app(receiver: Receiver, probe: Publisher) -> Flask:
    """Return the web application around `receiver`; `probe` is what /readyz asks the broker with."""
    app = Door("webhooks")
    # One above the limit: werkzeug cuts a chunked body off there in silence, and the receiver must see it.
    app.config["MAX_CONTENT_LENGTH"] = receiver.settings.body_limit + 1
    app.register_blueprint(receiver.blueprint())
    app.register_error_handler(HTTPException, refusal)
    app.register_error_handler(LedgerUnavailable, _ledger_away)
    app.register_error_handler(Exception, _our_fault)
    app.add_url_rule("/healthz", view_func=_health)
    app.add_url_rule("/readyz", view_func=_readiness(receiver, probe))
    return app


def _health() -> Response:
    return jsonify(status="ok")


def _readiness(receiver: Receiver, probe: Publisher) -> Callable[[], tuple[Response, int]]:
    one_at_a_time = threading.Lock()

    def readyz() -> tuple[Response, int]:
        state: dict[str, str | None] = {"ledger": "ok", "broker": "ok", "last_sweep": None}
        try:
            swept = duties.last_done(receiver.db, DUTY)
            state["last_sweep"] = swept.isoformat(timespec="seconds") if swept else None
        except LedgerUnavailable as error:
            state["ledger"] = f"out of reach: {error}"
        # Ready without it, too: what is accepted now is stored, and delivered when the broker is back.
        state["broker"] = _broker_state(probe, one_at_a_time)
        ready = state["ledger"] == "ok"
        return jsonify(status="ready" if ready else "not ready", **state), 200 if ready else 503

    return readyz


def _broker_state(probe: Publisher, one_at_a_time: threading.Lock) -> str:
    try:
        with long_wait():
            return _asked(probe, one_at_a_time)
    except Crowded:
        return "not checked: too many checks are waiting"


def _asked(probe: Publisher, one_at_a_time: threading.Lock) -> str:
    if not one_at_a_time.acquire(timeout=PROBE_SECONDS):
        return "slow: an earlier check has no answer yet"
    try:
        probe.check()
    except BrokerDown as error:
        return f"out of reach: {error}"
    finally:
        one_at_a_time.release()
    return "ok"


def _ledger_away(error: LedgerUnavailable) -> Response:
    log().error("event.refused", why=f"the ledger is out of reach: {error}")
    return refusal(
        ServiceUnavailable("the ledger is out of reach; send it again", retry_after=RETRY_AFTER_SECONDS)
    )


def _our_fault(error: Exception) -> Response:
    # 503 and not 500: several senders drop an event for good on what they take for a refusal.
    log().exception("event.crashed")
    return refusal(ServiceUnavailable("a fault of CRM Relay; send it again", retry_after=RETRY_AFTER_SECONDS))


def from_environment() -> Flask:
    """Return the application for this process's environment; what gunicorn runs."""
    try:
        settings: Settings = load(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    start_logging()
    start_sentry(settings.sentry_dsn, "web")
    try:
        db = Database(settings.database_url, 16, settings.encryption_keys)
        require_current(db)
    except LedgerUnavailable as error:
        sys.exit(f"relay: {error}")
    celery = make_app(settings)
    hand_off = HandOff(Publisher(celery, settings.connections), lambda ids: due.let_go(db, ids))
    atexit.register(hand_off.stop)
    guards = Guards(storage_for(settings.broker_url))
    receiver = Receiver(settings, db, Intake(db, step_aside), hand_off, lambda: datetime.now(UTC), guards)
    app = create_app(receiver, Publisher(celery, settings.connections))
    if settings.trusted_proxies:
        # Only as many hops as are ours: what stands before them anybody may have written.
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
