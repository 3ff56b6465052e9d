"""What to do after a failed attempt: a pure decision from one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from worker.breaker import LEAST_OPEN_REFUSED
from worker.errors import (
    BudgetSpent,
    CredentialsRefused,
    DeliveryError,
    Interrupted,
    NotConfigured,
    OutcomeUnknown,
    PutBack,
    RateLimited,
    Rejected,
    Retry,
    SenderDown,
    SenderRefused,
    Unmappable,
    Unreachable,
    VendorDown,
)

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
SHORTEST_DELAY = timedelta(seconds=1)

#: A probe is cheap and most unknown records turn up at once: the customer should not wait for the backoff.
FIRST_PROBE = timedelta(seconds=2)

#: A person has to act, and restarts the workers then; until that each look costs one read of the ledger.
SENDER_REFUSED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Again:
    """Due again after `delay`.

    `spent` says whether it counts as an attempt, `cooldown` whether the whole connection waits, `unknown`
    whether the outcome has to be probed.
    """

    delay: timedelta
    spent: bool = True
    cooldown: bool = False
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class HoldBack:
    """The delivery waits for `delay`, and with `cooldown` its whole connection; nothing is spent."""

    delay: timedelta
    cooldown: bool = True


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A person has to act."""


Decision = Again | HoldBack | GiveUp


def backoff(tries: int, jitter: float) -> timedelta:
    """Return the delay after `tries` failures in a row: exponential with full jitter, 5 s to 1 h.

    `jitter` is a number from 0 to 1, handed in so that the decision stays pure. At least one second, because
    a jitter near nothing would be a second attempt at once.
    """
    ceiling: timedelta = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(tries, 20))
    return max(SHORTEST_DELAY, jitter * ceiling)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision depends on besides the error.

    `tries` are failures in a row, `failing_for` is for how long the delivery has failed by its own fault, see
    worker/patience.py, `give_up_after` the connection's patience, `jitter` a random number from 0 to 1.
    """

    tries: int
    failing_for: timedelta
    give_up_after: timedelta
    jitter: float

    @property
    def delay(self) -> timedelta:
        """The backoff that fits."""
        return backoff(self.tries, self.jitter)


def _again(error: DeliveryError, now: Situation, **how: bool) -> Again:
    """Honour the vendor's Retry-After in full, and for the whole connection: it is not about one record."""
    said = error.retry_after if isinstance(error, Retry) else None
    if said is None:
        return Again(now.delay, **how)
    # "Retry-After: 0", or a date that is over: not a reason to call without pause.
    return Again(said if said > SHORTEST_DELAY else now.delay, cooldown=True, **how)


def _unreachable(error: DeliveryError, now: Situation) -> Decision:
    return _again(error, now, spent=False)


def _rate_limited(error: DeliveryError, now: Situation) -> Decision:
    return replace(_again(error, now, spent=False), cooldown=True)


def _vendor_down(error: DeliveryError, now: Situation) -> Decision:
    return GiveUp() if now.failing_for >= now.give_up_after else _again(error, now)


def _sender_down(error: DeliveryError, now: Situation) -> Decision:
    # However long the sender wants to be left alone, the connection to the CRM goes on.
    again = _vendor_down(error, now)
    return replace(again, cooldown=False) if isinstance(again, Again) else again


def _outcome_unknown(error: DeliveryError, now: Situation) -> Decision:
    if now.failing_for >= now.give_up_after:
        return GiveUp()
    again = _again(error, now, unknown=True)
    return replace(again, delay=FIRST_PROBE) if now.tries == 0 and not again.cooldown else again


def _refused(error: DeliveryError, now: Situation) -> Decision:
    # The connection's breaker opens, which is longer each time; the delivery needs no pause of its own beside it.
    return HoldBack(LEAST_OPEN_REFUSED, cooldown=False)


def _sender_refused(error: DeliveryError, now: Situation) -> Decision:
    return HoldBack(SENDER_REFUSED, cooldown=False)


def _interrupted(error: DeliveryError, now: Situation) -> Decision:
    # The next worker looks at once whether it happened; the vendor's patience is not at stake.
    return Again(timedelta(0), spent=False, unknown=True)


def _budget_spent(error: DeliveryError, now: Situation) -> Decision:
    return (
        HoldBack(error.retry_after, error.whole) if isinstance(error, BudgetSpent) else HoldBack(FIRST_DELAY)
    )


def _give_up(error: DeliveryError, now: Situation) -> Decision:
    return GiveUp()


def _put_back(error: DeliveryError, now: Situation) -> Decision:
    delay = error.delay if isinstance(error, PutBack) else FIRST_DELAY
    return Again(delay, spent=False)


TABLE: dict[type[DeliveryError], Callable[[DeliveryError, Situation], Decision]] = {
    Unreachable: _unreachable,
    RateLimited: _rate_limited,
    VendorDown: _vendor_down,
    SenderDown: _sender_down,
    OutcomeUnknown: _outcome_unknown,
    Interrupted: _interrupted,
    CredentialsRefused: _refused,
    SenderRefused: _sender_refused,
    BudgetSpent: _budget_spent,
    Rejected: _give_up,
    Unmappable: _give_up,
    NotConfigured: _give_up,
    PutBack: _put_back,
}


def decide(error: DeliveryError, now: Situation) -> Decision:
    """Return what happens to a delivery after `error`."""
    return TABLE[type(error)](error, now)
