"""The steps of a delivery: each makes one record at the vendor, and never a second one.

A step writes its intent before it calls and its result after; whatever happens in between, the next try finds
the intent, looks the record up, and adopts it or makes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from mappings.vendor import Plan, Record, Ref
from worker.errors import DeliveryError, NotConfigured, OutcomeUnknown, PutBack
from worker.ledger.steps import Busy, Checkpoints, Done, Linked, StepName
from worker.vendors.vendor import Api, Kind, json_body

#: When a record that another delivery is making will be there, most often.
BUSY_DELAY = timedelta(milliseconds=500)


class Steps:
    """The steps of one claim over one connection. `before_each` raises where the delivery must not go on."""

    def __init__(
        self,
        api: Api,
        checkpoints: Checkpoints,
        clock: Callable[[], datetime],
        before_each: Callable[[], None],
    ) -> None:
        self._api = api
        self._checkpoints = checkpoints
        self._clock = clock
        self._before_each = before_each
        self._made: dict[tuple[str, str], str] = {}

    def run(self, plan: Plan) -> str | None:
        """Make every record of `plan` that does not exist yet; return the vendor's id of the last one.

        Raises the errors of worker.errors; every step that was done by then stays done.
        """
        record_id = None
        for position, record in enumerate(plan.records):
            self._before_each()
            record_id = self._step(position, replace(record, body=self._filled(record.body)))
            self._made[record.kind, record.key] = record_id
        return record_id

    def _step(self, position: int, record: Record) -> str:
        kind = self._api.vendor.kinds[record.kind]
        digest = hashlib.sha256(json_body(record.body)).hexdigest()
        step = StepName(record.kind, record.key, position, digest)
        opening = self._checkpoints.open(step)
        if isinstance(opening, Done):
            return opening.record_id
        if isinstance(opening, Busy):
            raise PutBack(
                f"delivery {opening.holder} is making the {record.kind} that this one needs", BUSY_DELAY
            )
        if isinstance(opening, Linked):
            self._update(kind, record, opening.record_id)
            self._checkpoints.finish(step, opening.record_id)
            return opening.record_id
        found = self._look_up(kind, record, opening.risked_at)
        if found is not None:
            self._checkpoints.finish(step, found)
            return found
        return self._create(kind, record, step)

    def _look_up(self, kind: Kind, record: Record, risked_at: datetime | None) -> str | None:
        """Return the vendor's id of a record that may be there already; None means that it surely is not."""
        if kind.repeatable or (risked_at is None and not record.shared):
            return None
        if kind.find is None or not record.match:
            if risked_at is None:
                return None
            raise NotConfigured(
                f"the {record.kind} may exist and the vendor has nothing to find it by: "
                "see whether it is there, then release it with or without --not-made"
            )
        found = kind.find(self._api, record)
        if found is None and risked_at is not None:
            trusted_at = risked_at + self._api.connection.timeout + self._api.connection.search_lag
            if self._clock() < trusted_at:
                wait = min(trusted_at - self._clock(), timedelta(seconds=5))
                raise PutBack(f"the {record.kind} is not found yet; the search may lag behind", wait)
        return found

    def _create(self, kind: Kind, record: Record, step: StepName) -> str:
        self._checkpoints.intend(step)
        try:
            record_id = kind.record_id(self._api.call(kind.create, record.body))
            if record_id is None:
                raise OutcomeUnknown(f"{kind.create}: success without the record's id")
        except DeliveryError as error:
            if isinstance(error, OutcomeUnknown):
                self._checkpoints.mark_unknown(step)
            else:
                self._checkpoints.retract(step)
            raise
        self._checkpoints.finish(step, record_id)
        return record_id

    def _update(self, kind: Kind, record: Record, record_id: str) -> None:
        if record.changes is not None and kind.update is not None:
            path = {"id": record_id}
            self._api.call(kind.update, self._filled(record.changes), path=path)

    def _filled(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(value) for name, value in body.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, Ref):
            return self._api.vendor.kinds[value.kind].reference(self._made[value.kind, value.key])
        if isinstance(value, Mapping):
            return self._filled(value)
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        return value
