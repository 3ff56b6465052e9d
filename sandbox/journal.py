"""Remembers the last requests the sandbox answered, without their bodies."""

from collections import deque
from datetime import UTC, datetime
from threading import Lock

from sandbox.fields import Json
from sandbox.store import Store

KEPT = 1000


def iso_utc(epoch_ms: int) -> str:
    """Write a time given in epoch milliseconds as ISO 8601 in UTC."""
    return (
        datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


class Journal:
    """The last 1,000 requests in order; safe for several threads and lost at a restart."""

    def __init__(self, store: Store) -> None:
        """Take the store for its clock."""
        self._store = store
        self._lock = Lock()
        self._lines: deque[Json] = deque(maxlen=KEPT)

    def note(self, vendor: str, operation: str, status: int | None, fault: str | None) -> None:
        """Add a request; status None means that the connection was cut without an answer."""
        at = iso_utc(self._store.now_ms())
        with self._lock:
            self._lines.append(
                {"vendor": vendor, "operation": operation, "status": status, "fault": fault, "at": at}
            )

    def shown(self, vendor: str = "") -> list[Json]:
        """Return the requests of one vendor, or all, oldest first."""
        with self._lock:
            return [line for line in self._lines if vendor in ("", line["vendor"])]
