"""Whose turn it is: one thread at a time answers all requests that are there, up to a commit that they share.

Python runs one thread at a time in any case. Eight that are all at work take that right from each other,
most often within a commit, which holds up the other processes as well (docs/decisions/0032). So one thread
has the turn. Each request that it takes is a greenlet, which steps aside when only the commit is left to
do; when no other is ready, the first of them commits for all, and each is answered. What waits for somebody
else says so first, and the turn is passed on: the other threads are there to wait, not to work.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from greenlet import getcurrent, greenlet

Work = Callable[[], None]

#: Requests of one turn: the first of them waits for the last.
MOST = 16
#: Seconds of work after which a turn is passed on, whatever it waits for.
LONGEST_SECONDS = 0.2
#: Threads of one process: places to wait, for one of them works. A ledger that is locked holds one for each
#: LONGEST_SECONDS of the 4 s that it may take, so twenty; PostgreSQL's as many as it has connections.
THREADS = 64
#: Requests that may be in a `long_wait` at once, so that there is always a thread for all others.
MOST_WAITING = 40


class Crowded(Exception):
    """MOST_WAITING requests wait for somebody else already."""


def step_aside() -> None:
    """Let this thread's other requests come as far as this one; does nothing outside a turn."""
    _leave(takes_long=False)


@contextmanager
def long_wait() -> Iterator[None]:
    """Wait for somebody else within this: all others of this thread are answered first. Raises Crowded."""
    request = getcurrent()
    if not isinstance(request, _Request):  # outside a turn: TLS, which gunicorn's own threads serve
        yield
        return
    if not request.waits.acquire(blocking=False):
        raise Crowded
    try:
        _leave(takes_long=True)
        yield
    finally:
        request.waits.release()


def _leave(*, takes_long: bool) -> None:
    request = getcurrent()
    # Not for any greenlet that has a parent: gevent's has one that never comes back.
    if isinstance(request, _Request) and request.parent is not None:
        request.parent.switch(takes_long)


class _Request(greenlet):
    """One request on its way; `waits` is what a `long_wait` takes one of."""

    def __init__(self, work: Work, waits: threading.Semaphore) -> None:
        super().__init__(work)
        self.waits = waits


@dataclass(eq=False)
class _Turn:
    """One thread's; `began` is None while it waits for the first request."""

    began: float | None = None
    aside: deque[_Request] = field(default_factory=deque)


class Turns:
    """Passes the turn from thread to thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock  # seconds
        self._lock = threading.Lock()
        self._held: list[_Turn] = []  # none or one; who takes it off passes it on
        self._waits = threading.BoundedSemaphore(MOST_WAITING)

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
            self._go_on(turn, _Request(work, self._waits))
        return True

    def _go_on(self, turn: _Turn, request: _Request) -> None:
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
