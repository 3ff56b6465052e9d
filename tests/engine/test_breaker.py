"""The breaker's table: when a connection is left alone, tried, released and used again."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOON
from worker.breaker import (
    TABLE,
    Breaker,
    Drained,
    Failed,
    Observation,
    Phase,
    Refused,
    Succeeded,
    Terms,
    Undecided,
    after,
    kept_away,
    open_for,
    probing,
    width,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
EARLIER = NOON - MINUTE
THREE = Terms(breaker_after=3, concurrency=8)
DOWN, NO_ENTRY = Failed("d1", "VendorDown: 503"), Refused("d1", "401")
OTHER = Failed("d2", "VendorDown: 503")
OPEN = Breaker(Phase.OPEN, EARLIER, NOON, "503", openings=2)
TRIED = Breaker(Phase.HALF_OPEN, EARLIER, None, "503", openings=2, probe="d1")
RELEASING = Breaker(Phase.RELEASING, EARLIER, None, "503", openings=2, width=2)
CLOSED_NOW = Breaker(Phase.CLOSED, NOON)

CASES: dict[str, tuple[Breaker, Observation, Breaker]] = {
    "a first failure": (Breaker(), DOWN, Breaker(failures=1)),
    "a success in between": (Breaker(failures=2), Succeeded("d1"), Breaker()),
    "nothing learnt": (Breaker(failures=2), Undecided("d1"), Breaker(failures=2)),
    "the third in a row": (
        Breaker(failures=2),
        DOWN,
        Breaker(Phase.OPEN, NOON, NOON + 5 * SECOND, "VendorDown: 503", openings=1),
    ),
    "refused at once": (Breaker(), NO_ENTRY, Breaker(Phase.OPEN, NOON, NOON + MINUTE, "401", openings=1)),
    "open, one that was in flight succeeds": (OPEN, Succeeded("d9"), OPEN),
    "open, one that was in flight fails": (OPEN, OTHER, OPEN),
    "open, one that was in flight is refused": (OPEN, NO_ENTRY, OPEN),
    "open, nothing learnt": (OPEN, Undecided("d9"), OPEN),
    "open and drained": (OPEN, Drained(), OPEN),
    "the probe succeeds": (
        TRIED,
        Succeeded("d1"),
        Breaker(Phase.RELEASING, NOON, None, "503", openings=2, width=1),
    ),
    "another one succeeds": (TRIED, Succeeded("d2"), TRIED),
    "another one fails": (TRIED, OTHER, TRIED),
    "the probe fails: the third opening": (
        TRIED,
        DOWN,
        Breaker(Phase.OPEN, EARLIER, NOON + 20 * SECOND, "VendorDown: 503", openings=3),
    ),
    "the probe is refused": (
        TRIED,
        NO_ENTRY,
        Breaker(Phase.OPEN, EARLIER, NOON + MINUTE, "401", openings=3),
    ),
    "the probe tells nothing": (
        TRIED,
        Undecided("d1"),
        Breaker(Phase.OPEN, EARLIER, NOON, "503", openings=2),
    ),
    "half-open and drained": (TRIED, Drained(), TRIED),
    "one of a round of two": (
        RELEASING,
        Succeeded("d2"),
        Breaker(Phase.RELEASING, EARLIER, None, "503", openings=2, width=2, wins=1),
    ),
    "the second of a round of two": (
        Breaker(Phase.RELEASING, EARLIER, None, "503", openings=2, width=2, wins=1, failures=1),
        Succeeded("d3"),
        Breaker(Phase.RELEASING, EARLIER, None, "503", openings=2, width=4),
    ),
    "as wide as it may be": (
        Breaker(Phase.RELEASING, EARLIER, None, "503", openings=2, width=4, wins=3),
        Succeeded("d3"),
        CLOSED_NOW,
    ),
    "a failure while releasing": (
        RELEASING,
        OTHER,
        Breaker(Phase.RELEASING, EARLIER, None, "503", openings=2, width=2, failures=1),
    ),
    "too many while releasing: open for longer": (
        Breaker(Phase.RELEASING, EARLIER, None, "503", openings=2, width=2, failures=2),
        OTHER,
        Breaker(Phase.OPEN, NOON, NOON + 20 * SECOND, "VendorDown: 503", openings=3),
    ),
    "refused while releasing": (
        RELEASING,
        NO_ENTRY,
        Breaker(Phase.OPEN, NOON, NOON + MINUTE, "401", openings=3),
    ),
    "nothing learnt while releasing": (RELEASING, Undecided("d1"), RELEASING),
    "the backlog is gone": (RELEASING, Drained(), CLOSED_NOW),
    "drained, and nothing was wrong": (Breaker(), Drained(), Breaker()),
}


@pytest.mark.parametrize(("before", "event", "then"), CASES.values(), ids=CASES)
def test_the_table(before: Breaker, event: Observation, then: Breaker) -> None:
    """Otherwise a CRM that is down is called on and on, or one that is back is left alone."""
    assert after(before, event, NOON, THREE) == then


def test_every_phase_knows_every_event() -> None:
    """Otherwise the first such event crashes a worker in the middle of an outage."""
    assert set(TABLE) == {(phase, event) for phase in Phase for event in get_args(Observation)}
    assert {(before.phase, type(event)) for before, event, _ in CASES.values()} == set(TABLE)


@pytest.mark.parametrize(
    ("openings", "seconds", "refused"),
    [
        (1, 5, 60),
        (2, 10, 60),
        (3, 20, 60),
        (4, 40, 60),
        (5, 80, 80),
        (6, 160, 160),
        (7, 300, 300),
        (900, 300, 300),
    ],
)
def test_it_is_open_for_longer_each_time(openings: int, seconds: int, refused: int) -> None:
    """Otherwise a CRM that is down for a day is knocked at every five seconds, or found back an hour late."""
    assert open_for(openings) == timedelta(seconds=seconds)
    assert open_for(openings, refused=True) == timedelta(seconds=refused)


def test_who_may_try() -> None:
    """Otherwise the whole backlog hits a CRM that may just be coming back, or nobody ever tries it."""
    soon = NOON + 10 * SECOND
    assert kept_away(Breaker(), "d1", NOON, None) is None
    assert kept_away(RELEASING, "d1", NOON, None) is None
    away = kept_away(OPEN, "d1", NOON - SECOND, None)
    assert away is not None
    assert (away.until, away.reason) == (NOON, "503")
    assert kept_away(OPEN, "d1", NOON, None) is None
    assert probing(OPEN, "d1") == TRIED
    other = kept_away(TRIED, "d2", NOON, soon)
    assert other is not None
    assert other.until == soon
    assert kept_away(TRIED, "d2", NOON, NOON - SECOND) is None, "the probe's worker died"
    assert kept_away(TRIED, "d2", NOON, None) is None, "the probe is in nobody's hand"
    assert kept_away(TRIED, "d1", NOON, soon) is None


@given(
    events=st.lists(
        st.one_of(
            *(st.builds(kind, st.sampled_from("abc")) for kind in (Succeeded, Undecided)),
            *(st.builds(kind, st.sampled_from("abc"), st.just("why")) for kind in (Failed, Refused)),
            st.just(Drained()),
        ),
        max_size=60,
    ),
    most=st.one_of(st.none(), st.integers(1, 100)),
    threshold=st.integers(1, 7),
)
def test_whatever_happens_it_finds_back(events: list[Observation], most: int | None, threshold: int) -> None:
    """Otherwise there is a way into a state that no success ever leads out of, and a CRM gets nothing more."""
    terms, state, now = Terms(threshold, most), Breaker(), NOON
    for event in events:
        now += SECOND
        if kept_away(state, "a", now, None) is None:
            state = probing(state, "a")
        state = after(state, event, now, terms)
        assert (state.phase == Phase.OPEN) == (state.until is not None)
        assert state.failures < threshold
        allowed = width(state, terms)
        assert allowed is None or 1 <= allowed <= (most or 64)
    for _ in range(200):
        now += 5 * MINUTE
        assert kept_away(state, "a", now, None) is None
        state = after(probing(state, "a"), Succeeded("a"), now, terms)
    assert (state.phase, state.openings, width(state, terms)) == (Phase.CLOSED, 0, most)
