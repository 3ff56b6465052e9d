"""Whose turn it is: one thread at a time answers all requests that are there, up to a commit that they share.

Python runs one thread at a time in any case. Eight that are all at work spend a third of the time on taking that
right from each other, most of it within a commit, which holds up the other processes as well. So one thread has
the turn. Each request that it takes is a greenlet, which steps aside when only the commit is left to do; when no
other is ready, the first of them commits for all, and each is answered. What waits for somebody else says so
first, and the turn is passed on.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

Work = Callable[[], None]

#: Requests of one turn: the first of them waits for the last.
MOST = 16
#: Seconds of work after which a turn is passed on, whatever it waits for.
LONGEST_SECONDS = 0.2


def step_aside() -> None:
    """Let this thread's other requests come as far as this one; does nothing outside a turn."""
    _leave(takes_long=False)


def take_long() -> None:
    """Say that what follows waits for somebody else: all others of this thread are answered first."""
    _leave(takes_long=True)


def _leave(*, takes_long: bool) -> None:
    turn = getcurrent().parent
    if turn is not None:
        turn.switch(takes_long)


@dataclass(eq=False)
class _Turn:
    """One thread's; `began` is None while it waits for the first request."""

    began: float | None = None
    aside: deque[greenlet] = field(default_factory=deque)


class Turns:
    """Passes the turn from thread to thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock  # seconds
        self._lock = threading.Lock()
        self._held: list[_Turn] = []  # none or one; who takes it off passes it on

    def work(self, take: Callable[[bool], Work | None]) -> bool:
        """Wait for the turn and use it until it is passed on; return False when nothing is left to do, ever.

        `take` returns the next piece of work, which raises nothing. Told to wait it returns None only at the end,
        else also when nothing is there yet.
        """
        self._lock.acquire()
        turn = _Turn()
        self._held.append(turn)
        try:
            while turn in self._held:
                if not self._gather(turn, take):
                    return False
                while turn.aside:
                    self._go_on(turn, turn.aside.popleft())
        finally:
            self._pass_on(turn)
        return True

    def look(self) -> None:
        """Pass on a turn that takes too long; somebody who needs no turn calls this now and then."""
        for turn in self._held.copy():
            if turn.began is not None and turn.began + LONGEST_SECONDS < self._clock():
                self._pass_on(turn)

    def _gather(self, turn: _Turn, take: Callable[[bool], Work | None]) -> bool:
        while turn in self._held and len(turn.aside) < MOST:
            if not turn.aside:
                turn.began = None
            work = take(not turn.aside)
            if work is None:
                return bool(turn.aside)
            turn.began = turn.began or self._clock()
            self._go_on(turn, greenlet(work))
        return True

    def _go_on(self, turn: _Turn, request: greenlet) -> None:
        takes_long = request.switch()
        if request.dead:
            return
        turn.aside.append(request)
        if takes_long:
            self._pass_on(turn)

    def _pass_on(self, turn: _Turn) -> None:
        try:
            self._held.remove(turn)
        except ValueError:  # it was passed on before
            return
        self._lock.release()
