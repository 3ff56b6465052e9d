"""A connection for a run of many reads: it waits where the CRM asks for it, and knows when the CRM is away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from relay.open_connection import open_connection
from relay.times import written
from worker.errors import Hold, RateLimited, Retry
from worker.ledger import breakers
from worker.ledger.database import Database
from worker.settings import ConnectionSettings, Settings
from worker.vendors.api import Api

#: How long a pause that the vendor asks for, or a hold of the connection, is waited out here.
LONGEST_PAUSE = timedelta(minutes=1)
#: The pause where a vendor that is asked too often does not say for how long.
USUAL_PAUSE = timedelta(seconds=5)
#: Calls that fail one after the other before the CRM counts as away.
MOST_FAILURES = 10
TRIES = 3


class PatientApi(Api):
    """A connection that waits where it is asked to, and gives up where the CRM is away."""

    _failures = 0  # in a row

    def call(self, name: str, values: Mapping[str, Any] | None = None) -> Any:
        """Return what the operation answers. Raises Hold where nothing can be read for now."""
        number = 0
        while True:
            number += 1
            try:
                answer = super().call(name, values)
            except Retry as error:
                pause = _pause(error)
                if pause is None or number == TRIES:
                    self._fail(error)
                    raise
                time.sleep(pause.total_seconds())
            else:
                self._failures = 0
                return answer

    def _fail(self, error: Retry) -> None:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            raise Hold(f"{MOST_FAILURES} calls failed one after the other, the last with: {error}") from error


def _pause(error: Retry) -> timedelta | None:
    """Return how long to wait before the call is made again, None where it is not."""
    pause = (error.retry_after or USUAL_PAUSE) if isinstance(error, RateLimited) else None
    return pause if pause is not None and pause <= LONGEST_PAUSE else None


def open_patiently(
    settings: Settings, connection: ConnectionSettings, db: Database
) -> AbstractContextManager[Api]:
    """Open the connection within its budget; a call waits while it is held for its deliveries, or raises Hold."""

    def not_held() -> None:
        now = datetime.now(UTC)
        away = breakers.away(db, connection.name, now)
        wait = away.until - now if away else timedelta(0)
        if away and wait > LONGEST_PAUSE:
            raise Hold(f"the connection is held until {written(away.until)}: {away.reason}")
        time.sleep(max(0.0, wait.total_seconds()))

    return open_connection(settings, connection, guard=not_held, made=PatientApi)
