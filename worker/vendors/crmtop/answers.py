"""What CRMTop's answers mean: the envelope `success code message data errors meta`, and ASP.NET's own errors.

The reference shows only successes. So a failure is whatever is not plainly a success: HTTP status, `success`
and `code` must all three say so; which failure it is the `code` says, before the HTTP status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from worker.errors import CredentialsRefused, DeliveryError, NotConfigured, OutcomeUnknown, Rejected
from worker.http import Answer
from worker.http.retry_after import told_at
from worker.masking import excerpt
from worker.vendors.answers import by_status, complaints, read_json
from worker.vendors.crmtop.operations import LOGIN
from worker.vendors.vendor import Call, Item

#: What the samples print for every id; never the id of anything.
NO_ID = "00000000-0000-0000-0000-000000000000"
#: An `expiration` above these is a point in time, in milliseconds or in seconds; below, a number of seconds.
_EPOCH_MS, _EPOCH = 10**12, 10**9


def read(call: Call, answer: Answer) -> Any:
    """Return `data` of an answer that is a success in every respect; raise what else it means."""
    content = _content(answer.body)
    if content is None or (answer.status < 300 and "success" not in content):
        read_json(call, answer)
        raise OutcomeUnknown(f"{call.operation.name}: answered without `success`: {excerpt(answer.body)!r}")
    status = _status(content, answer.status)
    if not 200 <= status < 300:
        raise _failure(call, answer, status)
    data = content.get("data")
    if call.operation.name == LOGIN and isinstance(data, Mapping):
        return {**data, "seconds": _seconds(data.get("expiration"), told_at(answer.headers))}
    if call.operation.paging and isinstance(data, Mapping):
        _refuse_misplaced(call, data)
        if data.get("data") is None and _counts_none(data):
            return {**data, "data": []}
    return data


def _counts_none(page: Item) -> bool:
    # The reference shows no empty page: one may write it as null. It is believed only with the count that says so.
    count = page.get("totalCount")
    return count == 0 and not isinstance(count, bool)


def _content(body: bytes) -> Item | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _status(content: Item, http: int) -> int:
    code = content.get("code", content.get("status"))  # `status` is the word of ASP.NET's problem details
    if isinstance(code, int) and not isinstance(code, bool) and not 200 <= code < 300:
        return code
    if not 200 <= http < 300:
        return http
    return http if content.get("success") is True else 500


def _failure(call: Call, answer: Answer, status: int) -> DeliveryError:
    error = by_status(call, replace(answer, status=status))
    if status == 404:
        # A wrong path gets an empty 404; where there is something to read, a record is missing.
        error = Rejected(f"{call.operation.name}: not there: {excerpt(answer.body)}", complaints(answer.body))
    if call.operation.name == LOGIN and isinstance(error, Rejected):
        error = CredentialsRefused(str(error))
    error.status = status
    return error


def _refuse_misplaced(call: Call, page: Item) -> None:
    """Raise NotConfigured where pages are counted otherwise: the look-up would miss the records of a page."""
    paging = call.operation.paging
    asked = call.values.get(paging.position) if paging else None
    if paging is None or not isinstance(asked, int):
        return
    begins = asked == paging.first
    current = page.get("currentPage")
    if (
        (isinstance(current, int) and current > asked)
        or (begins and page.get("hasPreviousPage") is True)
        or (begins and page.get("totalCount") and not page.get("data"))
    ):
        raise NotConfigured(
            f"{call.operation.name}: page {asked} was asked for and the answer is another: the vendor does not "
            f"count its pages from {paging.first}; set values.first_page = {1 - paging.first} of the connection"
        )


def _seconds(expiration: Any, now: datetime) -> float | None:
    """Return for how long a token lasts; None where that is not said or is over, as in the sample's 0."""
    if isinstance(expiration, bool) or not isinstance(expiration, int | float):
        return None
    if expiration <= _EPOCH:
        return expiration if expiration > 0 else None
    try:
        until = datetime.fromtimestamp(expiration / (1000 if expiration > _EPOCH_MS else 1), UTC)
    except (OverflowError, ValueError, OSError):
        return None
    left = (until - now) / timedelta(seconds=1)
    return left if left > 0 else None
