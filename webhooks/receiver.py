"""POST /webhooks/<source>: the path of an event, from its bytes to the answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound, Unauthorized

from mappings.errors import BadBody
from mappings.protection import Challenge, Ping
from mappings.source import Arrival, Naming, Source
from mappings.sources import SOURCES
from webhooks.forms import Guards, way_back
from webhooks.parts import parts_of
from webhooks.request import headers, kept, media_type, proof, verified, whole_body
from webhooks.signatures import NotGenuine, check_token
from worker.handoff import HandOff
from worker.ledger.database import Database
from worker.ledger.intake import Intake
from worker.ledger.new_events import NewEvent, Stored
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict
from worker.settings import Settings, SourceSettings
from worker.telemetry import log

#: Made once: jsonify makes one for each answer.
_JSON = json.JSONEncoder(separators=(",", ":"))
#: What is no event, whatever it is: it is answered by `greet`.
OTHER_METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Receiver:
    """What the door needs; made once per process and handed in."""

    settings: Settings
    db: Database
    intake: Intake
    hand_off: HandOff
    clock: Callable[[], datetime]
    guards: Guards = field(default_factory=Guards)

    def blueprint(self) -> Blueprint:
        """Return the route of all sources."""
        door = Blueprint("webhooks", __name__)
        at = "/webhooks/<source>"
        door.add_url_rule(at, view_func=self.receive, methods=["POST"], provide_automatic_options=False)
        door.add_url_rule(at, view_func=self.greet, methods=OTHER_METHODS, provide_automatic_options=False)
        door.after_request(self._allow_origin)
        return door

    def greet(self, source: str) -> Response:
        """Answer what is no event: a sender's challenge, a browser's preflight, a look whether we are there."""
        known, kind = self._known(source)
        if request.method == "OPTIONS":
            leave = self._leave(known) if kind.consents else {}
            return Response(status=200, headers={"Allow": "OPTIONS, POST"} | leave)
        if request.method == "HEAD" and kind.head:
            return Response(status=200)
        challenge = kind.challenge
        if challenge is None or request.method != "GET" or not _asks(challenge):
            raise MethodNotAllowed(["OPTIONS", "POST"])
        self._must_bear_token(known, challenge.token)
        return Response(request.args.get(challenge.echo, ""), mimetype="text/plain")

    def _leave(self, known: SourceSettings) -> dict[str, str]:
        """Return the headers without which a sender such as Azure Event Grid does not begin to post."""
        origin = request.headers.get("WebHook-Request-Origin", "")
        if not origin:
            return {}
        if known.tokens:
            self._must_bear_token(known, "token")
        return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}

    def _must_bear_token(self, known: SourceSettings, parameter: str) -> None:
        try:
            check_token(known.tokens, proof(known, dict, self.clock()), parameter)
        except NotGenuine as error:
            raise Unauthorized(str(error)) from error

    def receive(self, source: str) -> Response:
        """Take what `source` sent: read → verify → take apart → name → route → store → hand over → answer."""
        known, kind = self._known(source)
        self.guards.slow_down(known)
        body = whole_body(self.settings.body_limit)
        if kind.ping and _is_ping(kind.ping, body):
            return jsonify(status="ignored", reason="a ping")
        trusted = verified(
            kind, known, body, lambda: _read(kind, body, request.content_type or ""), self.clock()
        )
        content_type = media_type(kind)
        payload = _read(kind, trusted, content_type)
        whole = Arrival(known.name, headers(), payload, hashlib.sha256(trusted).hexdigest(), known.options)
        events = [
            self._judged(kind, known, arrival, kind.name(arrival), part, content_type)
            for arrival, part in parts_of(kind, whole, trusted)
        ]
        answers = self._taken(events)
        back = way_back(known.guard, payload) if known.guard else None
        return back or _answer(answers)

    def _known(self, source: str) -> tuple[SourceSettings, Source]:
        known = self.settings.sources.get(source)
        if known is None:
            raise NotFound(f"there is no source named {source!r}")
        return known, SOURCES[known.type]

    def _taken(self, events: list[NewEvent]) -> list[dict[str, str]]:
        """Store what one request holds, hand it over, and return what to answer for each event."""
        outcomes = []
        for event, stored in zip(events, self.intake.store_all(events, self.clock()), strict=True):
            self.hand_off.give(stored.deliveries)
            _tell(event, stored)
            outcomes.append(_outcome(event, stored))
        return outcomes

    def _judged(
        self,
        kind: Source,
        known: SourceSettings,
        arrival: Arrival,
        naming: Naming,
        body: bytes,
        content_type: str,
    ) -> NewEvent:
        connections = self.settings.connections_for(known.name, naming.type)
        verdict, state, reason = Verdict.ROUTED, State.PENDING, None
        spam = (
            self.guards.spam(known.guard, arrival.payload, self.clock().timestamp()) if known.guard else None
        )
        if naming.type in kind.ignored:
            verdict, state = Verdict.IGNORED, State.SKIPPED
            reason = f"{known.type} events {naming.type} are not delivered"
        elif naming.test and not known.deliver_tests:
            verdict, state, reason = Verdict.TEST, State.SKIPPED, "the sender marks it as a test"
        elif spam:
            verdict, state, reason = Verdict.SPAM, State.SKIPPED, spam
        elif naming.type not in kind.handlers:
            verdict, state = Verdict.UNKNOWN, State.FAILED
            reason = f"{known.type} event {naming.type!r} is not known to this version"
        elif not connections:
            verdict = Verdict.UNROUTED
        return NewEvent(
            source=known.name,
            naming=naming,
            verdict=verdict,
            content_type=content_type,
            headers=kept(arrival.headers, (*known.secrets, *known.tokens)),
            body=body,
            connections=connections,
            reachable=self.settings.connections_of(known.name) if naming.settles else (),
            state=state,
            reason=reason,
            varies=kind.varies,
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


def _asks(challenge: Challenge) -> bool:
    if challenge.only_if is None:
        return challenge.echo in request.args
    name, value = challenge.only_if
    return request.args.get(name) == value


def _is_ping(ping: Ping, body: bytes) -> bool:
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    return is_form and re.fullmatch(re.escape(ping.field) + r"=\w{1,20}", body.decode("latin-1")) is not None


def _read(kind: Source, body: bytes, content_type: str) -> Any:
    try:
        return kind.read(body, content_type)
    except BadBody as error:
        raise BadRequest(str(error)) from error


def _outcome(event: NewEvent, stored: Stored) -> dict[str, str]:
    if stored.duplicate:
        return {"status": "duplicate", "event_id": stored.event_id}
    if event.verdict in (Verdict.IGNORED, Verdict.TEST):
        return {"status": "ignored", "event_id": stored.event_id, "reason": event.reason or ""}
    # What is judged spam is answered like the rest: a robot learns nothing from it.
    return {"status": "accepted", "event_id": stored.event_id}


def _answer(outcomes: list[dict[str, str]]) -> Response:
    said: dict[str, Any] = {"status": "accepted" if outcomes else "ignored", "events": outcomes}
    text = _JSON.encode(outcomes[0] if len(outcomes) == 1 else said)
    return Response(f"{text}\n", content_type="application/json")


def _tell(event: NewEvent, stored: Stored) -> None:
    log().info(
        "event.received",
        event_id=stored.event_id,
        source=event.source,
        type=event.naming.type,
        outcome=str(Verdict.DUPLICATE if stored.duplicate else event.verdict),
        deliveries=len(event.connections),
        **({"kept_as": stored.kept} if stored.kept else {}),
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
