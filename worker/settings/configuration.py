"""Reads the environment and relay.toml into Settings, and reports every fault of both at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from mappings.sources import SOURCES
from mappings.vendor import Account, CheckedValues, VendorMapping
from mappings.vendors import VENDORS
from worker.settings import (
    ConnectionSettings,
    Fault,
    Retention,
    Route,
    Settings,
    SettingsError,
)
from worker.settings.environment import addresses, encryption_keys, grace, learn_secrets, whole_number
from worker.settings.schema import SECRET_KEYS, ConnectionSchema, RelayToml, report
from worker.settings.sources import read_source

DEFAULT_LIMIT_BYTES = 1024 * 1024
#: Threads of a worker process; `celery worker -P threads -c` must be given the same number.
THREADS = 32


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings that `environ` and its relay.toml describe.

    Raises SettingsError with every fault of both, each with file, key and remedy.
    """
    path = Path(environ.get("RELAY_CONFIG") or "relay.toml")
    faults: list[Fault] = []
    document = _document(path, faults)
    sources = {
        name: read_source(name, table, environ, path, faults)
        for name, table in document.get("sources", {}).items()
    }
    tables = document.get("connections", {})
    connections = {name: _connection(name, table, environ, path, faults) for name, table in tables.items()}
    routes = _routes(document, path, faults)
    if not faults and not (sources and connections and routes):
        faults.append(Fault(str(path), "has no sources, connections and routes: it needs one of each"))
    limit = whole_number(environ, "RELAY_BODY_LIMIT", DEFAULT_LIMIT_BYTES, faults)
    proxies = whole_number(environ, "RELAY_TRUSTED_PROXIES", 0, faults, least=0)
    keys = encryption_keys(environ, faults)
    _check_the_rest(environ, faults)
    learn_secrets(environ, sources, connections)
    if faults:
        raise SettingsError(faults)
    var = Path(environ.get("RELAY_VAR") or "var").absolute()
    return Settings(
        config_path=path,
        var=var,
        database_url=environ.get("RELAY_DATABASE_URL") or f"sqlite:///{var / 'ledger.sqlite'}",
        broker_url=environ.get("RELAY_BROKER_URL") or f"redis+socket://{var / 'broker.sock'}",
        sentry_dsn=environ.get("SENTRY_DSN", ""),
        body_limit=limit,
        sources={s.name: s for s in sources.values() if s},
        connections={c.name: c for c in connections.values() if c},
        routes=routes,
        trusted_proxies=proxies,
        encryption_keys=keys,
        retention=_retention(document["retention"]),
    )


def _check_the_rest(environ: Mapping[str, str], faults: list[Fault]) -> None:
    addresses(environ, faults)
    grace(environ, faults)
    whole_number(environ, "RELAY_THREADS", THREADS, faults)


def _document(path: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        faults.append(
            Fault(str(path), "does not exist; set RELAY_CONFIG or run from the folder that holds it")
        )
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(str(path), f"cannot be read: {error}"))
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(str(path), f"is not valid TOML: {error}"))
    else:
        try:
            return dict(RelayToml().load(document))
        except ValidationError as error:
            report(path, "", error.messages, faults)
            return _what_is_right(error)
    return {}


def _what_is_right(error: ValidationError) -> dict[str, Any]:
    """Return the tables that can be looked into all the same, so that all faults are told at once."""
    right = _right_of(error)
    if {"sources", "connections", "routes"} & set(error.messages):
        right.pop("routes", None)  # they would miss what is there under a wrong name
    return right


