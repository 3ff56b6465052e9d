"""The life of a delivery: map → claim → steps → outcome."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from mappings.errors import BadBody, CannotMap
from mappings.vendor import Plan
from worker import failures, outcomes
from worker.alerts import tell_change
from worker.breaker import Observation, Succeeded
from worker.budget import Lanes
from worker.calls import calls
from worker.doubts import as_sent
from worker.errors import DeliveryError, LeaseLost, LedgerUnavailable, PutBack
from worker.http import Http
from worker.ledger import deliveries, due
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, Closing
from worker.ledger.prepared import Transaction
from worker.ledger.steps import Checkpoints
from worker.ledger.stored_event import StoredEvent
from worker.ledger.tables import State
from worker.planning import Ahead, as_seen, planned, planned_ahead, source_of, unmappable
from worker.senders.enrich import fetch
from worker.senders.renewal import Renewing, current
from worker.settings import ConnectionSettings, Settings
from worker.steps import Steps
from worker.telemetry import log
from worker.vendors import VENDORS
from worker.vendors.api import Session

#: What a lease has beyond the longest call: time to write the checkpoint.
LEASE_MARGIN = timedelta(seconds=10)
#: How long a task goes on with the next deliveries of a connection that has few places.
CARRY_ON = timedelta(seconds=5)
_TURNS = count()


@dataclass(frozen=True)
class Engine:
    """What deliveries need; made once per process and handed in.

    `clock` gives aware UTC times, `jitter` a number from 0 to 1, `stopping` is set when the process is about
    to end.
    """

    settings: Settings
    db: Database
    http: Http
    lanes: Lanes
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


def carry_on(engine: Engine, connection: ConnectionSettings) -> None:
    """Go on with what is due over `connection` for a while, in the place that a delivery has just left free.

    Where only a few may be in flight their places would otherwise be empty until the next sweep. Raises
    LedgerUnavailable.
    """
    until = time.monotonic() + CARRY_ON.total_seconds()
    while time.monotonic() < until and not engine.stopping.is_set():
        following = due.hand_over(engine.db, connection.name, 1, engine.clock(), CARRY_ON, turn=next(_TURNS))
        if not following or deliver(engine, following[0], connection) is None:
            return


def _carried_out(
    engine: Engine,
    delivery_id: str,
    connection: ConnectionSettings,
    event: StoredEvent,
    full: PutBack | None = None,
) -> State | None:
    # Taken before the claim: should the process freeze in between, we believe our lease shorter than it is.
    began = time.monotonic()
    ahead = Ahead(fault=full) if full else planned_ahead(engine.settings, connection, event)
    claimed = _claimed(engine, delivery_id, connection, event, ahead)
    if claimed is None:
        return None
    claim, checkpoints = claimed
    # What was planned ahead is for an event that is not stale: a stale one wants fewer of the records.
    plans = None if claim.is_stale else ahead.plans
    steps: Steps | None = None
    try:
        if ahead.fault is not None:
            raise ahead.fault
        if plans is None:
            plans = planned(engine.settings, connection, _whole(engine, event), claim.is_stale)
        steps = _steps(engine, claim, checkpoints, connection, began)
        closing = outcomes.success(steps.run(plans), connection, engine.clock())
        attempt: Attempt | None = Attempt(_ms(began))
        heard: Observation = Succeeded(claim.id)
    except (LedgerUnavailable, LeaseLost):
        raise
    except Exception as failure:  # noqa: BLE001
        if steps is not None and steps.has_advanced:
            claim = replace(claim, tries=0)  # it did not fail where it failed before
        has_changed = steps is not None and steps.has_changed
        closing, attempt, heard = _after(engine, claim, connection, failure, has_changed, _ms(began))
    closing = outcomes.unspent(claim, _with_mapping(closing, connection, plans), heard, engine.clock())
    _close(engine, claim, connection, closing, attempt, checkpoints, heard)
    _tell(claim, closing, _ms(began))
    return closing.state


def _steps(
    engine: Engine, claim: Claim, checkpoints: Checkpoints, connection: ConnectionSettings, began: float
) -> Steps:
    session = engine.sessions.setdefault(connection.name, Session())
    api = calls(engine.db, engine.http, session, claim, connection, engine.clock, LEASE_MARGIN, began)
    asked = partial(as_sent, engine.settings, engine.db, api)
    return Steps(api, checkpoints, engine.clock, _before_each(engine), asked)


def _close(
    engine: Engine,
    claim: Claim,
    connection: ConnectionSettings,
    closing: Closing,
    attempt: Attempt | None,
    checkpoints: Checkpoints,
    heard: Observation,
) -> None:
    now, write = engine.clock(), checkpoints.write_into
    changed = deliveries.close(engine.db, claim, closing, attempt, now, write, heard, connection.terms)
    if changed is not None:
        tell_change(engine.db, claim.connection, changed, connection.give_up_after)


def _claimed(
    engine: Engine,
    delivery_id: str,
    connection: ConnectionSettings,
    event: StoredEvent,
    ahead: Ahead,
) -> tuple[Claim, Checkpoints] | None:
    lasting = engine.lease(connection)
    begun: list[Checkpoints] = []

    def begin(t: Transaction, claim: Claim) -> None:
        begun.append(Checkpoints(engine.db, claim, engine.clock, lasting))
        # A worker that is stopping begins nothing: an intent without its call would cost a look-up.
        first = None if claim.is_stale or engine.stopping.is_set() else ahead.first
        if first is not None:
            begun[0].open_ahead(t, first.step, first.at_once)

    now, terms = engine.clock(), connection.terms
    claim = deliveries.claim(engine.db, delivery_id, now, lasting, event, begin, terms, ahead.adds)
    return (claim, begun[0]) if claim else None


def _whole(engine: Engine, event: StoredEvent) -> StoredEvent:
    """Return the event with what it lacks, which is fetched by the first of its deliveries."""
    source, sender = source_of(engine.settings, event)
    renewing = Renewing(engine.http, engine.db, engine.clock, _before_each(engine))
    try:
        seen = as_seen(source, sender, event)
        fetched = fetch(engine.http, engine.db, sender, source, seen, partial(current, renewing, source))
        return replace(event, fetched=fetched)
    except (CannotMap, BadBody) as error:
        raise unmappable(error) from error


def _before_each(engine: Engine) -> Callable[[], None]:
    def check() -> None:
        if engine.stopping.is_set():
            raise PutBack("the worker is stopping", timedelta(0))

    return check


def _after(
    engine: Engine,
    claim: Claim,
    connection: ConnectionSettings,
    error: Exception,
    has_changed: bool,
    ms: int,
) -> failures.Ended:
    now, jitter = engine.clock(), engine.jitter()
    if not isinstance(error, DeliveryError):
        return failures.crashed(claim, error, now, jitter, ms)
    return failures.failed(engine.db, claim, connection, error, has_changed, now, jitter, ms)


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
        event_id=claim.event.id,
        source=claim.event.source,
        connection=claim.connection,
        delivery_id=claim.id,
        attempt=claim.attempts + 1,
        outcome=str(closing.state),
        error=closing.error,
        ms=ms,
    )
