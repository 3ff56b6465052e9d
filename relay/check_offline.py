"""What goes wrong though the configuration has no fault: events that a CRM cannot take, fields without a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FunctionType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from mappings.commands import CommandType, OpenTicket, OrderStatus, RecordOrder, RegisterLead
from mappings.errors import CannotMap, ValueMissing
from mappings.reading.form_fields import KNOWN_AS
from mappings.source import Handler
from mappings.sources import SOURCES
from mappings.vendor import Plan
from relay.samples import sample
from worker.settings import ConnectionSettings, Fault, Route, Settings
from worker.vendors import VENDORS

_COMMANDS: tuple[CommandType, ...] = (RegisterLead, RecordOrder, OpenTicket)


def warnings(settings: Settings) -> list[Fault]:
    """Return what will go wrong or get lost, though every key of relay.toml is right; each once.

    A sample of each command that a source's events make is mapped for each connection of its routes. Of the
    fields that only some senders have, those are known that the source's `fields` name; no others are until
    they come.
    """
    found: list[Fault] = [*_open_to_all(settings), *_ending(settings), *_of_no_operation(settings)]
    plans: dict[str, dict[str, Plan]] = {}
    for place, route in enumerate(settings.routes):
        for command, events, connection in _paths(settings, route):
            try:
                plan = _trial(settings, route, command, connection)
            except _Impossible:
                found.append(_impossible(settings, place, command, events, connection))
            except ValueMissing as error:
                found.append(_needed(settings, route, events, connection, error))
            except CannotMap:
                continue  # a sample is no event: its currency, for one, may not be the account's
            else:
                plans.setdefault(route.source, {})[f"{connection.name} {command.__name__}"] = plan
    for source, made in plans.items():
        found += _lost(settings, source, made)
    found += _without_consent(settings, plans)
    found += _standing_open(settings)
    return list(dict.fromkeys(found))


def _open_to_all(settings: Settings) -> Iterator[Fault]:
    """Yield a warning for each source that says `unprotected = true`."""
    for name, source in settings.sources.items():
        if not source.unprotected:
            continue
        sender = SOURCES[source.type]
        # The token of a sender with a challenge is spent there: what is posted later bears none.
        if source.secrets or source.addresses or (source.tokens and sender.challenge is None):
            what = "has no effect, since secret, token or address are checked anyway; remove it"
        elif sender.is_public:
            what = (
                "has no effect, since anybody may post to a public form anyway; remove it, and set what keeps "
                f"robots out in [sources.{name}.form]"
            )
        else:
            key = "secret_env" if sender.signatures else "token_env"
            what = (
                f"lets anybody who learns the address write into {_reached(settings, name)}; set {key} or "
                "allowed_addresses, and remove it"
            )
        yield Fault(f"{settings.config_path}: sources.{name}.unprotected", what)


def _ending(settings: Settings) -> Iterator[Fault]:
    """Yield a warning for each source with a fixed token that will end, unless a gateway puts in another one."""
    for name, source in settings.sources.items():
        api = SOURCES[source.type].api
        renewal = api.renewal if api is not None and source.api_url == api.url.rstrip("/") else None
        if source.api_token and renewal is not None and renewal.grant == "refresh_token":
            yield Fault(
                f"{settings.config_path}: sources.{name}.api_token_env",
                f"names a token that ends {renewal.lasts.total_seconds() / 3600:.0f} hours after it was made; name "
                "api_client_id_env, api_client_secret_env and api_refresh_token_env instead, so that it is renewed",
            )


def _of_no_operation(settings: Settings) -> Iterator[Fault]:
    """Yield a warning for each path and verb of an operation that the vendor does not have."""
    for name, connection in settings.connections.items():
        known = VENDORS[connection.vendor].operations
        for key, given in (("paths", connection.paths), ("verbs", connection.verbs)):
            for operation in sorted(given.keys() - known.keys()):
                yield Fault(
                    f"{settings.config_path}: connections.{name}.{key}.{operation}",
                    f"has no effect: there is no such operation; `relay operations --vendor {connection.vendor}` "
                    "lists those that there are",
                )


def _reached(settings: Settings, source: str) -> str:
    names = dict.fromkeys(to for route in settings.routes if route.source == source for to in route.to)
    return ", ".join(names) or "the ledger"


class _Impossible(Exception):
    """The vendor has nothing for a command."""


def _paths(settings: Settings, route: Route) -> Iterator[tuple[CommandType, list[str], ConnectionSettings]]:
    """Yield each command that the route's events make with those events, once for each of its connections."""
    handlers = SOURCES[settings.sources[route.source].type].handlers
    events = sorted(name for name in handlers if route.events is None or name in route.events)
    for command in _COMMANDS:
        making = [event for event in events if command in commands_of(handlers[event])]
        if making:
            yield from ((command, making, settings.connections[name]) for name in route.to)


