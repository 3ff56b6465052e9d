"""What goes wrong though the configuration has no fault: events that a CRM cannot take, fields without a place."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from mappings.commands import CommandType, OpenTicket, RecordOrder, RegisterLead
from mappings.errors import CannotMap, ValueMissing
from mappings.form_fields import KNOWN_AS
from mappings.source import Handler
from mappings.sources import SOURCES
from mappings.vendor import Plan
from relay.samples import sample
from worker.settings import ConnectionSettings, Fault, Route, Settings
from worker.vendors import VENDORS

_COMMANDS: tuple[CommandType, ...] = (RegisterLead, RecordOrder, OpenTicket)


def warnings(settings: Settings) -> list[Fault]:
    """Return what will go wrong or get lost, though every key of relay.toml is right; each once.

    A sample of each command that a source's events make is mapped for each connection of its route. The names
    of a form's fields are known from relay.toml; those of other senders only when they come.
    """
    found = [
        warning
        for place, route in enumerate(settings.routes)
        for warning in _of_route(settings, f"{settings.config_path}: routes[{place}]", route)
    ]
    return list(dict.fromkeys(found))


def _of_route(settings: Settings, where: str, route: Route) -> Iterator[Fault]:
    source = settings.sources[route.source]
    handlers = SOURCES[source.type].handlers
    events = sorted(name for name in handlers if route.events is None or name in route.events)
    attributes = [name for name in source.options.get("fields", {}) if name not in KNOWN_AS]
    for kind in _COMMANDS:
        making = [event for event in events if kind in commands_of(handlers[event])]
        for connection in (settings.connections[name] for name in route.to if making):
            if kind not in VENDORS[connection.vendor].mapping.planners:
                yield Fault(where, _impossible(route, kind, making, connection))
                continue
            where_values = f"{settings.config_path}: connections.{connection.name}"
            try:
                plan = _trial(kind, connection, attributes)
            except ValueMissing as error:
                yield Fault(f"{where_values}.{error.key}", f"{error.why}; {_needed_by(route, making)}")
            except CannotMap:
                continue  # a sample is no event: its currency, for one, may not be the account's
            else:
                yield from _lost(where_values, route, plan, attributes)


def _trial(kind: CommandType, connection: ConnectionSettings, attributes: list[str]) -> Plan:
    account = connection.account
    command = sample(kind, account, dict.fromkeys(attributes, "sample"))
    return VENDORS[connection.vendor].mapping.planners[kind](command, account)


def _impossible(route: Route, kind: CommandType, events: list[str], connection: ConnectionSettings) -> str:
    return (
        f"{connection.vendor} has nothing that {kind.__name__} could become: deliveries of "
        f"{', '.join(events)} from {route.source} to {connection.name} will fail; leave one out of the route"
    )


def _needed_by(route: Route, events: list[str]) -> str:
    return f"until it is set, deliveries of {', '.join(events)} from {route.source} will fail"


def _lost(where: str, route: Route, plan: Plan, attributes: list[str]) -> Iterator[Fault]:
    dropped = {row.source for row in plan.fields if row.outcome == "dropped"}
    for name in attributes:
        if f"attributes.{name}" in dropped:
            yield Fault(
                where,
                f"the field {name!r} of {route.source} has no place here and will be dropped; if the CRM has a "
                f"custom field for it, name it in custom_fields",
            )


def commands_of(handler: Handler) -> frozenset[CommandType]:
    """Return the commands that a handler can make, as its signature says; none where it does not say."""
    function: Any = getattr(handler, "func", handler)
    told = get_type_hints(function if isinstance(function, FunctionType) else type(function).__call__)
    kinds = {inner for argument in get_args(told.get("return")) for inner in _members(argument)}
    return frozenset(kind for kind in _COMMANDS if kind in kinds)


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
