"""Whose fault a failure is: the record's where others go through meanwhile, the CRM's where nothing does.

Patience is used up only by what is the record's: an outage of a CRM, however long, uses up none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: Between two failures that are the record's there may have been an outage: one of them uses up no more than this
#: part of the patience.
PARTS = 6
#: Known to be at fault is what has failed for so long where others went through; at the edge of an outage one call
#: fails and the next is answered.
SURELY = timedelta(minutes=1)


class Fault(StrEnum):
    """Where a failure lies."""

    CRM = "crm"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Failing:
    """How a delivery fails: since its last failure that was its own, or its first; and for how long that was."""

    since: datetime | None = None
    lasted: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of the connection at a failure.

    `delivered_at` is when another delivery last went through, `is_alone` whether no other one wants to, `is_there`
    whether the CRM took something in this very try or had no part in the failure.
    """

    delivered_at: datetime | None = None
    is_alone: bool = False
    is_there: bool = False


Rule = tuple[str, Callable[[Failing, Seen], bool], Fault]
#: The first that fits decides.
RULES: tuple[Rule, ...] = (
    ("the CRM is there", lambda failing, seen: seen.is_there, Fault.RECORD),
    ("it has not failed before", lambda failing, seen: failing.since is None, Fault.CRM),
    ("another one went through since", lambda failing, seen: _went_through(failing, seen), Fault.RECORD),
    (
        "it is known to be at fault, and nothing else is tried",
        lambda failing, seen: failing.lasted >= SURELY and seen.is_alone,
        Fault.RECORD,
    ),
    ("nothing went through", lambda failing, seen: True, Fault.CRM),
)


def judged(failing: Failing, seen: Seen, now: datetime, patience: timedelta) -> tuple[Fault, Failing]:
    """Return where a failure at `now` lies, and what it makes of the delivery's failing."""
    fault = next(fault for _, fits, fault in RULES if fits(failing, seen))
    if failing.since is None:
        return fault, Failing(now, failing.lasted)
    if fault == Fault.CRM:
        return fault, failing
    stretch = max(timedelta(0), min(now - failing.since, patience / PARTS))
    return fault, Failing(now, failing.lasted + stretch)


def _went_through(failing: Failing, seen: Seen) -> bool:
    return failing.since is not None and seen.delivered_at is not None and seen.delivered_at > failing.since
