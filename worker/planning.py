"""From a stored event to the records that it wants at a vendor: read → commands → plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

from mappings.commands import Command, RecordOrder
from mappings.errors import BadBody, CannotMap, ValueMissing
from mappings.source import Event
from mappings.sources import SOURCES
from mappings.vendor import Plan
from worker.errors import NotConfigured, Unmappable
from worker.settings import ConnectionSettings, Settings
from worker.vendors import VENDORS


def planned(settings: Settings, connection: ConnectionSettings, event: Any) -> list[Plan]:
    """Return the records that a stored event wants over `connection`, a plan for each of its commands.

    Raises Unmappable and NotConfigured, both naming the place.
    """
    vendor = VENDORS[connection.vendor].mapping
    plans: list[Plan] = []
    try:
        for command in commands(settings, event):
            planner = vendor.planners.get(type(command))
            if planner is None:
                raise NotConfigured(
                    f"{connection.vendor} has nothing that a {type(command).__name__} could become"
                )
            plans.append(planner(command, connection.account))
    except (CannotMap, BadBody) as error:
        raise Unmappable(getattr(error, "path", "body"), getattr(error, "why", str(error))) from error
    except ValueMissing as error:
        raise NotConfigured(f"connections.{connection.name}.{error.key}: {error.why}") from error
    return plans


def commands(settings: Settings, event: Any) -> list[Command]:
    """Return what a stored event asks for. Raises CannotMap and BadBody."""
    source = settings.sources.get(event["source"])
    if source is None:
        raise NotConfigured(f"[sources.{event['source']}] is not in {settings.config_path} any more")
    kind = SOURCES[source.type]
    handler = kind.handlers.get(event["type"])
    if handler is None:
        raise CannotMap("type", f"{source.type} event {event['type']!r} is not known to this version")
    seen = Event(
        source=event["source"],
        id=event["id"],
        type=event["type"],
        payload=kind.read(event["body"], event["content_type"]),
        headers=event["headers"],
        entity=event["entity"],
        version=event["version"],
        options=source.options,
    )
    received = event["received_at"].astimezone(UTC).isoformat(timespec="seconds")
    return [_dated(command, received) for command in handler(seen)]


def _dated(command: Command, received_at: str) -> Command:
    # Mappings have no clock; a lead or ticket that tells no date of its own is dated by its arrival.
    if isinstance(command, RecordOrder):
        return command
    return replace(command, attributes={**command.attributes, "received_at": received_at})
