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
from mappings.source import Arrival, Source
from mappings.sources import SOURCES
from webhooks.forms import Guards, way_back
from webhooks.judging import judge
from webhooks.parts import parts_of
from webhooks.request import headers, kept, media_type, proof, verified, whole_body
from webhooks.signatures import NotGenuine, check_token
from worker.handoff import HandOff
from worker.ledger.database import Database
from worker.ledger.intake import Intake
from worker.ledger.new_events import NewEvent, Stored
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
        at = "/webhooks/<name>"
        door.add_url_rule(at, view_func=self.receive, methods=["POST"], provide_automatic_options=False)
        door.add_url_rule(at, view_func=self.greet, methods=OTHER_METHODS, provide_automatic_options=False)
        door.after_request(self._allow_origin)
        return door

    def greet(self, name: str) -> Response:
        """Answer what is no event: a sender's challenge, a browser's preflight, a look whether we are there."""
        source, sender = self._source(name)
        if request.method == "OPTIONS":
            consent = self._consent(source) if sender.consents else {}
            return Response(status=200, headers={"Allow": "OPTIONS, POST"} | consent)
        if request.method == "HEAD" and sender.head:
            return Response(status=200)
        challenge = sender.challenge
        if challenge is None or request.method != "GET" or not _asks(challenge):
            raise MethodNotAllowed(["OPTIONS", "POST"])
        self._must_bear_token(source, challenge.token)
        return Response(request.args.get(challenge.echo, ""), mimetype="text/plain")

    def _consent(self, source: SourceSettings) -> dict[str, str]:
        """Return the headers without which a sender such as Azure Event Grid does not begin to post."""
        origin = request.headers.get("WebHook-Request-Origin", "")
        if not origin:
            return {}
        if source.tokens:
            self._must_bear_token(source, "token")
        return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}

    def _must_bear_token(self, source: SourceSettings, parameter: str) -> None:
        try:
            check_token(source.tokens, proof(source, dict, self.clock()), parameter)
        except NotGenuine as error:
            raise Unauthorized(str(error)) from error

    def receive(self, name: str) -> Response:
        """Take what came for a source: read → verify → take apart → name → route → store → hand over → answer."""
        source, sender = self._source(name)
        self.guards.slow_down(source)
        body = whole_body(self.settings.body_limit)
        if sender.ping and _is_ping(sender.ping, body):
            return jsonify(status="ignored", reason="a ping")
        trusted = verified(
            sender, source, body, lambda: _read(sender, body, request.content_type or ""), self.clock()
        )
        content_type = media_type(sender)
        payload = _read(sender, trusted, content_type)
        whole = Arrival(source.name, headers(), payload, hashlib.sha256(trusted).hexdigest(), source.options)
        events = [
            self._new_event(source, sender, arrival, part, content_type)
            for arrival, part in parts_of(sender, whole, trusted)
        ]
        answers = self._stored(events)
        back = way_back(source.guard, payload) if source.guard else None
        return back or _answer(answers)

    def _source(self, name: str) -> tuple[SourceSettings, Source]:
        """Return the source of that name, and what its sender declares."""
        source = self.settings.sources.get(name)
        if source is None:
            raise NotFound(f"there is no source named {name!r}")
        return source, SOURCES[source.type]

    def _stored(self, events: list[NewEvent]) -> list[dict[str, str]]:
        """Store what one request holds, hand it over, and return what to answer for each event."""
        outcomes = []
        for event, stored in zip(events, self.intake.store_all(events, self.clock()), strict=True):
            self.hand_off.give(stored.deliveries)
            _tell(event, stored)
            outcomes.append(_outcome(event, stored))
        return outcomes

    def _new_event(
        self, source: SourceSettings, sender: Source, arrival: Arrival, body: bytes, content_type: str
    ) -> NewEvent:
        """Name an event, judge it, and say where it goes."""
        naming = sender.name(arrival)
        connections = self.settings.connections_for(source.name, naming.type)
        judged = judge(source, sender, naming, lambda: self._spam(source, arrival.payload), bool(connections))
        return NewEvent(
            source=source.name,
            naming=naming,
            verdict=judged.verdict,
            content_type=content_type,
            headers=kept(arrival.headers, (*source.secrets, *source.tokens)),
            body=body,
            connections=connections,
            reachable=self.settings.connections_of(source.name) if naming.settles else (),
            state=judged.state,
            reason=judged.reason,
            varies=sender.varies,
        )

    def _spam(self, source: SourceSettings, payload: Any) -> str | None:
        if source.guard is None:
            return None
        return self.guards.spam(source.guard, payload, self.clock().timestamp())

    def _allow_origin(self, response: Response) -> Response:
        # A browser that posts JSON asks first (the preflight), and reads our answer only with these headers.
        source = self.settings.sources.get((request.view_args or {}).get("name", ""))
        origin = request.headers.get("Origin", "")
        if source and source.allowed_origins:
            response.headers.add("Vary", "Origin")
            if origin in source.allowed_origins:
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


def _read(sender: Source, body: bytes, content_type: str) -> Any:
    try:
        return sender.read(body, content_type)
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
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response
