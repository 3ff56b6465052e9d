"""The configuration against the CRMs themselves: are they there, do they let us in, do they know our names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mappings.vendor import Named
from relay.error_lines import error_line
from relay.open_connection import open_connection
from worker.errors import DeliveryError
from worker.settings import ConnectionSettings, Fault, Settings
from worker.vendors.api import Api, Session
from worker.vendors.vendor import Operation, Vendor


def check_online(settings: Settings, tell: Callable[[str], None]) -> list[Fault]:
    """Return all faults of all connections; `tell` gets a line about each as soon as it is known.

    Each costs a login or one short list, and a list for each kind of name in its values. Nothing is changed.
    """
    faults: list[Fault] = []
    for connection in settings.connections.values():
        found = list(_faults(settings, connection))
        tell(f"{connection.name} ({connection.vendor}): {_summary(connection, found)}")
        faults += found
    return faults


def _summary(connection: ConnectionSettings, faults: list[Fault]) -> str:
    if faults:
        return f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}"
    names = len(list(names_in(connection.account.values)))
    return f"reached, credentials accepted{f', names found: {names}' if names else ''}"


def _faults(settings: Settings, connection: ConnectionSettings) -> Iterator[Fault]:
    where = f"{settings.config_path}: connections.{connection.name}"
    session = Session()  # a login of its own: a token that the workers got earlier proves no password
    with open_connection(settings, connection, session) as api:
        try:
            _knock(api, session)
        except DeliveryError as error:
            # Each of its names would only say the same again.
            yield Fault(where, error_line(error, connection))
            return
        unreadable: set[str] = set()
        for named in names_in(connection.account.values):
            if named.list in unreadable:
                continue
            try:
                api.named(named)
            except DeliveryError as error:
                said, place = str(error), f"connections.{connection.name}.{named.key}: "
                if said.startswith(f"{place}no {named.name!r}"):
                    yield Fault(f"{where}.{named.key}", said.removeprefix(place))
                else:
                    unreadable.add(named.list)
                    yield Fault(f"{where}.{named.key}", error_line(error, connection))


def _knock(api: Api, session: Session) -> None:
    """Make one call that needs the credentials. Raises the errors of worker.errors."""
    login, vendor = api.vendor.login, api.vendor
    if login is not None:
        session.tokens.current(lambda: login(api))
        return
    operation = cheapest_read(vendor)
    if operation is not None:
        paging = operation.paging
        api.call(operation.name, {paging.size: 1, paging.position: paging.first} if paging else {})
        return
    for reference in list(vendor.lists.values())[:1]:
        asked = {name: api.setting(key) for name, key in reference.ask.items()}
        next(api.each(reference.operation, {**reference.always, **asked}), None)


def cheapest_read(vendor: Vendor) -> Operation | None:
    """Return a list that needs no input: one that the vendor's document states, in pages, with a short path."""
    free = [o for o in vendor.operations.values() if _needs_nothing(o)]
    return min(
        free,
        key=lambda o: (o.verb != "GET", not o.confirmed, o.paging is None, len(o.path), o.name),
        default=None,
    )


def _needs_nothing(operation: Operation) -> bool:
    if operation.changes or operation.unclear or operation.path_names:
        return False
    if operation.request is None and operation.verb != "GET":
        return False  # a search by POST, for one, may want anything
    declared = operation.request._declared_fields if operation.request else {}
    return not any(field.required for field in declared.values())


def names_in(value: Any) -> Iterator[Named]:
    """Yield every name in a connection's values that is to be found in a list of the vendor."""
    if isinstance(value, Named):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from names_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from names_in(inner)
