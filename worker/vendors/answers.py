"""What an answer's status and form mean, for every vendor alike; what is inside is the vendor's own matter."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from worker.errors import (
    CredentialsRefused,
    DeliveryError,
    NotConfigured,
    OutcomeUnknown,
    RateLimited,
    Rejected,
)
from worker.http import Answer
from worker.http.retry_after import retry_after
from worker.masking import excerpt, masked
from worker.vendors.vendor import Call


def read_json(call: Call, answer: Answer) -> Any:
    """Return the JSON of a successful answer.

    Raises by status: 401 CredentialsRefused, 429 RateLimited, 404 and 405 on a path without ids NotConfigured,
    other 4xx Rejected; anything else that is no JSON in a 2xx is OutcomeUnknown (Api.call softens that to
    VendorDown where the operation changes nothing). A 5xx is never taken for "nothing happened": gateways
    send 502 to 504 for requests that were carried out, and so do servers that fail after their commit.
    """
    if not 200 <= answer.status < 300:
        raise by_status(call, answer)
    try:
        return json.loads(answer.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        text = f"{call.operation.name}: answered {answer.status} with no JSON: {excerpt(answer.body)!r}"
        raise _with_status(OutcomeUnknown(text), answer) from None


def by_status(call: Call, answer: Answer) -> DeliveryError:
    """Return what a status that is no success means; see `read_json`."""
    return _with_status(_by_status(call, answer), answer)


def _by_status(call: Call, answer: Answer) -> DeliveryError:
    status, name = answer.status, call.operation.name
    text = f"{name}: answered {status}: {excerpt(answer.body)}"
    if status == 401:
        return CredentialsRefused(text)
    if status == 429:
        return RateLimited(text, retry_after(answer.headers))
    if status == 405 or (status == 404 and not call.operation.path_names):
        return NotConfigured(f"{text}; {_where_to_look(call)}")
    if status in (408, 409, 425) or not 400 <= status < 500:
        # 409 says that it is there already: the probe will find and adopt it.
        return OutcomeUnknown(text, retry_after(answer.headers))
    if status == 404 and not call.operation.confirmed:
        text = f"{text}; the record is gone, or {_where_to_look(call)}"
    return Rejected(text, complaints(answer.body))


def _where_to_look(call: Call) -> str:
    if call.operation.confirmed:
        return "check the connection's base_url"
    return (
        f"the vendor's document does not state this path ({call.operation.verb} {call.operation.path}): "
        f"set paths.{call.operation.name} or verbs.{call.operation.name} of the connection in relay.toml"
    )


def complaints(body: bytes) -> dict[str, str]:
    """Return what a refusal says, by field where it names fields, else under the empty name; masked."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    by_field = content.get("errors")
    if isinstance(by_field, dict) and by_field:
        return {str(k): _told(v) for k, v in by_field.items()}
    error = content.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        error = error["message"]
    said = content.get("message") or by_field or error or content.get("detail")
    if isinstance(said, dict):
        return {str(k): _told(v) for k, v in said.items()}
    return {"": _told(said)} if said else {}


def _told(said: Any) -> str:
    return "; ".join(masked(str(item)) for item in said) if isinstance(said, list) else masked(str(said))


def _with_status(error: DeliveryError, answer: Answer) -> DeliveryError:
    error.status = answer.status
    return error
