"""A try that failed: whose fault it is, what becomes of the delivery, and what its connection hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from worker import outcomes
from worker.breaker import Failed, Observation, Succeeded, Undecided
from worker.errors import DeliveryError, Interrupted, OutcomeUnknown, SenderDown, VendorDown
from worker.ledger import evidence, limits
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Claim, Closing
from worker.patience import Failing, Fault, judged
from worker.policy import Again, GiveUp, HoldBack, Situation, backoff, decide
from worker.settings import ConnectionSettings
from worker.telemetry import log

Ended = tuple[Closing, Attempt | None, Observation]


def crashed(claim: Claim, error: Exception, now: datetime, jitter: float, ms: int) -> Ended:
    """Return how a try ends that a fault of ours has ended: the delivery waits until the bug is mended."""
    log().exception("delivery.crashed", delivery_id=claim.id, connection=claim.connection)
    return *outcomes.crashed(error, now + backoff(claim.tries, jitter), ms), Undecided(claim.id)


def failed(
    db: Database,
    claim: Claim,
    connection: ConnectionSettings,
    error: DeliveryError,
    has_changed: bool,
    now: datetime,
    jitter: float,
    ms: int,
) -> Ended:
    """Return how a try ends that `error` has ended; `has_changed` where the vendor has carried out something.

    Raises LedgerUnavailable.
    """
    heard = outcomes.heard(claim.id, error, has_changed)
    fault, failing = _judged(db, claim, connection, error, heard, now)
    situation = Situation(claim.tries, failing.lasted, connection.give_up_after, jitter)
    decision = decide(error, situation)
    closing = replace(outcomes.closing(decision, error, now), failing=failing)
    if fault == Fault.RECORD and isinstance(heard, Failed):
        # What fails where others go through must not keep the connection from them.
        heard = Undecided(claim.id)
        if isinstance(decision, GiveUp):
            closing = replace(closing, reason=_at_fault(closing.reason, failing))
    if isinstance(decision, HoldBack | Again) and decision.cooldown:
        limits.hold(db, claim.connection, closing.due_at, closing.reason or "")
    return closing, outcomes.attempt(decision, error, ms), heard


def _judged(
    db: Database,
    claim: Claim,
    connection: ConnectionSettings,
    error: DeliveryError,
    heard: Observation,
    now: datetime,
) -> tuple[Fault, Failing]:
    """Return where the failure lies; what the CRM did not answer, or asks to wait for, changes nothing."""
    if isinstance(error, Interrupted) or not isinstance(error, VendorDown | OutcomeUnknown | SenderDown):
        return Fault.CRM, claim.failing
    is_there = isinstance(heard, Succeeded) or isinstance(error, SenderDown)
    seen = evidence.seen(db, claim.connection, claim.id, now, is_there)
    return judged(claim.failing, seen, now, connection.give_up_after)


def _at_fault(reason: str | None, failing: Failing) -> str:
    hours = failing.lasted / timedelta(hours=1)
    return f"{reason}; it has failed for {hours:.3g} hours in which others went through"
