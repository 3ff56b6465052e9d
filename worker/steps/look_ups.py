"""Whether a record that is ours to make is there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from mappings.vendor import Record
from worker.errors import NotConfigured, PutBack
from worker.ledger.steps import Reserved
from worker.vendors.api import Api
from worker.vendors.vendor import Kind

#: A CRM may carry out a call long after we stopped waiting for its answer: for as long as web servers and gateways
#: give a request by default (nginx, proxy_read_timeout).
CARRIED_OUT_WITHIN = timedelta(seconds=60)

#: Gives a record as another delivery asked for it, ids filled in; None where that cannot be told any more.
AsSent = Callable[[str, Record], Record | None]


class LookUps:
    """The look-ups of one claim over one connection."""

    def __init__(self, api: Api, clock: Callable[[], datetime], as_sent: AsSent) -> None:
        self._api = api
        self._clock = clock
        self._as_sent = as_sent

    def look_up(self, kind: Kind, record: Record, reserved: Reserved) -> str | None:
        """Return the vendor's id of a record that may be there already; None means that it surely is not.

        Raises PutBack while nobody can tell, NotConfigured where nobody ever will, and what a look-up raises.
        """
        risked_at = reserved.risked_at
        if kind.repeatable or (risked_at is None and not record.shared):
            return None
        if kind.find is None or not record.match:
            if risked_at is None:
                return None
            raise NotConfigured(
                f"the {record.kind} may exist, and the CRM offers no way to find it: "
                "see whether it is there, then release it with or without --not-made"
            )
        for sought in self._sought(record, reserved):
            found = kind.find(self._api, sought, None if record.shared else risked_at)
            if found is not None:
                return found
        if risked_at is not None and kind.find_made is not None:
            found = kind.find_made(self._api, record, risked_at)
            if found is not None:
                return found
        if risked_at is not None:
            carried_out = max(self._api.connection.timeout, CARRIED_OUT_WITHIN)
            if wait := self.too_early((record.kind, record.key), risked_at + carried_out):
                raise wait
        return None

    def too_early(self, name: tuple[str, str], there_at: datetime) -> PutBack | None:
        """Return how to wait while a search may not show what was there by `there_at`."""
        left = there_at + self._api.connection.search_lag - self._clock()
        said = f"the {name[0]} is not found yet; the search may lag behind"
        return PutBack(said, min(left, timedelta(seconds=5))) if left > timedelta(0) else None

    def _sought(self, record: Record, reserved: Reserved) -> Iterator[Record]:
        """Yield the record as it may be there: first as the lost call said, then as this event says."""
        if reserved.risked_at is not None and reserved.risked_by is not None:
            as_sent = self._as_sent(reserved.risked_by, record)
            if as_sent is not None and as_sent.match:
                yield as_sent
        yield record
