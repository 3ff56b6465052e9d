"""A login's token: fetched once, shared by the threads of a process, replaced by exactly one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Tokens:
    """The current token of one connection; kept in memory only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token: str | None = None

    def current(self, fetch: Callable[[], str]) -> str:
        """Return the token, and `fetch` it where there is none yet."""
        with self._lock:
            if self._token is None:
                self._token = fetch()
            return self._token

    def replaced(self, refused: str, fetch: Callable[[], str]) -> str:
        """Return a token other than `refused`: whoever comes second gets what the first one fetched."""
        with self._lock:
            if self._token is None or self._token == refused:
                self._token = None
                self._token = fetch()
            return self._token
