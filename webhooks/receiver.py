"""POST /webhooks/<source>: the path of an event, from its bytes to the answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from flask import Blueprint, Response, jsonify, request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    NotFound,
    RequestEntityTooLarge,
    Unauthorized,
    UnsupportedMediaType,
)

from mappings.errors import BadBody
from mappings.source import Arrival, Naming, Source
from mappings.sources import SOURCES
from webhooks.signatures import NotGenuine, Proof, VerifiedBody, verify
from worker.handoff import HandOff
from worker.ledger.database import Database
from worker.ledger.intake import Intake, NewEvent, Stored
from worker.ledger.tables import State
from worker.settings import Settings, SourceSettings
from worker.telemetry import log

#: Headers that carry or prove a secret are not kept.
_SECRET_HEADER = re.compile(r"authorization|cookie|signature|hmac|token|secret|api-?key|password")


@dataclass(frozen=True)
class Receiver:
    """What the door needs; made once per process and handed in."""

    settings: Settings
    db: Database
    intake: Intake
    hand_off: HandOff
    clock: Callable[[], datetime]

    def blueprint(self) -> Blueprint:
        """Return the route of all sources."""
        door = Blueprint("webhooks", __name__)
        door.add_url_rule("/webhooks/<source>", view_func=self.receive, methods=["POST"])
        door.after_request(self._allow_origin)
        return door

    def receive(self, source: str) -> Response:
        """Take one event of `source`: read → verify → name → route → store → hand over → answer."""
        known = self.settings.sources.get(source)
        if known is None:
            raise NotFound(f"there is no source named {source!r}")
        kind = SOURCES[known.type]
        headers = {name.lower(): value.replace("\0", "") for name, value in request.headers.items()}
        body = _verified(kind, known, _whole_body(self.settings.body_limit), headers)
        content_type = _media_type(kind)
        arrival = _read(kind, known, body, content_type, headers)
        naming = kind.name(arrival)
        event = self._judged(kind, known, naming, body, arrival.headers, content_type)
        stored = self.intake.store(event, self.clock())
        self.hand_off.give(stored.deliveries)
        _tell(event, stored)
        return _answer(event, stored)

    def _judged(
        self,
        kind: Source,
        known: SourceSettings,
        naming: Naming,
        body: VerifiedBody,
        headers: Any,
        content_type: str,
    ) -> NewEvent:
        connections = self.settings.connections_for(known.name, naming.type)
        verdict, state, reason = "routed", State.PENDING, None
        if naming.type in kind.ignored:
            verdict, state, reason = (
                "ignored",
                State.SKIPPED,
                f"{known.type} events {naming.type} are not delivered",
            )
        elif naming.test and not known.deliver_tests:
            verdict, state, reason = "test", State.SKIPPED, "the sender marks it as a test"
        elif naming.type not in kind.handlers:
            verdict, state = "unknown", State.FAILED
            reason = f"{known.type} event {naming.type!r} is not known to this version"
        elif not connections:
            verdict = "unrouted"
        return NewEvent(
            source=known.name,
            naming=naming,
            verdict=verdict,
            content_type=content_type,
            headers={k: v for k, v in headers.items() if not _is_secret(k, v, known.secrets)},
            body=body,
            connections=connections,
            state=state,
            reason=reason,
        )

    def _allow_origin(self, response: Response) -> Response:
        # A browser that posts JSON asks first (the preflight), and reads our answer only with these headers.
        known = self.settings.sources.get((request.view_args or {}).get("source", ""))
        origin = request.headers.get("Origin", "")
        if known and known.allowed_origins:
            response.headers.add("Vary", "Origin")
            if origin in known.allowed_origins:
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Allow-Methods"] = "POST"
                response.headers["Access-Control-Allow-Headers"] = "content-type"
        return response


def _whole_body(limit: int) -> bytes:
    announced = request.content_length or 0
    try:
        # The app's MAX_CONTENT_LENGTH ends this, whatever Content-Length says; it is one byte above the limit.
        body = request.stream.read() if announced <= limit else b""
    except ParseException as error:
        raise BadRequest("the chunks of the body are broken") from error
    if max(announced, len(body)) > limit:
        raise RequestEntityTooLarge(f"the body is longer than {limit} bytes")
    if len(body) < announced:
        raise BadRequest(f"the body ends after {len(body)} of {announced} bytes")
    return body


def _is_secret(name: str, value: str, secrets: Sequence[str]) -> bool:
    # A proxy may repeat the URL, and the token in it, in a header of its own (X-Forwarded-Uri, Referer).
    if _SECRET_HEADER.search(name):
        return True
    shown = (value, unquote_plus(value)) if secrets else ()
    return any(secret in text for secret in secrets for text in shown)


def _verified(kind: Source, known: SourceSettings, body: bytes, headers: Mapping[str, str]) -> VerifiedBody:
    proof = Proof(headers, request.args, _password())
    try:
        return verify(kind.protection, known.secrets, proof, body)
    except NotGenuine as error:
        raise Unauthorized(str(error)) from error


def _password() -> str | None:
    try:
        return request.authorization.password if request.authorization else None
    except ValueError:  # werkzeug lets through what base64 says of characters that are not ASCII
        return None


def _media_type(kind: Source) -> str:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("the body is compressed: send it without Content-Encoding")
    if request.mimetype not in kind.media_types:
        wanted = ", ".join(sorted(kind.media_types))
        raise UnsupportedMediaType(
            f"Content-Type is {request.mimetype or 'missing'!r}; this source takes {wanted}"
        )
    return request.content_type or ""


def _read(
    kind: Source, known: SourceSettings, body: VerifiedBody, content_type: str, headers: Mapping[str, str]
) -> Arrival:
    try:
        payload = kind.read(body, content_type)
    except BadBody as error:
        raise BadRequest(str(error)) from error
    return Arrival(known.name, headers, payload, hashlib.sha256(body).hexdigest(), known.options)


def _answer(event: NewEvent, stored: Stored) -> Response:
    if stored.duplicate:
        return jsonify(status="duplicate", event_id=stored.event_id)
    if event.verdict in ("ignored", "test"):
        return jsonify(status="ignored", event_id=stored.event_id, reason=event.reason)
    return jsonify(status="accepted", event_id=stored.event_id)


def _tell(event: NewEvent, stored: Stored) -> None:
    log().info(
        "event.received",
        event_id=stored.event_id,
        source=event.source,
        type=event.naming.type,
        outcome="duplicate" if stored.duplicate else event.verdict,
        deliveries=len(event.connections),
    )


def refusal(error: HTTPException) -> Response:
    """Return `error` as JSON that says what to mend."""
    response = jsonify(status="refused", error=error.description)
    response.status_code = error.code or 500
    if isinstance(error, HTTPException):
        for name, value in error.get_headers():
            if name.lower() in ("allow", "retry-after"):
                response.headers[name] = value
    return response
