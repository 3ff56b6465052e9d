"""What a stored event asks of a CRM: its commands, and the records that they want."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from decimal import Decimal
from typing import Any

from mappings.commands import Command, RecordOrder
from mappings.errors import BadBody, CannotMap, ValueMissing
from mappings.source import Event, Source
from mappings.sources import SOURCES
from mappings.vendor import Plan, only_spoken, spoken_records
from mappings.writing.email_addresses import with_usable_address
from worker.errors import NotConfigured, Unmappable
from worker.ledger.stored_event import StoredEvent
from worker.settings import ConnectionSettings, Settings, SourceSettings
from worker.steps.first_step import First, first_step
from worker.vendors import VENDORS


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is known of a delivery before it is claimed: its plans and its first step, or why it cannot go on.

    It `adds` where something was said that stays true, whatever newer state of the same thing was delivered.
    """

    plans: list[Plan] | None = None
    first: First | None = None
    fault: Exception | None = None
    adds: bool = False


def planned_ahead(settings: Settings, connection: ConnectionSettings, event: StoredEvent) -> Ahead:
    """Return what can be known; nothing where the event is thin and nobody has fetched yet what it lacks.

    Raises nothing: a fault, a bug of a mapping, too, is the outcome of an attempt, and first there is the claim.
    """
    try:
        if _is_thin(settings, event):
            return Ahead()
        plans = planned(settings, connection, event)
        adds = any(spoken_records(plan) for plan in plans)
        return Ahead(plans, first_step(plans, VENDORS[connection.vendor]), adds=adds)
    except Exception as error:  # noqa: BLE001
        return Ahead(fault=error)


def _is_thin(settings: Settings, event: StoredEvent) -> bool:
    source, sender = source_of(settings, event)
    if sender.fetches is None or not source.api_url or event.fetched is not None:
        return False
    try:
        return any(True for _ in sender.fetches(as_seen(source, sender, event)))
    except BadBody:
        return False  # whoever maps it says so


def planned(
    settings: Settings, connection: ConnectionSettings, event: StoredEvent, is_stale: bool = False
) -> list[Plan]:
    """Return the records that a stored event wants over `connection`, a plan for each of its commands.

    Of an event that `is_stale`, only what it adds: what was said. Raises Unmappable and NotConfigured, both
    naming the place.
    """
    vendor = VENDORS[connection.vendor].mapping
    plans: list[Plan] = []
    try:
        for command in commands(settings, event):
            planner = vendor.planners.get(type(command))
            if planner is None:
                raise NotConfigured(
                    f"{connection.vendor} has no record that a {type(command).__name__} could become"
                )
            plans.append(planner(command, connection.account))
    except (CannotMap, BadBody) as error:
        raise unmappable(error) from error
    except ValueMissing as error:
        raise NotConfigured(f"connections.{connection.name}.{error.key}: {error.why}") from error
    return [only_spoken(plan) for plan in plans if spoken_records(plan)] if is_stale else plans


def unmappable(error: CannotMap | BadBody) -> Unmappable:
    """Return what a mapping's `error` means for the delivery; a body that cannot be read has no other path."""
    return (
        Unmappable(error.path, error.why) if isinstance(error, CannotMap) else Unmappable("body", str(error))
    )


def commands(settings: Settings, event: StoredEvent) -> list[Command]:
    """Return what a stored event asks for. Raises CannotMap and BadBody."""
    source, sender = source_of(settings, event)
    if event.purged_at:
        raise CannotMap("body", "was purged: an event without its payload cannot be delivered again")
    handler = sender.handlers.get(event.type)
    if handler is None:
        raise CannotMap("type", f"{source.type} event {event.type!r} is not known to this version")
    received = event.received_at.astimezone(UTC).isoformat(timespec="seconds")
    made = handler(as_seen(source, sender, event))
    return [_dated(with_usable_address(command), received) for command in made]


def source_of(settings: Settings, event: StoredEvent) -> tuple[SourceSettings, Source]:
    """Return the source that a stored event came from. Raises NotConfigured where it is there no more."""
    source = settings.sources.get(event.source)
    if source is None:
        raise NotConfigured(f"[sources.{event.source}] is not in {settings.config_path} any more")
    return source, SOURCES[source.type]


def as_seen(source: SourceSettings, sender: Source, event: StoredEvent) -> Event:
    """Return a stored event as its handler sees it. Raises BadBody."""
    return Event(
        source=event.source,
        id=event.id,
        type=event.type,
        payload=sender.read(event.body, event.content_type),
        headers=event.headers,
        entity=event.entity,
        version=event.version,
        options=_options(source),
        fetched=json.loads(event.fetched or "{}", parse_float=Decimal),
    )


def _options(source: SourceSettings) -> Mapping[str, Any]:
    # Whether an event is a test, some senders say only in what has to be fetched.
    return {**source.options, "deliver_tests": source.deliver_tests}


def _dated(command: Command, received_at: str) -> Command:
    # Mappings have no clock; a lead or ticket that tells no date of its own is dated by its arrival.
    if isinstance(command, RecordOrder):
        return command
    return replace(command, attributes={**command.attributes, "received_at": received_at})