def _trial(settings: Settings, route: Route, command: CommandType, connection: ConnectionSettings) -> Plan:
    planner = VENDORS[connection.vendor].mapping.planners.get(command)
    if planner is None:
        raise _Impossible
    attributes = dict.fromkeys(_own_fields(settings, route.source), "sample")
    return planner(sample(command, connection.account, attributes), connection.account)


def _own_fields(settings: Settings, source: str) -> list[str]:
    """Return the attributes that the source's table names itself."""
    return [name for name in settings.sources[source].options.get("fields", {}) if name not in KNOWN_AS]


def _impossible(
    settings: Settings, place: int, command: CommandType, events: list[str], connection: ConnectionSettings
) -> Fault:
    source = settings.routes[place].source
    return Fault(
        f"{settings.config_path}: routes[{place}]",
        f"{connection.vendor} has no record that {command.__name__} could become: "
        f"deliveries of {', '.join(events)} from {source} to {connection.name} "
        "will fail; leave one out of the route",
    )


def _needed(
    settings: Settings, route: Route, events: list[str], connection: ConnectionSettings, error: ValueMissing
) -> Fault:
    return Fault(
        f"{settings.config_path}: connections.{connection.name}.{error.key}",
        f"{error.why}; until it is set, deliveries of {', '.join(events)} from {route.source} will fail",
    )


def _lost(settings: Settings, source: str, made: Mapping[str, Plan]) -> Iterator[Fault]:
    for name in _own_fields(settings, source):
        row = f"attributes.{name}"
        if all(
            any(r.source == row and r.outcome == "dropped" for r in plan.fields) for plan in made.values()
        ):
            where = ", ".join(dict.fromkeys(place.partition(" ")[0] for place in made))
            yield Fault(
                f"{settings.config_path}: sources.{source}.fields.{name}",
                f"has no place at {where} and will be dropped; where the CRM has a custom field for it, name that "
                f"as custom_fields.KIND.{name} of the connection",
            )


def _without_consent(settings: Settings, plans: Mapping[str, Mapping[str, Plan]]) -> Iterator[Fault]:
    """Yield a warning for each connection that drops the consent which a source's table names.

    That another connection keeps it is no help: who writes to a person has to know whether they agreed to it.
    """
    dropping: dict[str, list[str]] = {}
    for source, made in plans.items():
        options = settings.sources[source].options
        if "consent" not in {**options.get("fields", {}), **options.get("map", {})}:
            continue
        for place, plan in made.items():
            if any(row.source == "consent" and row.outcome == "dropped" for row in plan.fields):
                dropping.setdefault(place.partition(" ")[0], []).append(source)
    for name, sources in dropping.items():
        room = VENDORS[settings.connections[name].vendor].mapping.more_room
        yield Fault(
            f"{settings.config_path}: connections.{name}",
            f"has no place for the consent of leads from {', '.join(sources)} and drops it; set {room}",
        )


def _standing_open(settings: Settings) -> Iterator[Fault]:
    """Yield a warning for each table in which an order that is lost has no entry at a CRM that needs one."""
    for route in settings.routes:
        for command, _, connection in _paths(settings, route):
            if command is not RecordOrder:
                continue
            for table in VENDORS[connection.vendor].mapping.lost_in:
                known = {word.casefold() for word in connection.account.values.get(table, {})}
                missing = [s for s in OrderStatus if s.outcome == "lost" and s not in known]
                if missing:
                    yield Fault(
                        f"{settings.config_path}: connections.{connection.name}.values.{table}",
                        f"has no entry for {', '.join(missing)}: an order from {route.source} that has this status "
                        f"from the start would stay open at {connection.name}, and only its text would say what "
                        f"became of it; name the CRM's own entry, {table} = {{ {missing[0]} = … }}",
                    )


def commands_of(handler: Handler) -> frozenset[CommandType]:
    """Return the commands that a handler can make, as its signature says; none where it does not say."""
    function: Any = getattr(handler, "func", handler)
    function = getattr(function, "__func__", function)
    told = get_type_hints(function if isinstance(function, FunctionType) else type(function).__call__)
    made = {inner for argument in get_args(told.get("return")) for inner in _members(argument)}
    return frozenset(command for command in _COMMANDS if command in made)


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
