"""The request of a REST call: which part of its input goes into the path, the query and the body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from worker.errors import Unmappable
from worker.http import Request
from worker.settings import ConnectionSettings
from worker.vendors.vendor import Call, Caller, Item, Operation, json_body


def bearer(token: str) -> str:
    """Return the Authorization header of RFC 6750."""
    return f"Bearer {token}"


def rest(
    authorization: Callable[[str], str] = bearer,
) -> Callable[[ConnectionSettings, Call, str], Request]:
    """Return what builds the requests of a REST vendor."""

    def build(connection: ConnectionSettings, call: Call, token: str) -> Request:
        operation, values = call.operation, call.values
        address = connection.base_url + filled(operation.path, values)
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = authorization(token)
        others = {k: v for k, v in values.items() if not _only_in_path(operation, k)}
        if operation.sends == "query" or operation.verb in ("GET", "DELETE"):
            return Request(operation.verb, address, headers, query_of(others))
        if operation.sends.startswith("multipart"):
            query, form = query_of(others), dict[str, str]()
            if operation.sends == "multipart form":
                query, form = form, query
            kind, body = multipart(form)
            return Request(operation.verb, address, headers | {"content-type": kind}, query, body)
        headers["content-type"] = "application/json"
        return Request(operation.verb, address, headers, {}, json_body(others))

    return build


def filled(path: str, values: Mapping[str, Any]) -> str:
    """Return `path` with its `{names}` filled in; a slash in a value is no part of the path.

    Raises Unmappable for a value that would lead to another path.
    """
    return re.sub(r"{(\w+)}", lambda name: _segment(name[1], str(values[name[1]])), path)


def _segment(name: str, value: str) -> str:
    # Quoting leaves dots alone, and two of them go up: to all records, or to another operation.
    if value in ("", ".", ".."):
        raise Unmappable(name, f"{value!r} is no id that could stand in an address")
    return quote(value, safe="@")


def query_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Return `values` as query parameters, truth values in the words of JSON."""
    return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in values.items() if v is not None}


def multipart(fields: Mapping[str, str]) -> tuple[str, bytes]:
    """Return media type and bytes of a form of text fields (RFC 7578)."""
    boundary = f"relay-{uuid4().hex}"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return f"multipart/form-data; boundary={boundary}", f"{''.join(parts)}--{boundary}--\r\n".encode()


def _only_in_path(operation: Operation, name: str) -> bool:
    if name not in operation.path_names:
        return False
    return operation.request is None or name not in operation.request._declared_fields


def record_id(*names: str) -> Callable[[Any], str | None]:
    """Return what takes a new record's id from an answer, where it is at `names`: the answer itself for none."""

    def taken(answer: Any) -> str | None:
        for name in names:
            answer = answer.get(name) if isinstance(answer, Mapping) else None
        is_one = isinstance(answer, str | int) and not isinstance(answer, bool) and answer not in ("", 0)
        return str(answer) if is_one else None

    return taken


def partial_update(operation: str) -> Callable[[Caller, str, Mapping[str, Any]], None]:
    """Return an update that sends only what changes."""

    def update(api: Caller, record: str, changes: Mapping[str, Any]) -> None:
        api.call(operation, {**changes, "id": record})

    return update


def whole_update(
    read: str,
    operation: str,
    written: Callable[[Item], Mapping[str, Any]],
    adds: tuple[str, ...] = (),
) -> Callable[[Caller, str, Mapping[str, Any]], None]:
    """Return an update for a vendor that replaces the whole record: read, change, write back.

    `written` turns what `read` answers into the body of `operation`, so that what people have put into other
    fields stays. Of the texts that it `adds`, those lines of a change that are not there yet go below the rest.
    """

    def update(api: Caller, record: str, changes: Mapping[str, Any]) -> None:
        before = written(api.call(read, {"id": record}))
        added = {text: _below(before.get(text), changes[text]) for text in adds if text in changes}
        api.call(operation, {**before, **changes, **added, "id": record})

    return update


def _below(before: Any, added: str) -> str:
    text = str(before or "")
    news = "\n".join(line for line in added.splitlines() if line not in text)
    return "\n\n".join(part for part in (text, news) if part)
