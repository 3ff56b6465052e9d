"""The breakers' states: read before a delivery is tried, changed by what became of it, shared by all workers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update

from worker.breaker import (
    Away,
    Breaker,
    Observation,
    Phase,
    Terms,
    after,
    kept_away,
    probing,
    width,
)
from worker.ledger.database import Database
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import State, connections, deliveries
from worker.ledger.utc_time import UtcTime

#: A delivery that finds as many in flight as there may be looks again this much later.
FULL_DELAY = timedelta(milliseconds=500)

_MINE = connections.c.name == bindparam("over")
_ROW = (
    *(connections.c[name] for name in ("held_until", "reason", "phase", "since", "until", "breaker_reason")),
    *(connections.c[name] for name in ("failures", "openings", "width", "wins", "probe")),
)
#: What a success may change: the delivery's closing asks this along the way, since most connections have nothing.
IS_TOUCHED = or_(connections.c.failures > 0, connections.c.phase.is_not(None))
_ANY = Prepared(select(*_ROW).where(_MINE))
_GATE = Prepared(
    select(*_ROW).where(
        _MINE,
        or_(
            connections.c.held_until > bindparam("now_", type_=UtcTime),
            connections.c.phase.is_not(None),
        ),
    )
)
_LOCK = Prepared(select(connections.c.name).where(_MINE).with_for_update())
_STORE = Prepared(
    update(connections)
    .where(_MINE)
    .values(
        phase=bindparam("phase_"),
        since=bindparam("since_"),
        until=bindparam("until_"),
        breaker_reason=bindparam("why"),
        failures=bindparam("failures_"),
        openings=bindparam("openings_"),
        width=bindparam("width_"),
        wins=bindparam("wins_"),
        probe=bindparam("probe_"),
    )
)
_LEASE = Prepared(
    select(deliveries.c.lease_until).where(
        deliveries.c.id == bindparam("delivery"), deliveries.c.state == State.SENDING
    )
)
_IN_FLIGHT = Prepared(
    select(func.count().label("number")).where(
        and_(
            deliveries.c.connection == bindparam("over"),
            deliveries.c.state == State.SENDING,
            deliveries.c.lease_until >= bindparam("now_", type_=UtcTime),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Change:
    """What an observation made of a breaker."""

    before: Breaker
    after: Breaker


@dataclass(frozen=True, slots=True)
class Gate:
    """A connection's breaker, and a pause that the vendor or the operator wants."""

    breaker: Breaker
    held_until: datetime | None = None
    reason: str | None = None

    def kept_away(self, delivery: str | None, now: datetime, probed_until: datetime | None) -> Away | None:
        """Say until when `delivery` must not be tried, None where it may be."""
        if self.held_until is not None and self.held_until > now:
            return Away(self.held_until, self.reason or "the connection is held")
        return kept_away(self.breaker, delivery, now, probed_until)


OPEN_GATE = Gate(Breaker())


def gate(t: Transaction, connection: str, now: datetime) -> Gate:
    """Return what stands before `connection` now; one look, which finds nothing where all is well."""
    row = t.first(_GATE, {"over": connection, "now_": now})
    return OPEN_GATE if row is None else _gate(row)


def enter(
    t: Transaction, db: Database, seen: Gate, connection: str, delivery: str, now: datetime, terms: Terms
) -> Gate | Away:
    """Let a delivery that is just claimed pass, as the probe where one is needed, or say until when it waits.

    Of several that come at once exactly one becomes the probe, and no more than may be are in flight: what was
    `seen` before is looked at again under the row's lock.
    """
    if seen.breaker.phase == Phase.CLOSED and terms.concurrency is None:
        return seen
    there = _locked(t, connection, db)
    breaker = there.breaker
    away = there.kept_away(delivery, now, probed_until(t, breaker))
    if away is not None:
        return away
    most = width(breaker, terms)
    if most is not None and in_flight(t, connection, now) > most:
        return Away(now + FULL_DELAY, f"{most} deliveries are in flight, as many as there may be now")
    entered = probing(breaker, delivery)
    if entered != breaker:
        _store(t, connection, entered)
    return Gate(entered)


