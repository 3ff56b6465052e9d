"""Mending what a reconciliation found: missing records are made again, and a double goes where that is sure.

What people have changed in the CRM is theirs: nothing here writes over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from worker.ledger.database import Database
from worker.ledger.reconciling import Lost, give_back, knows, note_deleted
from worker.reconcile.findings import Finding
from worker.vendors.api import Api


@dataclass(slots=True)
class MadeAgain:
    """The deliveries that are due again, and the missing records that none of them makes."""

    deliveries: dict[str, None] = field(default_factory=dict)
    left: list[Finding] = field(default_factory=list)


def make_again(
    db: Database, missing: Iterable[Finding], operator: str, now: datetime, so_far: MadeAgain | None = None
) -> MadeAgain:
    """Give missing records back to the newest delivery that wants them, which looks each up before making it.

    Each delivery is a transaction of its own; `so_far`, where it is given, is what is returned, and knows at any
    time what was committed.
    """
    made = MadeAgain() if so_far is None else so_far
    by_delivery: dict[str, list[Finding]] = {}
    for found in missing:
        by_delivery.setdefault(found.delivery, []).append(found)
    for delivery, some in by_delivery.items():
        lost = [Lost(found.kind, found.key, found.record_id) for found in some]
        chosen, wanted = give_back(db, delivery, lost, operator, now)
        if wanted:
            made.deliveries[chosen] = None
        made.left += [found for found, one in zip(some, lost, strict=True) if one not in wanted]
    return made


def may_delete(db: Database, api: Api, double: Finding) -> bool:
    """Say whether the younger one of two doubles may go: the vendor documents it, and nothing of ours is it."""
    return bool(double.younger) and not knows(db, api.connection.name, double.kind, double.younger)


def delete_double(db: Database, api: Api, double: Finding, operator: str, now: datetime) -> None:
    """Delete the younger one of two doubles, the one that is not linked. Raises the errors of worker.errors."""
    operation = api.vendor.kinds[double.kind].proof.delete
    kept = f"{api.connection.name} {double.kind} {double.key}: {double.younger}, kept {double.record_id}"
    note_deleted(db, operator, kept, now)
    api.call(operation, {"id": double.younger})
