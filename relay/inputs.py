"""The input of a vendor's operation: what it may hold, and what is wrong with one before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import simplejson
from marshmallow import Schema, fields, missing, validate

from mappings.instances import instance
from mappings.writing.shape import Pointer, Written
from relay.errors import WrongInput
from relay.names import closest_first
from worker.settings.complaints import UNKNOWN, in_our_words
from worker.vendors.vendor import Operation

#: What each kind of field is called, the special before the general.
_WORDS: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (fields.Email, "e-mail address"),
    (fields.String, "text"),
    (fields.Boolean, "true or false"),
    (fields.Integer, "whole number"),
    (fields.Decimal, "number"),
    (fields.Float, "number"),
    (fields.Nested, "object"),
    (fields.Dict, "object"),
)

Place = Schema | fields.Field[Any] | None


def parsed(text: str) -> Any:
    """Return the JSON in `text`, numbers exact. Raises WrongInput with the place of the fault."""
    try:
        return simplejson.loads(text, use_decimal=True, parse_constant=_no_number)
    except RecursionError:
        raise WrongInput("the input is nested too deeply") from None
    except ValueError as error:
        raise WrongInput(f"the input is no JSON: {error}") from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def described(operation: Operation) -> dict[str, Any] | None:
    """Return the operation's input by field: its type, whether it is required, and its own `fields`.

    A `default` is what the CRM wants sent where nothing is known; a call by hand sends only what it is given.
    None where the registry does not describe it. Names that only the path has are required texts.
    """
    if operation.request is None:
        return None
    schema = instance(operation.request)
    in_path = {name: _entry("text", True) for name in operation.path_names if name not in schema.fields}
    return in_path | _fields(schema, operation.path_names)


def _entry(kind: str, required: bool) -> dict[str, Any]:
    return {"type": kind, "required": required}


def _fields(schema: Schema, always: Collection[str] = ()) -> dict[str, Any]:
    found = {}
    for name, field in schema.fields.items():
        entry = _entry(_kind(field), field.required or name in always)
        if field.load_default is not missing and not callable(field.load_default):
            entry["default"] = field.load_default
        inner = _of(field)
        # A description that held itself would have no end.
        if isinstance(inner, Schema) and not isinstance(inner, type(schema)):
            entry["fields"] = _fields(inner)
        found[field.data_key or name] = entry
    return found


def _kind(field: fields.Field[Any]) -> str:
    if isinstance(field, Pointer):
        return _kind(field.of)
    if isinstance(field, Written):
        return field.must_be.removeprefix("a ")
    if isinstance(field, fields.List):
        return f"list of {_kind(field.inner)}"
    choices = [v for v in field.validators if isinstance(v, validate.OneOf)]
    if choices:
        return f"one of: {', '.join(map(str, choices[0].choices))}"
    return next((word for kind, word in _WORDS if isinstance(field, kind)), "anything")


def _of(field: Place) -> Place:
    """Return what a field holds: the schema of an object, whether alone or in a list."""
    if isinstance(field, fields.Nested):
        return field.schema
    if isinstance(field, fields.List):
        return _of(field.inner) or field.inner
    return None


def check(operation: Operation, values: Any) -> None:
    """Raise WrongInput with every fault of `values` as the input of `operation`, each with its place.

    Where the registry does not describe the input, any JSON object passes that fills the path.
    """
    if not isinstance(values, Mapping):
        raise WrongInput("the input must be a JSON object: {…}")
    faults = list(_of_path(operation, values))
    if operation.request is not None:
        schema = instance(operation.request)
        beside = {k: v for k, v in values.items() if k in schema.fields or k not in operation.path_names}
        faults += [fault for fault in _faults(schema.validate(beside), schema, ()) if fault not in faults]
    if faults:
        raise WrongInput(*faults)


def _of_path(operation: Operation, values: Mapping[str, Any]) -> Iterator[str]:
    for name in operation.path_names:
        value = values.get(name)
        if value is None:
            yield f"{name}: is missing; it is a part of the path {operation.path}"
        elif isinstance(value, bool) or not isinstance(value, str | int):
            yield f"{name}: must be a text or a whole number, as a part of the path"
        elif str(value).strip() in ("", ".", ".."):
            # "." and ".." would make it the path of another operation.
            yield f"{name}: must not be {str(value)!r}, as a part of the path"


def _faults(messages: Any, place: Place, path: tuple[str, ...], within: Place = None) -> Iterator[str]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            if key == "_schema":
                yield from _faults(inner, place, path, within)
            else:
                yield from _faults(inner, _child(place, key), (*path, str(key)), place)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield f"{'.'.join(path) or 'the input'}: {_said(str(message), path, within)}"


def _child(place: Place, key: Any) -> Place:
    inner = _of(place) if isinstance(place, fields.Field) else place
    if isinstance(key, int):
        # A place in a list: what it holds is what the list holds.
        return inner
    return inner.fields.get(key) if isinstance(inner, Schema) else None


def _said(message: str, path: tuple[str, ...], within: Place) -> str:
    if message == UNKNOWN:
        schema = within if isinstance(within, Schema) else _of(within)
        return _no_such_field(path[-1], schema)
    return in_our_words(message)


def _no_such_field(name: str, schema: Place) -> str:
    there = [f.data_key or n for n, f in schema.fields.items()] if isinstance(schema, Schema) else []
    return f"no such field; there are: {closest_first(name, there)}"
