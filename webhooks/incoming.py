"""Connections that wait for the rest of a request, and which of them are given up when there are too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from webhooks.framing import Frame

#: Connections of one process that may wait for bytes; beyond these the one that has waited longest is given up.
MOST_ARRIVING = 1000
#: Seconds that a connection has in any case: nobody's bytes come with the handshake. So strangers who say nothing
#: make room for a thousand others in each.
LEAST_SECONDS = 1.0
#: Bytes of one process that long incomplete requests may hold together.
MOST_HELD = 64 * 1024 * 1024
#: Bytes above which an incomplete request counts as long; MOST_ARRIVING shorter ones are no burden.
LONG = 64 * 1024


@dataclass
class Incoming:
    """A connection whose next request is not whole yet, or that is about to close. Times are monotonic seconds."""

    conn: Any
    frame: Frame
    since: float
    until: float
    is_parting: bool = False
    drained: int = 0
    is_whole: bool = False  # its next request is here: it waits until its answers are read

    def wait_anew(self, now: float, seconds: float) -> None:
        """Wait for something else from `now` on, for at most so many seconds."""
        self.since, self.until = now, now + seconds

    def waits_for_us(self) -> bool:
        """Say whether it has sent something that no thread was free to read: then the time that is over is ours.

        Not who reads no answers: whatever it has sent, it is not us that it waits for.
        """
        return not self.is_parting and not self.is_whole and bool(self.conn.sock.has_more())


def too_many(arrivals: Sequence[Incoming], most: int, now: float) -> Iterator[Incoming]:
    """Yield whom to give up so that `most` are left: who has waited longest, of those that do not wait for us.

    First those that have their last answer. Not by the time that is left: an honest sender's connection between two
    requests has little, and a stranger's that says nothing has much.
    """
    excess = len(arrivals) - most
    for incoming in sorted(arrivals, key=lambda one: (not one.is_parting, one.since)):
        if excess <= 0:
            return
        had_time = incoming.is_parting or incoming.since + LEAST_SECONDS < now
        if had_time and not incoming.waits_for_us():
            excess -= 1
            yield incoming


def too_long(arrivals: Sequence[Incoming], most_held: int) -> Iterator[Incoming]:
    """Yield whose incomplete requests to give up so that the long ones hold at most `most_held` bytes."""
    sizes = [(one, one.frame.size) for one in sorted(arrivals, key=lambda one: one.since)]
    long = [(one, size) for one, size in sizes if size > LONG]
    held = sum(size for _, size in long)
    for incoming, size in long:
        if held <= most_held:
            return
        held -= size
        yield incoming
