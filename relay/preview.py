"""What a request would become at each CRM, without calling any."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mappings.commands import as_json
from mappings.errors import BadBody, CannotMap
from mappings.source import Arrival, Naming
from mappings.sources import SOURCES
from mappings.vendor import JsonText, Named, Ref
from relay.errors import WrongInput
from relay.send import content_type_of
from webhooks.parts import parts_of
from worker.errors import Stop
from worker.ledger.stored_event import StoredEvent
from worker.planning import as_seen, commands, planned
from worker.settings import ConnectionSettings, Settings, SourceSettings
from worker.vendors import VENDORS


def preview_file(
    settings: Settings,
    source: SourceSettings,
    file: Path,
    event_type: str | None,
    headers: Mapping[str, str],
    content_type: str | None,
    fetched: str | None = None,
) -> dict[str, Any]:
    """Return the event's name, its commands, and for each connection the requests and the field ledger.

    `fetched` is the JSON that stands for what a thin event lacks, by name. A file that holds several events gives
    {"events": [...]} with the same for each. Raises WrongInput, saying what is wrong, where the file is no body of
    that source.
    """
    shown = [
        _shown(settings, source, replace(event, fetched=fetched), naming)
        for event, naming in _arrived(source, file, event_type, headers, content_type)
    ]
    return shown[0] if len(shown) == 1 else {"events": shown}


def has_errors(found: Mapping[str, Any]) -> bool:
    """Say whether an event of what `preview_file` returned, or a delivery of one, ends with an error."""
    events = found.get("events", [found])
    return any("error" in one for event in events for one in (event, *event["deliveries"]))


def _shown(settings: Settings, source: SourceSettings, event: StoredEvent, naming: Naming) -> dict[str, Any]:
    named: dict[str, Any] = {"type": event.type, "dedup_key": naming.dedup_key, "entity": naming.entity}
    named |= {"version": naming.version, "test": naming.test}
    sender = SOURCES[source.type]
    if event.type in sender.ignored:
        return {"event": named, "commands": [], "deliveries": [], "ignored": "not delivered, on purpose"}
    wanted = sender.fetches
    try:
        if wanted and source.api_url and not event.fetched:
            seen = as_seen(source, sender, event)
            lacking = [{"name": fetch.name, "path": fetch.path} for fetch in wanted(seen)]
            if lacking:
                return {"event": named, "commands": [], "deliveries": [], "fetches": lacking}
        asked = [as_json(command) for command in commands(settings, event)]
    except (BadBody, CannotMap) as error:
        return {"event": named, "commands": [], "deliveries": [], "error": str(error)}
    connections = settings.connections_for(source.name, event.type)
    return {
        "event": named,
        "commands": asked,
        "deliveries": [_delivery(settings, settings.connections[name], event) for name in connections],
    }


def _arrived(
    source: SourceSettings,
    file: Path,
    event_type: str | None,
    headers: Mapping[str, str],
    content_type: str | None,
) -> list[tuple[StoredEvent, Naming]]:
    """Return each event of the file as the ledger would hold it, and its name."""
    sender, body = SOURCES[source.type], file.read_bytes()
    media = content_type_of(sender, file.name, content_type)
    try:
        payload = sender.read(body, media)
    except BadBody as error:
        raise WrongInput(f"{file}: {error}") from error
    given = {**headers, **({sender.event_header: event_type} if event_type and sender.event_header else {})}
    whole = Arrival(source.name, given, payload, hashlib.sha256(body).hexdigest(), source.options)
    return [
        (_stored(source, part, own, sender.name(part), event_type, media), sender.name(part))
        for part, own in parts_of(sender, whole, body)
    ]


def _stored(
    source: SourceSettings, arrival: Arrival, body: bytes, naming: Naming, event_type: str | None, media: str
) -> StoredEvent:
    return StoredEvent(
        id="preview",
        source=source.name,
        type=event_type or naming.type,
        entity=naming.entity,
        version=naming.version,
        received_at=datetime.now(UTC),
        content_type=media,
        headers=arrival.headers,
        body=body,
    )


def _delivery(settings: Settings, connection: ConnectionSettings, event: StoredEvent) -> dict[str, Any]:
    about = {"connection": connection.name, "vendor": connection.vendor}
    try:
        plans = planned(settings, connection, event)
    except Stop as error:
        return {**about, "requests": [], "fields": [], "error": f"{type(error).__name__}: {error}"}
    kinds = VENDORS[connection.vendor].kinds
    records = [record for plan in plans for record in plan.records]
    rows = [row for plan in plans for row in plan.fields]
    return {
        **about,
        "requests": [{"operation": kinds[r.kind].create, "body": _plain(r.body)} for r in records],
        "fields": [{"from": row.source, "to": row.target, "outcome": row.outcome} for row in rows],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Named):
        return f"<the id of {value.name!r} among the vendor's {value.list}>"
    if isinstance(value, JsonText):
        return _plain(value.value)
    if isinstance(value, Ref):
        return f"<the {value.field or 'id'} of {value.kind} {value.key}>"
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
