"""What ONLYOFFICE answers: an envelope around everything, except where its web server speaks before it.

Facts are from the source of the server (ApiStandartResponce, ApiHttpHandler, ErrorHttpHandler) and from the
vendor's page of basic concepts, which states the limit of 500 requests in 10 seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from worker.errors import CredentialsRefused, DeliveryError, OutcomeUnknown, RateLimited, Rejected
from worker.http import Answer
from worker.http.retry_after import retry_after, told_at
from worker.masking import excerpt, masked
from worker.vendors.answers import by_status, read_json
from worker.vendors.vendor import Call

LOGIN = "auth_token"
#: What a 404 says where not a record is missing but the address.
_NO_METHOD = "Method not found"
_PARAMETERS = re.compile(r"Parameter name: ([\w, ]+)")


def read(call: Call, answer: Answer) -> Any:
    """Return the envelope's `response`, of a list the whole envelope; all names in lower case.

    The vendor's own samples mix `Label` with `id`. A login's answer gets `lasts`: how long its token works, a
    timedelta, None where that cannot be told.
    Raises RateLimited for a 503 with Retry-After, Rejected for a 404 that is about a record.
    """
    said = _envelope(answer)
    if not 200 <= answer.status < 300 or said.get("status") or _code(said) >= 400:
        raise _failure(call, answer, said)
    content = _lowered(read_json(call, answer))
    if not isinstance(content, dict) or "response" not in content:
        raise OutcomeUnknown(f"{call.operation.name}: answered without `response`: {excerpt(answer.body)!r}")
    if call.operation.paging:
        return content
    response = content["response"]
    if call.operation.name == LOGIN and isinstance(response, dict):
        return {**response, "lasts": _lasting(response.get("expires"), answer.headers)}
    return response


def _failure(call: Call, answer: Answer, said: Mapping[str, Any]) -> DeliveryError:
    status = answer.status if answer.status >= 300 else max(_code(said), 400) if _code(said) else 500
    error = by_status(call, replace(answer, status=status))
    fault = said.get("error")
    message = str(fault.get("message") or "") if isinstance(fault, dict) else ""
    text = f"{call.operation.name}: answered {status}: {excerpt(message or answer.body)}"
    if status == 503 and "retry-after" in answer.headers:
        error = RateLimited(text, retry_after(answer.headers))
    elif call.operation.name == LOGIN and said:
        # The server has no status of its own for a wrong password: it is a 500 like any other exception.
        error = CredentialsRefused(text)
    elif status == 404 and message not in ("", _NO_METHOD):
        error = Rejected(text, {"": masked(message)})
    elif isinstance(error, Rejected) and message:
        names = _PARAMETERS.search(message)
        fields = [name.strip() for name in names[1].split(",")] if names else [""]
        error = Rejected(text, dict.fromkeys(fields, masked(message)))
    error.status = status
    return error


def _envelope(answer: Answer) -> Mapping[str, Any]:
    """Return what a failure says, nothing where it is no envelope: 401 is plain text, a gateway's 502 HTML."""
    try:
        content = _lowered(json.loads(answer.body))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) and "statuscode" in content else {}


def _code(said: Mapping[str, Any]) -> int:
    code = said.get("statuscode")
    return code if isinstance(code, int) else 0


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name).lower(): _lowered(item) for name, item in value.items()}
    return [_lowered(item) for item in value] if isinstance(value, list) else value


def _lasting(expires: Any, headers: Mapping[str, str]) -> timedelta | None:
    """Return for how long a token works, by the vendor's own clock where it tells the time."""
    try:
        until = datetime.fromisoformat(str(expires))
    except ValueError:
        return None
    now = told_at(headers)
    return until - now if until.tzinfo and until > now else None
