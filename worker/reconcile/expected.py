"""The records that a delivery stands for: what the ledger says of each, and what was sent for it.

The event is mapped anew, which is pure. What that gives counts as sent only where its digest is that of the
request: since then relay.toml or a mapping may have changed, and that is no change in the CRM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mappings.vendor import Record
from worker.errors import DeliveryError, Hold
from worker.ledger.database import Database
from worker.ledger.reconciling import Delivered
from worker.ledger.stored_event import event_of
from worker.ledger.tables import UPDATE
from worker.planning import planned
from worker.reconcile.findings import Tally
from worker.settings import Settings
from worker.steps.filling import filled_in
from worker.steps.first_step import digest
from worker.vendors.api import Api

#: Kind and our key of a record.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Expected:
    """A record that should be at the vendor under `id`, and the delivery that stands for it.

    `record` is what the event asks for, its ids filled in, as far as that can still be told, and `below` names
    those without which it is nowhere to be found. `sent` is what we last wrote into the record, None where this
    delivery was not the last to write, or where nobody knows. Of one that `was_asked` for on an earlier page only
    changes are news.
    """

    delivery: str
    since: datetime
    kind: str
    key: str
    id: str
    record: Record | None
    sent: Mapping[str, Any] | None
    below: frozenset[Name] = frozenset()
    was_asked: bool = False


Wanted = tuple[Record, frozenset[Name]]


def expected_of(
    settings: Settings, db: Database, api: Api, delivered: Delivered, tally: Tally
) -> list[Expected]:
    """Return the records of a delivery that the ledger still links to a record at the vendor.

    Of those that an update has taken away, or that were made again for another delivery, nothing is expected.
    """
    records = _records(settings, db, api, delivered, tally)
    made = {(step.kind, step.key): step for step in delivered.steps if not step.kind.endswith(UPDATE)}
    changes = {
        (step.kind.removesuffix(UPDATE), step.key): step
        for step in delivered.steps
        if step.kind.endswith(UPDATE)
    }
    found = []
    for name, step in made.items():
        linked = delivered.linked.get(name)
        if linked is None or step.record_id is None:
            continue
        record, below = records.get(name, (None, frozenset()))
        sent = None
        if record is not None and step.record_id == linked:
            sent = _sent(delivered, name, step, changes.get(name), record, tally)
        found.append(Expected(delivered.id, delivered.created_at, *name, linked, record, sent, below))
    return found


def _records(
    settings: Settings, db: Database, api: Api, delivered: Delivered, tally: Tally
) -> Mapping[Name, Wanted]:
    event = event_of(db, delivered.event_id)
    if not event.body:
        tally.purged += 1
        return {}
    try:
        plans = planned(settings, api.connection, event)
    except Hold:
        raise
    except DeliveryError:
        tally.remapped += 1
        return {}
    made = {(step.kind, step.key): step.record_id for step in delivered.steps if step.record_id}
    filled: dict[Name, Wanted] = {}
    for record in (record for plan in plans for record in plan.records):
        whole = _filled(api, made, record)
        lists = api.vendor.kinds[record.kind].proof.everywhere
        listing = lists(record) if lists else None
        if whole is not None:
            filled[record.kind, record.key] = whole, listing.parents(record) if listing else frozenset()
    return filled


def _filled(api: Api, made: Mapping[Name, str], record: Record) -> Record | None:
    try:
        body = filled_in(api, made, record.body)
        changes = None if record.changes is None else filled_in(api, made, record.changes)
    except Hold:
        raise
    except (DeliveryError, KeyError):
        # A name that the vendor's list has no more, or a record that is new in the plan.
        return None
    return replace(record, body=body, changes=changes)


def _sent(
    delivered: Delivered, name: Name, made: Any, changed: Any, record: Record, tally: Tally
) -> Mapping[str, Any] | None:
    last = changed or (None if made.was_there else made)
    if last is None or delivered.touched.get(name, last.updated_at) > last.updated_at:
        return None
    told: list[tuple[Any, Mapping[str, Any]]] = []
    if not made.was_there and made.request_digest:
        told.append((made, record.body))
    if changed is not None and record.changes is not None:
        told.append((changed, record.changes))
    if any(step.request_digest != digest(said) for step, said in told):
        tally.remapped += 1
        return None
    return _merged([said for _, said in told])


def _merged(told: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    merged: dict[str, Any] = {}
    for said in told:
        merged |= said
    return merged or None
