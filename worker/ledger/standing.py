"""How each connection stands, for the operator; and an operator's own hold and reset of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, literal_column, select, update

from worker.allowance import Used
from worker.breaker import Breaker, Phase
from worker.ledger import breakers, limits
from worker.ledger.audits import note
from worker.ledger.database import Database
from worker.ledger.tables import UNFINISHED, State, connections, deliveries

#: What is drained is measured over these last minutes.
LOOK_BACK = timedelta(minutes=5)


_UNFINISHED: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in UNFINISHED]


@dataclass(frozen=True, slots=True)
class Standing:
    """One connection as it stands; `drained` is how many deliveries were delivered in the last LOOK_BACK."""

    breaker: Breaker
    held_until: datetime | None
    held_reason: str | None
    waiting: Mapping[str, int]
    oldest: datetime | None
    in_flight: int
    drained: int
    used: Used
    alone: str | None = None  # the one delivery that waits for the connection, where there is no other


def waiting(db: Database, connection: str) -> dict[str, int]:
    """Return how many unfinished deliveries of `connection` are in each state."""
    query = (
        select(deliveries.c.state, func.count().label("number"))
        .where(deliveries.c.connection == connection, deliveries.c.state.in_(_UNFINISHED))
        .group_by(deliveries.c.state)
    )
    with db.read() as c:
        return {row.state: row.number for row in c.execute(query)}


def alone(db: Database, connection: str) -> str | None:
    """Return the id of the one delivery that waits for `connection`; None where there are more, or none."""
    # What is blocked waits for another delivery.
    tried = deliveries.c.state.in_(_UNFINISHED) & (deliveries.c.state != State.BLOCKED)
    query = select(deliveries.c.id).where(deliveries.c.connection == connection, tried).limit(2)
    with db.read() as c:
        found = c.scalars(query).all()
    return found[0] if len(found) == 1 else None


def standing(db: Database, connection: str, now: datetime) -> Standing:
    """Return how `connection` stands at `now`."""
    there = db.reading(lambda t: breakers.gate_as_stored(t, connection))
    in_flight = db.reading(lambda t: breakers.in_flight(t, connection, now))
    mine = deliveries.c.connection == connection
    # A delivered one was due last when it was delivered, and there is an index on that.
    drained = select(func.count()).where(
        mine, deliveries.c.state == State.DELIVERED, deliveries.c.due_at > now - LOOK_BACK
    )
    oldest = select(func.min(deliveries.c.created_at)).where(mine, deliveries.c.state.in_(_UNFINISHED))
    with db.read() as c:
        return Standing(
            breaker=there.breaker,
            held_until=there.held_until if there.held_until and there.held_until > now else None,
            held_reason=there.reason,
            waiting=waiting(db, connection),
            oldest=c.execute(oldest).scalar_one(),
            in_flight=in_flight,
            drained=c.execute(drained).scalar_one(),
            used=limits.used(db, connection),
            alone=alone(db, connection),
        )


def reset(db: Database, connection: str, operator: str, now: datetime) -> Phase:
    """Close the breaker by hand, end any hold, and make what is held due now; return the phase that it had."""
    fresh = Breaker(Phase.CLOSED, now)
    before = db.commit(lambda t: breakers.put(t, db, connection, fresh))
    held = (deliveries.c.connection == connection) & (deliveries.c.state == State.HELD)
    mine = connections.c.name == connection
    with db.write() as c:
        # The deliveries first, as in a claim: two that lock the same rows in turn wait for each other for ever.
        c.execute(update(deliveries).where(held, deliveries.c.due_at > now).values(due_at=now))
        c.execute(update(connections).where(mine).values(held_until=None, reason=None))
        note(c, now, operator, "reset connection", connection)
    return before.phase


def hold(db: Database, connection: str, operator: str, until: datetime, now: datetime) -> None:
    """Let nothing more be delivered over `connection` before `until`; what is in flight is ended."""
    limits.hold(db, connection, until, f"held by {operator}")
    with db.write() as c:
        note(c, now, operator, "hold connection", connection)
