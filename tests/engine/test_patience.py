"""Whose fault a failure is, by the table; and what uses up a delivery's patience."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOON
from worker.patience import RULES, Failing, Fault, Seen, judged

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
AGO = NOON - HOUR
NEW, ONCE, KNOWN = Failing(), Failing(AGO), Failing(AGO, 2 * HOUR)

CASES: dict[str, tuple[Failing, Seen, Fault, Failing]] = {
    "the first failure": (NEW, Seen(), Fault.CRM, Failing(NOON)),
    "the first failure, others went through before": (NEW, Seen(NOON - SECOND), Fault.CRM, Failing(NOON)),
    "the first failure, alone": (NEW, Seen(is_alone=True), Fault.CRM, Failing(NOON)),
    "nothing went through": (ONCE, Seen(), Fault.CRM, ONCE),
    "nothing went through since": (ONCE, Seen(AGO), Fault.CRM, ONCE),
    "nothing went through, it is alone": (ONCE, Seen(is_alone=True), Fault.CRM, ONCE),
    "another went through since": (ONCE, Seen(AGO + SECOND), Fault.RECORD, Failing(NOON, HOUR)),
    "another went through after days": (
        Failing(NOON - 9 * DAY, HOUR),
        Seen(NOON - SECOND),
        Fault.RECORD,
        Failing(NOON, 5 * HOUR),
    ),
    "known, but others wait, too": (KNOWN, Seen(AGO), Fault.CRM, KNOWN),
    "known and alone": (KNOWN, Seen(AGO, is_alone=True), Fault.RECORD, Failing(NOON, 3 * HOUR)),
    "just known and alone": (
        Failing(AGO, MINUTE),
        Seen(AGO, is_alone=True),
        Fault.RECORD,
        Failing(NOON, HOUR + MINUTE),
    ),
    "at the edge of an outage, alone": (
        Failing(AGO, 59 * SECOND),
        Seen(AGO, is_alone=True),
        Fault.CRM,
        Failing(AGO, 59 * SECOND),
    ),
    "the vendor took something at the first try": (NEW, Seen(is_there=True), Fault.RECORD, Failing(NOON)),
    "the vendor took something": (ONCE, Seen(is_there=True), Fault.RECORD, Failing(NOON, HOUR)),
    "a clock that was set back": (
        Failing(NOON + HOUR, HOUR),
        Seen(NOON + 2 * HOUR),
        Fault.RECORD,
        Failing(NOON, HOUR),
    ),
}


@pytest.mark.parametrize(("before", "seen", "fault", "then"), CASES.values(), ids=CASES)
def test_the_table(before: Failing, seen: Seen, fault: Fault, then: Failing) -> None:
    """Otherwise an outage gives leads up, or one poisoned order closes a CRM and no person ever hears of it."""
    assert judged(before, seen, NOON, DAY) == (fault, then)


def test_every_rule_decides_something() -> None:
    """Otherwise a rule is shadowed by one before it, and nobody notices that it says nothing."""
    deciding = {
        next(name for name, fits, _ in RULES if fits(before, seen)) for before, seen, _, _ in CASES.values()
    }
    assert deciding == {name for name, _, _ in RULES}


@given(
    minutes=st.lists(st.integers(1, 3 * 24 * 60), max_size=200),
    lasted=st.integers(0, 23),
    is_alone=st.booleans(),
)
def test_an_outage_uses_up_nothing_however_long_it_lasts(
    minutes: list[int], lasted: int, is_alone: bool
) -> None:
    """Otherwise a CRM that is away over a long weekend leaves a shop with hundreds of orders to release by hand."""
    failing, now = Failing(NOON, lasted * HOUR), NOON
    is_known_and_alone = is_alone and lasted > 0
    for pause in minutes:
        now += pause * MINUTE
        fault, failing = judged(failing, Seen(NOON, is_alone=is_alone), now, DAY)
        assert is_known_and_alone or (fault, failing) == (Fault.CRM, Failing(NOON, lasted * HOUR))


@given(outages=st.integers(1, 5), days=st.integers(1, 30))
def test_after_five_outages_there_is_still_patience(outages: int, days: int) -> None:
    """Otherwise two long outages give up what fails once more while the CRM comes back."""
    failing, now = Failing(NOON), NOON
    for _ in range(outages):
        now += days * DAY
        _, failing = judged(failing, Seen(now - SECOND), now, DAY)
    assert failing.lasted < DAY


def test_where_others_go_through_patience_is_what_it_says() -> None:
    """Otherwise a poisoned order is given up within minutes, or in a week, where relay.toml says a day."""
    failing, tries, now = Failing(), 0, NOON
    while failing.lasted < DAY:
        _, failing = judged(failing, Seen(now - SECOND), now, DAY)
        now += HOUR
        tries += 1
    assert (tries, now - NOON) == (25, 25 * HOUR)
