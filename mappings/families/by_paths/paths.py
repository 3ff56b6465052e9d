"""`[sources.X.map]` of relay.toml: where in a payload of the owner's own making each of our fields stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from mappings.errors import CannotMap
from mappings.reading.payloads import Payload, load

_MISSING = object()


def _paths(names: str) -> dict[str, Any]:
    # No expressions: what needs one is a source of its own, in Python, with tests.
    plain = validate.Regexp(
        r"[^.\s]+(\.[^.\s]+)*\Z", error="must be a dotted path such as data.customer.email"
    )
    return {name: fields.String(validate=plain) for name in names.split()}


LINE = "sku name quantity unit_price discount tax total"
ADDRESS = "street city region postcode country"
PERSON = "name first_name last_name email phone company language"
LEAD = "message origin consent"
ORDER = "number status currency total tax shipping discount placed_at closed_at reason"
TICKET = "subject description priority channel order_number status"
EVENT = "event id entity version test"

PathMap = Schema.from_dict(
    {
        **_paths(f"{EVENT} {PERSON} {LEAD} {ORDER} {TICKET} lines"),
        "line": fields.Nested(Schema.from_dict(_paths(LINE), name="LinePaths")),
        "address": fields.Nested(Schema.from_dict(_paths(ADDRESS), name="AddressPaths")),
        "attributes": fields.Dict(keys=fields.String(), values=_paths("path")["path"]),
        "optional": fields.List(fields.String()),
    },
    name="PathMap",
)


def at(payload: Any, path: str) -> Any:
    """Return what stands at a dotted path, None where nothing does; a number counts in a list, from 0."""
    found = _at(payload, path)
    return None if found is _MISSING else found


def _at(payload: Any, path: str) -> Any:
    value, rest = payload, path
    while rest:
        if isinstance(value, Mapping) and rest in value:
            return value[rest]  # senders also write dots into their names
        name, _, rest = rest.partition(".")
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and len(name) < 6 and int(name) < len(value):
            value = value[int(name)]
        else:
            return _MISSING
    return value


def gather(
    payload: Any,
    paths: Mapping[str, Any],
    names: Iterable[str],
    *,
    optional: Iterable[str] = (),
    prefix: str = "",
) -> dict[str, Any]:
    """Return what stands at the path of each of `names` that has one.

    Raises CannotMap with the path of the first that is not in the payload, unless its name is in `optional`.
    A null is in the payload: the sender knows the field, and that it is empty. `prefix` is where `payload`
    itself stands.
    """
    found: dict[str, Any] = {}
    for name in names:
        if name not in paths:
            continue
        value = _at(payload, paths[name])
        if value is not _MISSING:
            found[name] = value
        elif name not in optional:
            raise CannotMap(prefix + paths[name], f"is not in the payload, where the map has its {name}")
    return found


def read_as(
    schema: type[Payload], values: Mapping[str, Any], paths: Mapping[str, Any], prefix: str = ""
) -> dict[str, Any]:
    """Return `values` as `schema` has them; raises CannotMap with the path in the payload of the first fault."""
    try:
        return load(schema, values)
    except CannotMap as error:
        name = error.path.partition(".")[0].partition("[")[0]
        raise CannotMap(prefix + str(paths.get(name, error.path)), error.why) from None
