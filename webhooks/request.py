"""What the door takes from an HTTP request: its body, whole and bounded, its headers, what it offers as proof."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote_plus

from flask import g, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    RequestEntityTooLarge,
    Unauthorized,
    UnsupportedMediaType,
)

from mappings.source import Source
from webhooks.signatures import NotGenuine, Proof, VerifiedBody, verify
from worker.settings import SourceSettings

#: Headers that carry or prove a secret are not kept.
_SECRET_HEADER = re.compile(r"authorization|cookie|signature|hmac|token|secret|api-?key|password")


def whole_body(limit: int) -> bytes:
    """Return the body. Raises RequestEntityTooLarge above `limit` bytes, BadRequest where it is cut short."""
    announced = request.content_length or 0
    try:
        # The app's MAX_CONTENT_LENGTH ends this, whatever Content-Length says; it is one byte above the limit.
        body = request.stream.read() if announced <= limit else b""
    except ParseException as error:
        raise BadRequest("the chunks of the body are broken") from error
    except ClientDisconnected as error:
        if not isinstance(error.__context__, TimeoutError):
            raise
        # Nobody waits for it: what is within the limit was all there before we began to read.
        raise RequestEntityTooLarge(
            f"the body is longer than {limit} bytes, or with its chunks' sizes than {2 * limit}"
        ) from error
    if max(announced, len(body)) > limit:
        raise RequestEntityTooLarge(f"the body is longer than {limit} bytes")
    if len(body) < announced:
        raise BadRequest(f"the body ends after {len(body)} of {announced} bytes")
    return body


def verified(
    sender: Source, source: SourceSettings, body: bytes, read: Callable[[], Any], now: datetime
) -> VerifiedBody:
    """Return `body` as verified. Raises Unauthorized, which says what the request lacks."""
    _check_address(source)
    # The token of a sender that asks for a challenge is spent there; what it posts later bears none.
    tokens = () if sender.challenge else source.tokens
    try:
        return verify(source.signatures, source.secrets, tokens, proof(source, read, now), body)
    except NotGenuine as error:
        raise Unauthorized(str(error)) from error


def proof(source: SourceSettings, read: Callable[[], Any], now: datetime) -> Proof:
    """Return what this request offers as proof."""
    return Proof(
        headers(), lambda: request.args, _password, request.method, lambda: _called_url(source), read, now
    )


def headers() -> Mapping[str, str]:
    """Return the request's headers, their names in lower case."""
    found: Mapping[str, str] | None = g.get("headers")
    if found is None:
        found = g.headers = {name.lower(): value.replace("\0", "") for name, value in request.headers.items()}
    return found


def kept(given: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers that may be stored: none that carries or proves a secret."""
    return {k: v for k, v in given.items() if not _is_secret(k, v, secrets)}


def media_type(sender: Source) -> str:
    """Return the Content-Type. Raises UnsupportedMediaType where the source takes no such thing."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("the body is compressed: send it without Content-Encoding")
    if request.mimetype not in sender.media_types:
        wanted = ", ".join(sorted(sender.media_types))
        raise UnsupportedMediaType(
            f"Content-Type is {request.mimetype or 'missing'!r}; this source takes {wanted}"
        )
    return request.content_type or ""


def _check_address(source: SourceSettings) -> None:
    if source.addresses is None:
        return
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        raise Unauthorized("the address that this comes from is not known") from None
    if not any(address in network for network in source.addresses):
        raise Unauthorized(f"{address} is not among the source's allowed_addresses")


def _called_url(source: SourceSettings) -> str:
    query = request.query_string.decode("latin-1")
    return f"{source.public_url}{'?' if query else ''}{query}" if source.public_url else request.url


def _password() -> str | None:
    try:
        return request.authorization.password if request.authorization else None
    except ValueError:  # werkzeug lets through what base64 says of characters that are not ASCII
        return None


def _is_secret(name: str, value: str, secrets: Sequence[str]) -> bool:
    # A proxy may repeat the URL, and the token in it, in a header of its own (X-Forwarded-Uri, Referer).
    if _SECRET_HEADER.search(name):
        return True
    shown = (value, unquote_plus(value)) if secrets else ()
    return any(secret in text for secret in secrets for text in shown)