def note(
    t: Transaction, db: Database, connection: str, heard: Observation, now: datetime, terms: Terms
) -> Change:
    """Change the connection's breaker by `heard`."""
    before = _locked(t, connection, db).breaker
    now_is = after(before, heard, now, terms)
    if now_is != before:
        _store(t, connection, now_is)
    return Change(before, now_is)


def tell(db: Database, connection: str, heard: Observation, now: datetime, terms: Terms) -> Change:
    """Change the connection's breaker by `heard`, in a transaction of its own."""
    return db.commit(lambda t: note(t, db, connection, heard, now, terms))


def put(t: Transaction, db: Database, connection: str, breaker: Breaker) -> Breaker:
    """Set the connection's breaker by hand; return what it was."""
    before = _locked(t, connection, db).breaker
    _store(t, connection, breaker)
    return before


def probed_until(t: Transaction, breaker: Breaker) -> datetime | None:
    """Return when the lease of the probe ends, None where nobody has it in hand."""
    if breaker.probe is None:
        return None
    row = t.first(_LEASE, {"delivery": breaker.probe})
    return None if row is None else row.lease_until


def in_flight(t: Transaction, connection: str, now: datetime) -> int:
    """Return how many deliveries of `connection` the workers have in hand."""
    return int(t.first(_IN_FLIGHT, {"over": connection, "now_": now}).number)


def usable_since(t: Transaction, connection: str, now: datetime) -> datetime | None:
    """Return since when the connection can be used, `now` where it cannot, None where it always could."""
    breaker = gate_as_stored(t, connection).breaker
    return now if breaker.phase in (Phase.OPEN, Phase.HALF_OPEN) else breaker.since


def gate_as_stored(t: Transaction, connection: str) -> Gate:
    """Return the connection's breaker and hold, also where they let everything through."""
    row = t.first(_ANY, {"over": connection})
    return OPEN_GATE if row is None else _gate(row)


def away(db: Database, connection: str, now: datetime) -> Away | None:
    """Say until when the connection must not be used, None where it may be."""

    def look(t: Transaction) -> Away | None:
        there = gate(t, connection, now)
        return there.kept_away(None, now, probed_until(t, there.breaker))

    return db.reading(look)


def room(db: Database, connection: str, now: datetime, terms: Terms) -> int | None:
    """Return how many deliveries the breaker lets be tried now; None where any number may."""

    def look(t: Transaction) -> int | None:
        there = gate(t, connection, now)
        breaker = there.breaker
        if there.kept_away(None, now, probed_until(t, breaker)) is not None:
            return 0
        if breaker.phase in (Phase.OPEN, Phase.HALF_OPEN):
            return 1
        if breaker.phase == Phase.CLOSED:
            return None
        return max(0, (width(breaker, terms) or 0) - in_flight(t, connection, now))

    return db.reading(look)


def _locked(t: Transaction, connection: str, db: Database) -> Gate:
    # Locked first and read by a second statement, which then sees what the one before us committed.
    if t.first(_LOCK, {"over": connection}) is None:
        t.first(db.new(connections, ("name",)), {"name": connection})
        t.first(_LOCK, {"over": connection})
    return gate_as_stored(t, connection)


def _gate(row: Any) -> Gate:
    breaker = Breaker(
        phase=Phase(row.phase or Phase.CLOSED),
        since=row.since,
        until=row.until,
        reason=row.breaker_reason,
        failures=row.failures,
        openings=row.openings,
        width=row.width,
        wins=row.wins,
        probe=row.probe,
    )
    return Gate(breaker, row.held_until, row.reason)


def _store(t: Transaction, connection: str, breaker: Breaker) -> None:
    values = {
        "over": connection,
        "phase_": None if breaker.phase == Phase.CLOSED else breaker.phase,
        "since_": breaker.since,
        "until_": breaker.until,
        "why": breaker.reason,
        "failures_": breaker.failures,
        "openings_": breaker.openings,
        "width_": breaker.width,
        "wins_": breaker.wins,
        "probe_": breaker.probe,
    }
    t.run(_STORE, values)