def _connection(
    name: str, table: Any, environ: Mapping[str, str], path: Path, faults: list[Fault]
) -> ConnectionSettings | None:
    where = f"connections.{name}"
    vendor = VENDORS.get(str(table.get("vendor")))
    if vendor is None:
        faults.append(Fault(f"{path}: {where}.vendor", f"must be one of: {', '.join(sorted(VENDORS))}"))
        return None
    so_far = len(faults)
    known = _checked(ConnectionSchema(), table, path, where, faults)
    values = _by_our_names(vendor, known.get("values", {}))
    values = CheckedValues(_checked(vendor.values(), values, path, f"{where}.values", faults))
    if len(faults) > so_far:
        return None
    return ConnectionSettings(
        name=name,
        vendor=vendor.type,
        base_url=_address(known["base_url"], vendor.type, environ),
        secrets=_credentials(f"{path}: {where}", vendor, known, environ, faults),
        account=Account(connection=name, values=values, custom_fields=known["custom_fields"]),
        paths=known["paths"],
        verbs=known["verbs"],
        requests_per_second=known["requests_per_second"],
        timeout=timedelta(seconds=known["timeout_seconds"]),
        search_lag=timedelta(seconds=known["search_lag_seconds"]),
        give_up_after=timedelta(hours=known["give_up_after_hours"]),
        **{key: known[key] for key in ("requests_per_day", "day_zone", "concurrency", "breaker_after")},
    )


def _right_of(error: ValidationError) -> dict[str, Any]:
    return error.valid_data if isinstance(error.valid_data, dict) else {}


def _checked(
    schema: Schema, table: Mapping[str, Any], path: Path, where: str, faults: list[Fault]
) -> dict[str, Any]:
    """Return `table` as `schema` reads it; of a table with faults only what is right."""
    try:
        return dict(schema.load(table))
    except ValidationError as error:
        report(path, where, error.messages, faults)
        return _right_of(error)


def _by_our_names(vendor: VendorMapping, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with `owner_id` for `owner` and the like: both are what people write for an entry."""
    known = vendor.values._declared_fields
    return {
        key.removesuffix("_id") if key not in known and key.removesuffix("_id") in known else key: value
        for key, value in values.items()
    }


def _credentials(
    where: str,
    vendor: VendorMapping,
    known: Mapping[str, Any],
    environ: Mapping[str, str],
    faults: list[Fault],
) -> dict[str, str]:
    secrets: dict[str, str] = {}
    for secret in vendor.secrets:
        key, variable = f"{secret}_env", known.get(f"{secret}_env")
        if not variable:
            faults.append(Fault(f"{where}.{key}", f"is missing: name the variable that holds the {secret}"))
        elif not environ.get(variable):
            faults.append(Fault(f"{where}.{key}", f"no {secret}: set the environment variable {variable}"))
        else:
            secrets[secret] = environ[variable]
    strange = [
        key for key in SECRET_KEYS if known.get(key) and key.removesuffix("_env") not in vendor.secrets
    ]
    faults += [Fault(f"{where}.{key}", f"{vendor.type} has no such credential; remove it") for key in strange]
    return secrets


def _address(base_url: str, vendor: str, environ: Mapping[str, str]) -> str:
    """Return the vendor's address, or that of its sandbox when this process runs beside one."""
    sandbox = environ.get("RELAY_SANDBOX_URL")
    if not sandbox:
        return base_url.rstrip("/")
    _, _, rest = base_url.partition("://")
    return f"{sandbox.rstrip('/')}/{vendor}/{rest.partition('/')[2]}".rstrip("/")


def _routes(document: Mapping[str, Any], path: Path, faults: list[Fault]) -> tuple[Route, ...]:
    routes = []
    for index, table in enumerate(document.get("routes", [])):
        where = f"{path}: routes[{index}]"
        source = document.get("sources", {}).get(table["source"])
        if source is None:
            faults.append(Fault(f"{where}.source", f"no [sources.{table['source']}] in this file"))
        missing = [name for name in table["to"] if name not in document.get("connections", {})]
        faults += [Fault(f"{where}.to", f"no [connections.{name}] in this file") for name in missing]
        sender = SOURCES.get(source.get("type")) if source else None
        if sender:
            known = ", ".join(sorted(sender.handlers))
            strange = sorted(set(table["events"]) - set(sender.handlers))
            faults += [Fault(f"{where}.events", f"{e!r} is not handled; these are: {known}") for e in strange]
        events = frozenset(table["events"]) if table["events"] else None
        routes.append(Route(table["source"], tuple(table["to"]), events))
    return tuple(routes)


def _retention(table: Mapping[str, Any]) -> Retention:
    return Retention(
        **{name.removesuffix("_days"): days and timedelta(days=days) for name, days in table.items()}
    )
