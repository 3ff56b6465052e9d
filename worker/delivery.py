"""The life of a delivery: map → claim → steps → outcome."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from mappings.errors import BadBody, CannotMap
from mappings.vendor import Plan
from worker import budget
from worker.enrich import fetch
from worker.errors import (
    DeliveryError,
    LeaseLost,
    LedgerUnavailable,
    PutBack,
    Rejected,
    Unmappable,
)
from worker.first_step import First
from worker.http import Http
from worker.ledger import deliveries, limits
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, Closing
from worker.ledger.prepared import Transaction
from worker.ledger.steps import Checkpoints
from worker.ledger.tables import State
from worker.masking import masked
from worker.planning import Ahead, as_seen, planned, planned_ahead, source_of
from worker.policy import Again, Decision, GiveUp, Hold, Situation, backoff, decide
from worker.settings import ConnectionSettings, Settings
from worker.steps import Made, Steps
from worker.telemetry import log
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

#: What a lease has beyond the longest call: time to write the checkpoint.
LEASE_MARGIN = timedelta(seconds=10)


@dataclass(frozen=True)
class Engine:
    """What deliveries need; made once per process and handed in.

    `clock` gives aware UTC times, `jitter` a number from 0 to 1, `stopping` is set when the process is about
    to end.
    """

    settings: Settings
    db: Database
    http: Http
    lanes: budget.Lanes
    clock: Callable[[], datetime]
    jitter: Callable[[], float]
    stopping: threading.Event = field(default_factory=threading.Event)
    sessions: dict[str, Session] = field(default_factory=dict)

    def lease(self, connection: ConnectionSettings) -> timedelta:
        """Return how long a delivery over `connection` is ours without a sign of life."""
        return connection.timeout + LEASE_MARGIN


def deliver(engine: Engine, delivery_id: str, connection: ConnectionSettings) -> State | None:
    """Carry out one delivery and return its new state; None where there is nothing to do.

    Raises LedgerUnavailable when nothing can be recorded: the lease then runs out and the sweep hands the
    delivery over again.
    """
    event = deliveries.due_event(engine.db, delivery_id, engine.clock())
    if event is None:
        return None
    try:
        with engine.lanes.lane(connection.name):
            return _carried_out(engine, delivery_id, connection, event)
    except PutBack as full:
        return _carried_out(engine, delivery_id, connection, event, full)


def _carried_out(
    engine: Engine,
    delivery_id: str,
    connection: ConnectionSettings,
    event: Mapping[str, Any],
    full: PutBack | None = None,
) -> State | None:
    # What is measured from here is older than the claim's own time: a freeze in between shortens our lease.
    began = time.monotonic()
    ahead = Ahead(fault=full) if full else planned_ahead(engine.settings, connection, event)
    claimed = _claimed(engine, delivery_id, connection, event, ahead.first)
    if claimed is None:
        return None
    claim, checkpoints = claimed
    plans = ahead.plans
    try:
        if ahead.fault is not None:
            raise ahead.fault
        if plans is None:
            plans = planned(engine.settings, connection, _whole(engine, event))
        made = _steps(engine, claim, connection, checkpoints, began).run(plans)
        closing = _success(made, connection, engine.clock())
        attempt: Attempt | None = Attempt(_ms(began))
    except DeliveryError as error:
        closing, attempt = _after(engine, claim, connection, error, _ms(began))
    except (LedgerUnavailable, LeaseLost):
        raise
    except Exception as error:  # noqa: BLE001
        closing, attempt = _crashed(engine, claim, error, _ms(began))
    closing = _with_mapping(closing, connection, plans)
    deliveries.close(engine.db, claim, closing, attempt, engine.clock(), checkpoints.write_into)
    _tell(claim, closing, _ms(began))
    return closing.state


def _claimed(
    engine: Engine,
    delivery_id: str,
    connection: ConnectionSettings,
    event: Mapping[str, Any],
    first: First | None,
) -> tuple[Claim, Checkpoints] | None:
    lasting = engine.lease(connection)
    begun: list[Checkpoints] = []

    def begin(t: Transaction, claim: Claim) -> None:
        begun.append(Checkpoints(engine.db, claim, engine.clock, lasting))
        # A worker that is stopping begins nothing: an intent without its call would cost a look-up.
        if first is not None and not engine.stopping.is_set():
            begun[0].open_ahead(t, first.step, first.at_once)

    claim = deliveries.claim(engine.db, delivery_id, engine.clock(), lasting, event, begin)
    return (claim, begun[0]) if claim else None


def _crashed(engine: Engine, claim: Claim, error: Exception, ms: int) -> tuple[Closing, Attempt]:
    # Our own fault spends nothing: the delivery waits until the bug is mended.
    log().exception("delivery.crashed", delivery_id=claim.id, connection=claim.connection)
    due_at = engine.clock() + backoff(claim.tries, engine.jitter())
    reason = f"a fault of CRM Relay: {type(error).__name__}"
    return Closing(State.WAITING, due_at, "Bug", reason, failed_try=True), Attempt(ms, error="Bug")


def _success(made: Made, connection: ConnectionSettings, now: datetime) -> Closing:
    if made.left_as_it_was:
        reason = f"{connection.vendor} cannot change record {made.record_id}; it stays as it was made"
        return Closing(State.SKIPPED, now, reason=reason, spent=True, record_id=made.record_id)
    return Closing(State.DELIVERED, now, spent=True, record_id=made.record_id)


def _whole(engine: Engine, event: Any) -> Any:
    """Return the event with what it lacks, which is fetched by the first of its deliveries."""
    source, kind = source_of(engine.settings, event)
    try:
        return {**event, "fetched": fetch(engine.http, engine.db, kind, source, as_seen(source, kind, event))}
    except (CannotMap, BadBody) as error:
        raise Unmappable(getattr(error, "path", "body"), getattr(error, "why", str(error))) from error


def _steps(
    engine: Engine, claim: Claim, connection: ConnectionSettings, checkpoints: Checkpoints, began: float
) -> Steps:
    lasting = engine.lease(connection)
    kept_until = began + lasting.total_seconds()

    def guard() -> None:
        nonlocal kept_until
        # Also after a freeze (SIGSTOP, a suspended host) no call leaves us on a lease that may be another's.
        if kept_until - time.monotonic() < connection.timeout.total_seconds() + 2:
            deliveries.prolong(engine.db, claim, engine.clock(), lasting)
            kept_until = time.monotonic() + lasting.total_seconds()
        budget.take(engine.db, connection.name, connection.requests_per_second, engine.clock())

    def before_each() -> None:
        if engine.stopping.is_set():
            raise PutBack("the worker is stopping", timedelta(0))

    vendor = VENDORS[connection.vendor]
    session = engine.sessions.setdefault(connection.name, Session())
    api = Api(vendor, connection, engine.http, session, guard)
    return Steps(api, checkpoints, engine.clock, before_each)


def _after(
    engine: Engine, claim: Claim, connection: ConnectionSettings, error: DeliveryError, ms: int
) -> tuple[Closing, Attempt | None]:
    now = engine.clock()
    failing_for = now - claim.failing_since if claim.failing_since else timedelta(0)
    decision = decide(error, Situation(claim.tries, failing_for, connection.give_up_after, engine.jitter()))
    closing = _closing(decision, error, now)
    if isinstance(decision, Hold) or (isinstance(decision, Again) and decision.cooldown):
        limits.hold(engine.db, claim.connection, closing.due_at, closing.reason or "")
    if isinstance(error, PutBack) or isinstance(decision, Hold):
        return closing, None
    return closing, Attempt(ms, type(error).__name__, error.status, _complaints(error))


def _complaints(error: DeliveryError) -> str | None:
    if not isinstance(error, Rejected):
        return None
    return masked("; ".join(f"{name}: {said}".lstrip(": ") for name, said in error.fields.items()))


def _closing(decision: Decision, error: DeliveryError, now: datetime) -> Closing:
    name, reason = type(error).__name__, masked(str(error))
    match decision:
        case GiveUp():
            return Closing(State.FAILED, now, name, reason, spent=True, failed_try=True)
        case Hold(delay):
            return Closing(State.HELD, now + delay, name, reason)
        case Again(delay, spent, _, unknown):
            state = State.UNKNOWN if unknown else State.WAITING
            failed = not isinstance(error, PutBack)
            return Closing(state, now + delay, name, reason, spent=spent, failed_try=failed)


def _with_mapping(closing: Closing, connection: ConnectionSettings, plans: list[Plan] | None) -> Closing:
    if plans is None:
        return closing
    version = VENDORS[connection.vendor].mapping.version
    return replace(closing, mapping_version=version, field_ledger=_written(plans))


def _written(plans: list[Plan]) -> str:
    rows = [row for plan in plans for row in plan.fields]
    return json.dumps([{"from": r.source, "to": r.target, "outcome": r.outcome} for r in rows])


def _ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _tell(claim: Claim, closing: Closing, ms: int) -> None:
    log().info(
        "delivery.attempted",
        event_id=claim.event["id"],
        source=claim.event["source"],
        connection=claim.connection,
        delivery_id=claim.id,
        attempt=claim.attempts + 1,
        outcome=str(closing.state),
        error=closing.error,
        ms=ms,
    )
