"""A login's token: fetched once, shared by all workers, replaced by exactly one of them.

It is kept in the process and, where there is one, in a `Store` that all workers see; nowhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from worker.errors import PutBack
from worker.masking import learn_token
from worker.vendors.vendor import Token

#: A token is replaced this long before its end, or in its last tenth if that is sooner.
EARLY = timedelta(minutes=1)
#: How long a vendor may take for a login before another worker may try.
LOGIN = timedelta(seconds=60)


class Store(Protocol):
    """Where the workers share a connection's token. Losing it costs a login, nothing else."""

    def get(self) -> Token | None:
        """Return the token with the time that it still lasts, None where there is none."""

    def put(self, token: Token) -> None:
        """Keep the token for as long as it lasts."""

    def begin(self, lasting: timedelta) -> bool:
        """Say whether the caller is the one to log in; for `lasting` nobody else is."""

    def end(self) -> None:
        """Say that the login is over."""


class Tokens:
    """The current token of one connection. `clock` gives seconds that only go forward."""

    def __init__(self, store: Store | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._text: str | None = None
        self._until = float("inf")

    def current(self, login: Callable[[], Token]) -> str:
        """Return the token; `login` gets it where there is none yet or it is about to end.

        Raises PutBack while another worker logs in, and what `login` raises.
        """
        with self._lock:
            if self._text is not None and self._clock() < self._until:
                return self._text
            return self._other_than(self._text, login)

    def replaced(self, refused: str, login: Callable[[], Token]) -> str:
        """Return a token other than `refused`: whoever comes second gets what the first one fetched."""
        with self._lock:
            if self._text is not None and self._text != refused:
                return self._text
            return self._other_than(refused, login)

    def _other_than(self, old: str | None, login: Callable[[], Token]) -> str:
        self._text = None
        if self._store is None:
            return self._keep(login())
        shared = self._store.get()
        if shared is not None and shared.text != old:
            return self._keep(shared)
        if not self._store.begin(LOGIN):
            raise PutBack("another worker is logging in", timedelta(milliseconds=500))
        try:
            # Between our look and our turn another may have finished.
            shared = self._store.get()
            if shared is None or shared.text == old:
                shared = login()
                self._store.put(shared)
        finally:
            self._store.end()
        return self._keep(shared)

    def _keep(self, token: Token) -> str:
        learn_token(token.text)
        self._text = token.text
        lasts = token.lasts.total_seconds() if token.lasts else float("inf")
        early = min(EARLY.total_seconds(), lasts / 10) if token.lasts else 0.0
        self._until = self._clock() + lasts - early
        return token.text
