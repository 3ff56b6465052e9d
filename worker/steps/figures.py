"""Whether a CRM reckons what we sent as we do: the last look at a record with figures."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from mappings.vendor import Record
from worker.errors import Rejected
from worker.vendors.vendor import Item


def refuse_other_figures(record: Record, item: Item | None) -> None:
    """Raise Rejected where `item`, the record as the vendor shows it, is missing or has other figures than ours."""
    if item is None:
        raise Rejected(f"the {record.kind} was made, and is not there any more")
    wrong = {
        name: f"{item.get(name)} at the vendor, {wanted} was sent"
        for name, wanted in record.expect.items()
        if _is_reckoned(item.get(name)) and not _agree(item.get(name), wanted)
    }
    if wrong:
        said = "; ".join(f"{name}: {what}" for name, what in wrong.items())
        raise Rejected(f"the {record.kind} was made, but its figures differ: {said}", wrong)


def _is_reckoned(theirs: Any) -> bool:
    # No vendor documents that it adds up lines. One that does not shows nothing, or a zero.
    return theirs is not None and not _agree(theirs, 0)


def _agree(theirs: Any, ours: Any) -> bool:
    try:
        return Decimal(str(theirs)) == Decimal(str(ours))
    except InvalidOperation:
        return bool(theirs == ours)
