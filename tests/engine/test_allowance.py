"""The budget's arithmetic: requests per second and per day, and what look-ups and changes leave each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import NOON
from worker.allowance import Allowance, TurnedAway, Used, spend
from worker.http.limit_headers import limit_pause

SECOND = timedelta(seconds=1)


def passes(allowance: Allowance, wanted: str, seconds: int, per_second: int = 50) -> dict[str, int]:
    """Ask for a change (c) or a look-up (l) `per_second` times each; return how many of each passed."""
    used, passed = Used(), dict.fromkeys(wanted, 0)
    for tick in range(seconds * per_second):
        for kind in wanted:
            used, away = spend(used, allowance, kind == "c", NOON + tick * SECOND / per_second)
            passed[kind] += away is None
    return passed


@pytest.mark.parametrize("kind", ["c", "l"])
def test_alone_either_kind_has_all_of_it(kind: str) -> None:
    """Otherwise half of what the CRM allows is never used."""
    (passed,) = passes(Allowance(per_second=10), kind, 60).values()
    assert 600 <= passed <= 612  # ten a second, and the burst of the first


@pytest.mark.parametrize("wanted", ["cl", "lc", "lllc", "cccl"])
def test_together_each_has_half(wanted: str) -> None:
    """Otherwise look-ups after an outage keep all new leads waiting, or are never made and nothing is probed."""
    passed = passes(Allowance(per_second=10), wanted, 60)
    assert 600 <= sum(passed.values()) <= 612
    assert min(passed.values()) >= 270, passed


@given(
    rate=st.floats(0.2, 50),
    asks=st.lists(st.tuples(st.integers(0, 3000), st.booleans()), min_size=1, max_size=300),
)
def test_the_rate_is_never_passed(rate: float, asks: list[tuple[int, bool]]) -> None:
    """Otherwise the CRM locks the account."""
    used, passed, now = Used(), [], NOON
    for pause, changes in asks:
        now += timedelta(milliseconds=pause)
        used, away = spend(used, Allowance(per_second=rate), changes, now)
        if away is None:
            passed.append(now)
        else:
            assert away.wait > timedelta(0)
    for first in range(len(passed)):
        span = (passed[-1] - passed[first]).total_seconds()
        assert len(passed) - first <= rate * (span + 1) + 2


def test_a_days_requests_come_back_at_the_vendors_midnight() -> None:
    """Otherwise a quota is overrun for hours each day, or work stops for hours after it was renewed."""
    two = Allowance(per_day=2, zone="Asia/Ho_Chi_Minh")  # midnight there is 17:00 UTC
    used = Used()
    for _ in range(2):
        used, away = spend(used, two, True, NOON)
        assert away is None
    used, away = spend(used, two, False, NOON)
    assert away == TurnedAway(timedelta(hours=5), "the connection's 2 requests of the day are used up")
    used, away = spend(used, two, True, NOON + timedelta(hours=4, minutes=59, seconds=59))
    assert away is not None
    assert away.wait == SECOND
    used, away = spend(used, two, True, NOON + timedelta(hours=5))
    assert (away, used.day, used.day_used) == (None, "2026-03-03", 1)


def test_a_day_that_is_an_hour_short_ends_at_its_midnight() -> None:
    """Otherwise the quota of the day when the clocks change is overrun for an hour."""
    before = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # 00:30 in Berlin, of a day of 23 hours
    assert Allowance(per_day=1, zone="Europe/Berlin").next_day(before) == datetime(
        2026, 3, 29, 22, tzinfo=UTC
    )


HEADERS: dict[str, tuple[dict[str, str], float | None]] = {
    "nothing said": ({"content-type": "application/json"}, None),
    "some left": ({"ratelimit-remaining": "3", "ratelimit-reset": "30"}, None),
    "none left": ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30),
    "none left, with X": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, 12),
    "none left, with more hyphens": ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "7.5"}, 7.5),
    "a point in time": (
        {
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": "1772452845",
            "date": "Mon, 02 Mar 2026 12:00:00 GMT",
        },
        45,
    ),
    "a point in milliseconds": (
        {
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": "1772452845000",
            "date": "Mon, 02 Mar 2026 12:00:00 GMT",
        },
        45,
    ),
    "a point that is over": (
        {
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": "1772452700",
            "date": "Mon, 02 Mar 2026 12:00:00 GMT",
        },
        None,
    ),
    "the new draft": ({"ratelimit": '"default";r=0;t=9'}, 9),
    "the new draft, some left": ({"ratelimit": '"default";r=50;t=30'}, None),
    "two policies, the longer counts": ({"ratelimit": '"burst";r=0;t=2, "day";r=0;t=600'}, 600),
    "no reset": ({"x-ratelimit-remaining": "0"}, None),
    "nonsense": (
        {"x-ratelimit-remaining": "none", "x-ratelimit-reset": "soon", "ratelimit": ";;r=;t="},
        None,
    ),
    "negative": ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-5"}, None),
    "a month, which is another unit": (
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2592000"},
        86_400,
    ),
}


@pytest.mark.parametrize(("headers", "seconds"), HEADERS.values(), ids=HEADERS)
def test_what_a_vendor_says_of_its_limit(headers: dict[str, str], seconds: float | None) -> None:
    """Otherwise we run into its 429, or stand still for what was never meant."""
    assert limit_pause(headers) == (None if seconds is None else timedelta(seconds=seconds))
