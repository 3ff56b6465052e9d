"""The decision table: what happens to a delivery after each error, in each situation."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker import errors
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
    SenderDown,
    SenderRefused,
    Unmappable,
    Unreachable,
    VendorDown,
)
from worker.policy import (
    FIRST_DELAY,
    LONGEST_DELAY,
    TABLE,
    Again,
    Decision,
    GiveUp,
    HoldBack,
    Situation,
    backoff,
    decide,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
FIRST = Situation(tries=0, failing_for=timedelta(0), give_up_after=DAY, jitter=0.5)
#: The fourth failure in a row: half of 5 s, doubled three times, is 20 s.
FOURTH = Situation(tries=3, failing_for=HOUR, give_up_after=DAY, jitter=0.5)
NEARLY = Situation(tries=3, failing_for=DAY - SECOND, give_up_after=DAY, jitter=0.5)
OVER = Situation(tries=3, failing_for=DAY, give_up_after=DAY, jitter=0.5)
IN_20 = 20 * SECOND

CASES: dict[str, tuple[DeliveryError, Situation, Decision]] = {
    "unreachable": (Unreachable("x"), FOURTH, Again(IN_20, spent=False)),
    "unreachable for longer than patience": (Unreachable("x"), OVER, Again(IN_20, spent=False)),
    "429": (RateLimited("x"), FOURTH, Again(IN_20, spent=False, cooldown=True)),
    "429 with a pause": (RateLimited("x", 3 * HOUR), FOURTH, Again(3 * HOUR, spent=False, cooldown=True)),
    "429 beyond patience": (RateLimited("x", HOUR), OVER, Again(HOUR, spent=False, cooldown=True)),
    "down": (VendorDown("x"), FOURTH, Again(IN_20)),
    "down with a pause": (VendorDown("x", 2 * HOUR), FOURTH, Again(2 * HOUR, cooldown=True)),
    "down, patience nearly over": (VendorDown("x"), NEARLY, Again(IN_20)),
    "down, patience over": (VendorDown("x"), OVER, GiveUp()),
    "down with a pause, patience over": (VendorDown("x", MINUTE), OVER, GiveUp()),
    "sender down": (SenderDown("x"), FOURTH, Again(IN_20)),
    "sender down with a pause": (SenderDown("x", 2 * HOUR), FOURTH, Again(2 * HOUR)),
    "sender down, patience over": (SenderDown("x"), OVER, GiveUp()),
    "sender refuses us": (SenderRefused("x"), OVER, HoldBack(5 * MINUTE, cooldown=False)),
    "unknown at first": (OutcomeUnknown("x"), FIRST, Again(2 * SECOND, unknown=True)),
    "unknown later": (OutcomeUnknown("x"), FOURTH, Again(IN_20, unknown=True)),
    "unknown with a pause": (OutcomeUnknown("x", HOUR), FIRST, Again(HOUR, cooldown=True, unknown=True)),
    "unknown, patience nearly over": (OutcomeUnknown("x"), NEARLY, Again(IN_20, unknown=True)),
    "unknown, patience over": (OutcomeUnknown("x"), OVER, GiveUp()),
    "interrupted by our own end": (Interrupted("x"), OVER, Again(timedelta(0), spent=False, unknown=True)),
    "credentials": (CredentialsRefused("x"), FIRST, HoldBack(MINUTE, cooldown=False)),
    "credentials beyond patience": (CredentialsRefused("x"), OVER, HoldBack(MINUTE, cooldown=False)),
    "budget": (BudgetSpent("x", 3 * SECOND), OVER, HoldBack(3 * SECOND)),
    "budget of look-ups": (BudgetSpent("x", SECOND, whole=False), FIRST, HoldBack(SECOND, cooldown=False)),
    "rejected": (Rejected("x", {"email": "is no address"}), FIRST, GiveUp()),
    "unmappable": (Unmappable("lines[0].price", "is no amount"), FIRST, GiveUp()),
    "not configured": (NotConfigured("x"), FIRST, GiveUp()),
    "put back": (PutBack("x", 7 * SECOND), OVER, Again(7 * SECOND, spent=False)),
    "put back at once": (PutBack("x", timedelta(0)), FIRST, Again(timedelta(0), spent=False)),
}
RETRIES = (Unreachable, RateLimited, VendorDown, OutcomeUnknown)


def leaves(kind: type[DeliveryError]) -> set[type[DeliveryError]]:
    """Return the classes below `kind` that have no subclasses in the tree."""
    below = [found for found in kind.__subclasses__() if found.__module__ == errors.__name__]
    return set().union(*map(leaves, below)) if below else {kind}


@pytest.mark.parametrize(("error", "now", "decision"), CASES.values(), ids=CASES)
def test_the_table(error: DeliveryError, now: Situation, decision: Decision) -> None:
    """Otherwise a delivery is dropped that would have arrived, or knocks at a closed door for ever."""
    assert decide(error, now) == decision


def test_every_error_of_the_tree_has_a_decision() -> None:
    """Otherwise the first such error crashes the engine instead of being decided on."""
    # OutcomeUnknown is raised itself, and above Interrupted.
    assert leaves(DeliveryError) | {OutcomeUnknown} == set(TABLE)
    assert {type(error) for error, _, _ in CASES.values()} == set(TABLE)


def test_only_what_records_nothing_stands_outside_the_tree() -> None:
    """Otherwise a new error crosses module borders that nobody decides on."""
    own = {
        found
        for _, found in inspect.getmembers(errors, inspect.isclass)
        if found.__module__ == errors.__name__ and issubclass(found, Exception)
    }
    outside = {found for found in own if not issubclass(found, DeliveryError)}
    assert outside == {errors.LedgerUnavailable, errors.LeaseLost}


@given(tries=st.integers(0, 10_000), jitter=st.floats(0, 1))
def test_the_backoff_has_bounds(tries: int, jitter: float) -> None:
    """Otherwise a CRM that is down is called in a tight loop, or a delivery sleeps through its recovery."""
    delay = backoff(tries, jitter)
    assert SECOND <= delay <= LONGEST_DELAY == HOUR
    ceiling = FIRST_DELAY * 2 ** min(tries, 20)
    assert delay <= ceiling
    assert delay <= backoff(tries + 1, jitter)


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 5), (1, 10), (2, 20), (5, 160), (9, 2560), (10, 3600), (500, 3600)]
)
def test_the_ceiling_doubles_up_to_an_hour(tries: int, seconds: int) -> None:
    """Otherwise the load on a CRM that struggles does not fall."""
    assert backoff(tries, 1.0) == timedelta(seconds=seconds)
    assert backoff(tries, 0.5) == timedelta(seconds=seconds / 2)
    assert backoff(tries, 0.0) == SECOND


@given(
    kind=st.sampled_from(RETRIES),
    seconds=st.integers(1, 7 * 86_400),
    tries=st.integers(0, 50),
    jitter=st.floats(0, 1),
)
def test_a_pause_that_the_vendor_asks_for_is_honoured_in_full(
    kind: type[errors.Retry], seconds: int, tries: int, jitter: float
) -> None:
    """Otherwise the CRM locks the account of a client that does not do as it is told."""
    said = timedelta(seconds=seconds)
    decision = decide(kind("x", said), Situation(tries, timedelta(0), DAY, jitter))
    assert isinstance(decision, Again)
    assert decision.delay >= said
    assert decision.cooldown, "the pause is about the connection, not about one record"


@pytest.mark.parametrize("kind", RETRIES)
def test_a_pause_of_nothing_is_no_reason_to_hurry(kind: type[errors.Retry]) -> None:
    """Otherwise `Retry-After: 0`, or a date that is over, turns the backoff off and the CRM is hammered."""
    decision = decide(kind("x", timedelta(0)), FOURTH)
    assert isinstance(decision, Again)
    assert decision.delay >= SECOND


@given(
    error=st.sampled_from(
        [
            Unreachable("x"),
            Unreachable("x", HOUR),
            RateLimited("x"),
            RateLimited("x", HOUR),
            PutBack("x", SECOND),
            BudgetSpent("x", SECOND),
            CredentialsRefused("x"),
        ]
    ),
    tries=st.integers(0, 1000),
    days=st.integers(0, 365),
)
def test_waiting_of_our_own_never_spends_an_attempt(error: DeliveryError, tries: int, days: int) -> None:
    """Otherwise an outage of a CRM costs its customers' orders, and not only time."""
    decision = decide(error, Situation(tries, timedelta(days=days), DAY, 0.5))
    assert isinstance(decision, HoldBack) or (isinstance(decision, Again) and not decision.spent)


@given(
    kind=st.sampled_from(RETRIES),
    tries=st.integers(0, 1000),
    hours=st.floats(0, 500),
    patience=st.floats(0.001, 720),
)
def test_giving_up_needs_the_connections_patience_to_be_over(
    kind: type[errors.Retry], tries: int, hours: float, patience: float
) -> None:
    """Otherwise what would have worked an hour later waits for a person."""
    decision = decide(kind("x"), Situation(tries, hours * HOUR, patience * HOUR, 0.5))
    if isinstance(decision, GiveUp):
        assert kind in (VendorDown, OutcomeUnknown)
        assert hours * HOUR >= patience * HOUR


@pytest.mark.parametrize("error", [Unreachable("x"), RateLimited("x"), VendorDown("x"), PutBack("x", SECOND)])
def test_only_a_lost_answer_leaves_a_doubt(error: DeliveryError) -> None:
    """Otherwise an operator reads of records that may exist, where nothing ever left."""
    decision = decide(error, FIRST)
    assert isinstance(decision, Again)
    assert decision.unknown is False
