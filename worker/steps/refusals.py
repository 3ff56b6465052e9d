"""A create that the CRM refuses, perhaps because the record is there already."""

from __future__ import annotations

from mappings.vendor import Record
from worker.errors import Stop
from worker.vendors.api import Api
from worker.vendors.vendor import Kind


def there_already(api: Api, kind: Kind, record: Record) -> str | None:
    """Return the id of a record whose create was refused, None where it is not there or nothing can tell.

    With which code a CRM refuses a key that it knows no vendor's document says. A shared record was looked up a
    moment ago. Raises the errors of worker.errors where the CRM cannot be asked now; a look-up that is refused
    itself says less than the refusal.
    """
    if record.shared or kind.find is None or not record.match:
        return None
    try:
        return kind.find(api, record, None)
    except Stop:
        return None
