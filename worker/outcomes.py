"""What a try comes to: the delivery's next state, what is kept of the attempt, and what the breaker hears."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from worker.breaker import (
    AFTER_THE_OTHERS,
    Failed,
    Observation,
    Refused,
    Succeeded,
    Undecided,
    open_for,
)
from worker.errors import (
    CredentialsRefused,
    DeliveryError,
    Interrupted,
    OutcomeUnknown,
    PutBack,
    Rejected,
    Unreachable,
    VendorDown,
)
from worker.ledger.attempts import Attempt
from worker.ledger.deliveries import Claim, Closing
from worker.ledger.tables import State
from worker.masking import masked
from worker.policy import Again, Decision, GiveUp, HoldBack
from worker.settings import ConnectionSettings
from worker.steps import Made


def success(made: Made, connection: ConnectionSettings, now: datetime) -> Closing:
    """Return how a delivery ends whose steps are done."""
    if made.left_as_it_was:
        reason = f"{connection.vendor} cannot change record {made.record_id}; it stays as it was made"
        return Closing(State.SKIPPED, now, reason=reason, spent=True, record_id=made.record_id)
    return Closing(State.DELIVERED, now, spent=True, record_id=made.record_id)


def crashed(error: Exception, due_at: datetime, ms: int) -> tuple[Closing, Attempt]:
    """Return how a try ends that a fault of ours has ended: nothing is spent."""
    reason = f"a fault of CRM Relay: {type(error).__name__}"
    return Closing(State.WAITING, due_at, "Bug", reason, failed_try=True), Attempt(ms, error="Bug")


def closing(decision: Decision, error: DeliveryError, now: datetime) -> Closing:
    """Return how a try ends that failed with `error`."""
    name, reason = type(error).__name__, masked(str(error))
    match decision:
        case GiveUp():
            return Closing(State.FAILED, now, name, reason, spent=True, failed_try=True)
        case HoldBack(delay):
            return Closing(State.HELD, now + delay, name, reason)
        case Again(delay, spent, _, unknown):
            state = State.UNKNOWN if unknown else State.WAITING
            failed = not isinstance(error, PutBack)
            return Closing(state, now + delay, name, reason, spent=spent, failed_try=failed)


def attempt(decision: Decision, error: DeliveryError, ms: int) -> Attempt | None:
    """Return what is kept of a failed try; nothing where the vendor had no part in it."""
    if isinstance(error, PutBack) or isinstance(decision, HoldBack):
        return None
    said = None
    if isinstance(error, Rejected):
        said = masked("; ".join(f"{name}: {what}".lstrip(": ") for name, what in error.fields.items()))
    return Attempt(ms, type(error).__name__, error.status, said)


def heard(delivery: str, error: DeliveryError, has_changed: bool) -> Observation:
    """Return what a failed try tells about the connection; `has_changed` where the vendor has done something."""
    match error:
        case Rejected() | OutcomeUnknown(status=409):
            return Succeeded(delivery)
        case CredentialsRefused():
            return Refused(delivery, masked(str(error)))
        case Interrupted():  # by ourselves: a restart of all workers under load is no outage of the CRM
            return Undecided(delivery)
        case Unreachable() | VendorDown() | OutcomeUnknown():
            # A vendor that takes one thing and fails at the next is there: it is no outage.
            said = f"{type(error).__name__}: {masked(str(error))}"
            return Succeeded(delivery) if has_changed else Failed(delivery, said)
    return Undecided(delivery)


def unspent(claim: Claim, ends: Closing, said: Observation, now: datetime) -> Closing:
    """Return how the probe of a half-open connection ends: one that failed goes back to the others, nothing spent.

    Otherwise the one delivery that tries whether the CRM is back would spend attempts for all of them. It is
    due a little after the others, so that the next probe is another one: this may be what the CRM fails at.
    """
    if ends.state == State.FAILED or not claim.probes or not isinstance(said, Failed | Refused):
        return ends
    due_at = now + open_for(claim.probes + 1, isinstance(said, Refused)) + AFTER_THE_OTHERS
    state = State.UNKNOWN if ends.state == State.UNKNOWN else State.HELD
    return replace(ends, state=state, due_at=due_at, spent=False, failed_try=False)
