"""The life of a delivery in the ledger, once it is due: claimed by one worker, then closed by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from worker.breaker import Observation, Phase, Succeeded, Terms, Undecided
from worker.errors import LeaseLost
from worker.ids import new_id
from worker.ledger.attempts import Attempt, record
from worker.ledger.breakers import Change, Gate, enter, gate, note
from worker.ledger.claim_statements import CLAIM, CLOSE, DUE_EVENT, KEEP
from worker.ledger.database import Database
from worker.ledger.entity_order import is_stale, overtaken, turn_away
from worker.ledger.prepared import Transaction
from worker.ledger.stored_event import StoredEvent, stored_event
from worker.ledger.tables import State
from worker.patience import Failing

DEFAULT_TERMS = Terms()
#: Of a delivery that is released: nothing that it failed at before counts.
AFRESH = {"tries": 0, "failing_since": None, "failed_seconds": 0, "handed_until": None}


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours until `lease` runs out, with its event."""

    id: str
    lease: str
    connection: str
    attempts: int
    tries: int
    failing: Failing
    started_at: datetime
    event: StoredEvent
    probes: int = 0  # of the one that tries a half-open connection: how often that had opened
    is_stale: bool = False  # a newer state was delivered; only what this one adds is to be


@dataclass(frozen=True, slots=True)
class Closing:
    """How a claim ends: the next state and when the delivery is due again."""

    state: State
    due_at: datetime
    error: str | None = None
    reason: str | None = None
    spent: bool = False
    failed_try: bool = False
    failing: Failing | None = None  # None: as it was
    record_id: str | None = None
    mapping_version: int | None = None
    field_ledger: str | None = None


def due_event(db: Database, delivery_id: str, now: datetime) -> StoredEvent | None:
    """Return the event of a delivery that could be claimed at `now`.

    None where there is nothing to claim, which makes doubled tasks cheap.
    """
    row = db.look(DUE_EVENT, {"delivery": delivery_id, "now_": now})
    return None if row is None else stored_event(row)


def claim(
    db: Database,
    delivery_id: str,
    now: datetime,
    lasting: timedelta,
    event: StoredEvent | None = None,
    also: Callable[[Transaction, Claim], None] = lambda t, claim: None,
    terms: Terms = DEFAULT_TERMS,
    adds: bool = False,
) -> Claim | None:
    """Take a delivery if it is due and nobody has it; None otherwise, which makes doubled tasks harmless.

    A delivery whose connection takes nothing now, whose entity has an earlier unfinished delivery, or whose
    entity was already delivered in a newer version is not claimed: its new state says why. `event` is what
    `due_event` gave; `also` is done in the same transaction. One that `adds` something is claimed all the same,
    and is stale then.
    """
    told = event or due_event(db, delivery_id, now)
    if told is None:
        return None
    taking = {"delivery": delivery_id, "now_": now, "by": new_id(), "until": now + lasting}

    def take(t: Transaction) -> Claim | None:
        row = t.first(CLAIM, taking)
        entered = None if row is None else _entered(t, db, row, now, terms, adds)
        if entered is None:
            return None
        lease, breaker = str(taking["by"]), entered.breaker
        failing = Failing(row.failing_since, timedelta(seconds=row.failed_seconds))
        probes = breaker.openings if breaker.phase == Phase.HALF_OPEN else 0
        late = adds and is_stale(t, row, now)
        claimed = Claim(
            row.id, lease, row.connection, row.attempts, row.tries, failing, now, told, probes, late
        )
        also(t, claimed)
        return claimed

    return db.commit(take)


def _entered(t: Transaction, db: Database, row: Any, now: datetime, terms: Terms, adds: bool) -> Gate | None:
    """Return the gate that a delivery has passed; None where it was turned away, with its state saying why."""
    seen = gate(t, row.connection, now)
    # Before the order, which costs more to ask: but who would be the probe is asked last, so that none is wasted.
    away = seen.kept_away(row.id, now, None)
    if away is None:
        if row.entity is not None and overtaken(t, row, now, terms.patience, adds):
            return None
        passed = enter(t, db, seen, row.connection, row.id, now, terms)
        if isinstance(passed, Gate):
            return passed
        away = passed
    turn_away(t, row, State.HELD, away.until, away.reason)
    return None


def keep(t: Transaction, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease inside the transaction `t`.

    Raises LeaseLost when it is not ours any more, and also when it has only run out: from then on others may
    take the records that this delivery has reserved, though nobody has taken the delivery itself yet.
    """
    mine = {"delivery": claim.id, "by": claim.lease, "now_": now, "until": now + lasting}
    if not t.run(KEEP, mine):
        raise LeaseLost(claim.id)


def prolong(db: Database, claim: Claim, now: datetime, lasting: timedelta) -> None:
    """Prolong the lease. Raises LeaseLost when it is not ours any more."""
    db.commit(lambda t: keep(t, claim, now, lasting))


def close(
    db: Database,
    claim: Claim,
    closing: Closing,
    attempt: Attempt | None,
    now: datetime,
    unwritten: Callable[[Transaction, datetime], None] = lambda t, now: None,
    heard: Observation | None = None,
    terms: Terms = DEFAULT_TERMS,
) -> Change | None:
    """End a claim: what its steps have not written, the attempt, if there was one, and the next state, together.

    `heard` is what the connection's breaker should know of it; returned is what that changed there. Raises
    LeaseLost, and writes nothing, when the lease is not ours any more.
    """
    values = _closed(claim, closing, now)

    def end(t: Transaction) -> Change | None:
        closed = t.first(CLOSE, values)
        if closed is None:
            raise LeaseLost(claim.id)
        is_news = closed.touched is not None or not isinstance(heard, Succeeded | Undecided)
        # Before the links, as in a claim: two that lock the same rows in turn wait for each other for ever.
        changed = note(t, db, claim.connection, heard, now, terms) if heard and is_news else None
        unwritten(t, now)
        if attempt:
            record(t, claim.id, claim.started_at, closing.state, attempt)
        return changed

    return db.commit(end)


def _closed(claim: Claim, closing: Closing, now: datetime) -> dict[str, Any]:
    failing = closing.failing or claim.failing
    return {
        "delivery": claim.id,
        "by": claim.lease,
        "next_state": closing.state,
        "due": closing.due_at,
        "error_name": closing.error,
        "why": closing.reason,
        "spent": claim.attempts + (1 if closing.spent else 0),
        "failures": claim.tries + 1 if closing.failed_try else 0 if closing.error is None else claim.tries,
        "since": failing.since,
        "failed": ceil(failing.lasted.total_seconds()),
        "now_": now,
        "record": closing.record_id,
        "mapping": closing.mapping_version,
        "fields": closing.field_ledger,
    }
