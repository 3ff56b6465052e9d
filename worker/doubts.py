"""What a create said whose outcome nobody knows, where the delivery of another event sent it.

An event that comes after it may name another customer, or spell the same one otherwise: by what that says, the
record may not be found, and would be made a second time.
"""

from __future__ import annotations

from dataclasses import replace

from mappings.vendor import Record
from worker.errors import DeliveryError
from worker.ledger import doubts
from worker.ledger.database import Database
from worker.planning import planned
from worker.settings import Settings
from worker.steps.filling import filled_in
from worker.vendors.api import Api


def as_sent(settings: Settings, db: Database, api: Api, risked_by: str, record: Record) -> Record | None:
    """Return `record` as the delivery `risked_by` asked for it, the ids of others filled in.

    Its event is mapped anew, so that nothing of what it says has to be kept twice. None where that is not
    possible any more: its payload was purged, relay.toml has changed, or what the record hangs on is gone. Raises
    the errors of worker.errors where the vendor's lists, which bodies refer to, cannot be read.
    """
    event = doubts.event_of(db, risked_by)
    if event is None:
        return None
    try:
        plans = planned(settings, api.connection, event)
    except DeliveryError:
        return None
    records = {(one.kind, one.key): one for plan in plans for one in plan.records}
    sent = records.get((record.kind, record.key))
    if sent is None:
        return None
    try:
        made = doubts.linked(db, api.connection.name, records)
        return replace(sent, body=filled_in(api, made, sent.body))
    except KeyError:
        return None
