"""What the receiver judges of an event, and what an operator's release may make of it."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """The one list of them: the command line offers these, too."""

    ROUTED = "routed"  # it has deliveries
    UNROUTED = "unrouted"  # no route takes it
    DUPLICATE = "duplicate"  # a known event, with another body
    SPAM = "spam"
    TEST = "test"
    IGNORED = "ignored"  # on purpose: of a type that means nothing to a CRM
    UNKNOWN = "unknown"  # of a type that this version does not know


#: Not routed, as nearly all events are. The index of those is used only by queries that say it in these very words.
IS_SINGLED_OUT = f"verdict <> '{Verdict.ROUTED}'"
