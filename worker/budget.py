"""How often and how wide a connection may be used: requests, and threads of one process."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from worker.allowance import Allowance
from worker.errors import BudgetSpent, PutBack
from worker.ledger import limits
from worker.ledger.database import Database

#: A delivery that finds its connection's lanes full looks again this much later.
LANE_DELAY = timedelta(seconds=1)


def take(db: Database, connection: str, allowance: Allowance, changes: bool, now: datetime) -> None:
    """Take one request from the connection's budget, which all workers share through the ledger.

    Raises BudgetSpent, with the time until the next free one, instead of waiting for it in a thread.
    """
    if not allowance:
        return
    away = limits.take(db, connection, allowance, changes, now)
    if away is not None:
        raise BudgetSpent(away.reason, away.wait, away.whole)


class Lanes:
    """The threads of this process, shared between connections.

    A connection may have all of them but a quarter, which stays free for the others: a CRM that answers after
    half a minute cannot starve its neighbours. With one connection there is nobody to starve.
    """

    def __init__(self, threads: int, connections: int) -> None:
        self._most = threads if connections == 1 else max(1, threads - max(1, threads // 4))
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def lane(self, connection: str) -> Iterator[None]:
        """Hold one lane of `connection`. Raises PutBack where it has all that it may have."""
        with self._lock:
            if self._taken[connection] >= self._most:
                raise PutBack(f"{connection} has all the threads that it may have", LANE_DELAY)
            self._taken[connection] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[connection] -= 1
