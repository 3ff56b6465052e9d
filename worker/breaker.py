"""When a connection is called and when it is left alone: a pure decision from one table.

closed ── N failures in a row, or refused credentials ──▶ open ── its time is over ──▶ half-open
half-open ── its one delivery succeeds ──▶ releasing ── rounds of 1, 2, 4 … successes ──▶ closed
half-open, releasing ── failures ──▶ open again, for longer
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

#: How long it stays open: doubled with each opening in a row.
FIRST_OPEN = timedelta(seconds=5)
LONGEST_OPEN = timedelta(minutes=5)
#: The least where credentials are refused: vendors lock accounts that are knocked at with a wrong password.
LEAST_OPEN_REFUSED = timedelta(minutes=1)
#: Deliveries in flight at which a release is over, where the connection has no `concurrency` of its own.
FULL_WIDTH = 64
#: How much later than the others a delivery whose probe failed is due: the next probe is another one.
AFTER_THE_OTHERS = timedelta(seconds=1)


class Phase(StrEnum):
    """What a connection is doing."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"
    RELEASING = "releasing"


@dataclass(frozen=True, slots=True)
class Terms:
    """What relay.toml says of a connection.

    `breaker_after` failures in a row open it, `concurrency` is how many of its deliveries may be in flight over all
    workers (None: any), `patience` how long an earlier delivery of an entity may keep later ones waiting.
    """

    breaker_after: int = 5
    concurrency: int | None = None
    patience: timedelta = timedelta(hours=24)

    @property
    def full_width(self) -> int:
        """Deliveries in flight at which a release is over."""
        return self.concurrency or FULL_WIDTH


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state: `until` is when an open one is tried, `openings` counts those in a row.

    `failures` are those in a row; `width` is how many deliveries may be in flight while releasing, `wins` how many
    of the round have succeeded; `probe` is the delivery that tries a half-open one.
    """

    phase: Phase = Phase.CLOSED
    since: datetime | None = None
    until: datetime | None = None
    reason: str | None = None
    failures: int = 0
    openings: int = 0
    width: int = 0
    wins: int = 0
    probe: str | None = None


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The vendor took something, or refused a record in so many words: it is there."""

    delivery: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The vendor was out of reach, down, silent or too slow."""

    delivery: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor refuses our credentials."""

    delivery: str
    reason: str


@dataclass(frozen=True, slots=True)
class Undecided:
    """A delivery ended without telling anything about the vendor."""

    delivery: str


@dataclass(frozen=True, slots=True)
class Drained:
    """Nothing waits any more."""


#: What a breaker hears of its connection.
Observation = Succeeded | Failed | Refused | Undecided | Drained


def open_for(openings: int, refused: bool = False) -> timedelta:
    """Return how long the opening with this number, from 1, lasts."""
    doubled: timedelta = min(LONGEST_OPEN, FIRST_OPEN * 2 ** min(openings - 1, 20))
    return max(doubled, LEAST_OPEN_REFUSED) if refused else doubled


def least_for(openings: int) -> timedelta:
    """Return the least time that so many openings in a row have lasted."""
    return sum((open_for(number) for number in range(1, openings + 1)), timedelta(0))


def _same(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    return state


def _healthy(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    return replace(state, failures=0)


def _counted(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    failures = state.failures + 1
    if failures >= terms.breaker_after:
        return _opened(state, heard, now, terms)
    return replace(state, failures=failures)


def _opened(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    openings = state.openings + 1
    until = now + open_for(openings, isinstance(heard, Refused))
    since = now if state.phase in (Phase.CLOSED, Phase.RELEASING) else state.since
    reason = heard.reason if isinstance(heard, Failed | Refused) else None
    return Breaker(Phase.OPEN, since, until, reason, openings=openings)


def _released(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    if terms.full_width == 1:
        return _closed(state, heard, now, terms)
    return Breaker(Phase.RELEASING, now, reason=state.reason, openings=state.openings, width=1)


def _won(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    wins = state.wins + 1
    if wins < state.width:
        return replace(state, wins=wins, failures=0)
    if 2 * state.width >= terms.full_width:
        return _closed(state, heard, now, terms)
    return replace(state, width=2 * state.width, wins=0, failures=0)


def _closed(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    return Breaker(Phase.CLOSED, now)


def _due_again(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    return replace(state, phase=Phase.OPEN, until=now, probe=None)


Transition = Callable[[Breaker, Observation, datetime, Terms], Breaker]
TABLE: dict[tuple[Phase, type[Observation]], Transition] = {
    (Phase.CLOSED, Succeeded): _healthy,
    (Phase.CLOSED, Failed): _counted,
    (Phase.CLOSED, Refused): _opened,
    (Phase.CLOSED, Undecided): _same,
    (Phase.CLOSED, Drained): _same,
    # What was in flight when it opened tells nothing new: the probe decides.
    (Phase.OPEN, Succeeded): _same,
    (Phase.OPEN, Failed): _same,
    (Phase.OPEN, Refused): _same,
    (Phase.OPEN, Undecided): _same,
    (Phase.OPEN, Drained): _same,
    (Phase.HALF_OPEN, Succeeded): _released,
    (Phase.HALF_OPEN, Failed): _opened,
    (Phase.HALF_OPEN, Refused): _opened,
    (Phase.HALF_OPEN, Undecided): _due_again,
    (Phase.HALF_OPEN, Drained): _same,
    (Phase.RELEASING, Succeeded): _won,
    (Phase.RELEASING, Failed): _counted,
    (Phase.RELEASING, Refused): _opened,
    (Phase.RELEASING, Undecided): _same,
    (Phase.RELEASING, Drained): _closed,
}


def after(state: Breaker, heard: Observation, now: datetime, terms: Terms) -> Breaker:
    """Return the state after what was `heard`."""
    is_probe = not isinstance(heard, Drained) and heard.delivery == state.probe
    if state.phase == Phase.HALF_OPEN and not is_probe and not isinstance(heard, Drained):
        return state
    return TABLE[state.phase, type(heard)](state, heard, now, terms)


@dataclass(frozen=True, slots=True)
class Away:
    """No delivery is tried before `until`."""

    until: datetime
    reason: str


def kept_away(
    state: Breaker, delivery: str | None, now: datetime, probed_until: datetime | None
) -> Away | None:
    """Say until when `delivery` must not be tried, None where it may be, as the probe of an open one.

    `probed_until` is when the lease of the present probe ends, None where it has none: its worker died, say.
    """
    said = state.reason or "nothing is sent over this connection for now"
    if state.phase == Phase.OPEN and state.until is not None and now < state.until:
        return Away(state.until, said)
    is_other = state.phase == Phase.HALF_OPEN and state.probe != delivery
    if is_other and probed_until is not None and probed_until >= now:
        return Away(probed_until, f"one delivery tries whether it works again: {said}")
    return None


def probing(state: Breaker, delivery: str) -> Breaker:
    """Return the state with `delivery` as its probe, where it needs one."""
    if state.phase in (Phase.OPEN, Phase.HALF_OPEN):
        return replace(state, phase=Phase.HALF_OPEN, probe=delivery, until=None)
    return state


def width(state: Breaker, terms: Terms) -> int | None:
    """Return how many deliveries may be in flight; None where any number may."""
    if state.phase == Phase.RELEASING:
        return min(state.width, terms.full_width)
    return terms.concurrency
