"""Bodies as tables: the fields of a vendor's request by their kind, and where each is filled from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from mappings.vendor import JsonText, Named, Ref

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")

_SHORT_DAY = re.compile(r"\d\d/\d\d/\d\d\Z")


class Number(fields.Decimal):
    """A JSON number, kept exact; a number written as text is refused."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, str | bool):
            raise ValidationError("must be a number")
        return super()._deserialize(value, *args, **kwargs)


class Truth(fields.Boolean):
    """A JSON truth value; a number or a word for one is refused."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Written(fields.String):
    """Text of a form that `read` accepts: a day, a moment, a UUID."""

    def __init__(self, read: Callable[[str], Any], must_be: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._read, self.must_be = read, must_be

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, *args, **kwargs)
        try:
            read = self._read(text)
        except ValueError:
            read = None
        if read is None:
            raise ValidationError(f"must be {self.must_be}")
        return text


class Pointer(fields.Field[Any]):
    """The vendor's id of another record: one of the form `of`, or what the engine puts the id in for."""

    def __init__(self, of: fields.Field[Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.of = of or fields.Raw()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, Ref | Named | JsonText):
            return value
        return self.of.deserialize(value, attr, data, **kwargs)


class Entry(fields.Field[Any]):
    """A value of relay.toml that is an entry of the vendor's list `of_list`: its id, or its name.

    An id is a whole number, or a UUID where `uuids`, or a text of the form `ids` where the vendor's ids are
    texts; any other text is a name, which becomes a `Named`.
    """

    def __init__(
        self, of_list: str, uuids: bool = False, ids: re.Pattern[str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._list, self._ids = of_list, _UUID if uuids else ids

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            if self._ids is None:
                return value
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise ValidationError("must be the id of an entry of the vendor's list, or its name")
        if self._ids is not None and self._ids.match(value):
            return value
        return Named(self._list, value, f"values.{self.name}")


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007


def _short_day(text: str) -> date | None:
    return datetime.strptime(text, "%d/%m/%y").date() if _SHORT_DAY.match(text) else None  # noqa: DTZ007


def _moment(text: str) -> datetime | None:
    found = datetime.fromisoformat(text)
    return found if "T" in text else None


def _whole_seconds(text: str) -> date | None:
    # Six digits of a second, as Python writes them, are more than some servers read.
    found = datetime.fromisoformat(text)
    return None if found.microsecond else found


def a_uuid(**kwargs: Any) -> fields.Field[Any]:
    """Return a field for a UUID in its usual form."""
    return Written(_UUID.match, "a UUID", **kwargs)


#: The kinds of fields that `shape` knows, each with what makes one.
_MAKERS: Mapping[str, Callable[..., fields.Field[Any]]] = {
    "text": fields.String,
    "email": fields.Email,
    "number": Number,
    "integer": lambda **kw: fields.Integer(strict=True, **kw),
    "boolean": Truth,
    "uuid": lambda **kw: Pointer(a_uuid(), **kw),
    "id": lambda **kw: Pointer(fields.Integer(strict=True), **kw),
    "key": lambda **kw: Pointer(fields.String(validate=validate.Length(min=1)), **kw),
    "day": lambda **kw: Written(_day, "a day, as in 2026-03-02", **kw),
    "short_day": lambda **kw: Written(_short_day, "a day, as in 31/12/26", **kw),
    "moment": lambda **kw: Written(_moment, "a time, as in 2026-03-02T09:00:00+07:00", **kw),
    "when": lambda **kw: Written(_whole_seconds, "a day, or a time in whole seconds", **kw),
    "texts": lambda **kw: fields.List(fields.String(), **kw),
    "ids": lambda **kw: fields.List(Pointer(fields.Integer(strict=True)), **kw),
    "uuids": lambda **kw: fields.List(Pointer(a_uuid()), **kw),
    "fraction": lambda **kw: Number(validate=validate.Range(0, 1), **kw),
    "object": lambda **kw: fields.Dict(keys=fields.String(), **kw),
    "anything": fields.Raw,
}


def shape(
    name: str,
    *,
    required: str = "",
    blank: str = "",
    one_of: Mapping[str, tuple[Any, ...]] | None = None,
    inside: Mapping[str, type[Schema]] | None = None,
    many: Mapping[str, type[Schema]] | None = None,
    defaults: Mapping[str, Any] | None = None,
    sources: Mapping[str, str] | None = None,
    **kinds: str,
) -> type[Schema]:
    """Return the schema of a request that the vendor calls `name`.

    Each of `kinds` is a kind of field with the names of those fields, separated by spaces: `text="name note"`,
    `number`, `integer`, `boolean`, `email`, `uuid`, `id` (a whole number) and `key` (a text) of another record,
    `day`, `short_day` (DD/MM/YY), `moment`, `when` (a day or a moment, in whole seconds), `fraction` (from 0 to
    1), `object` (names and their values), lists `texts`, `ids`, `uuids`. `one_of` gives a field's documented
    values, `inside` and `many` the schema of a nested object and of a list of them. `required` fields the vendor
    refuses to miss; `blank` ones are texts that it wants sent, empty where nothing is known; `defaults` are sent
    for other fields of which nothing is known, a function being called for each body. `sources` says where a
    mapping fills a field from: a path of the command (`person.email`) or a value of relay.toml (`values.owner`).
    """
    made = _fields_of(name, kinds)
    made |= {field: Pointer(fields.String(), load_default="") for field in blank.split()}
    made |= {field: fields.Raw(validate=validate.OneOf(of)) for field, of in (one_of or {}).items()}
    made |= {field: fields.Nested(schema) for field, schema in (inside or {}).items()}
    made |= {field: fields.List(fields.Nested(schema)) for field, schema in (many or {}).items()}
    stray = {*required.split(), *(sources or {}), *(defaults or {})} - set(made)
    if stray:
        raise TypeError(f"{name}: no such fields: {', '.join(sorted(stray))}")
    for field, value in (defaults or {}).items():
        made[field].load_default = value
    for field, made_field in made.items():
        made_field.required = field in required.split()
        made_field.metadata = {"source": (sources or {}).get(field, "")}
    return type(name, (Schema,), {**made, "Meta": type("Meta", (), {"unknown": RAISE})})


def update_of(create: type[Schema]) -> type[Schema]:
    """Return the schema of an update that leaves absent fields as they are: those of `create`, none required.

    Its fields have no sources, because a mapping changes only what it names.
    """
    made = {name: deepcopy(field) for name, field in create._declared_fields.items()}
    for field in made.values():
        field.required, field.load_default, field.metadata = False, missing, {"source": ""}
    return type(f"{create.__name__} update", (Schema,), {**made, "Meta": create.Meta})


def _fields_of(name: str, kinds: Mapping[str, str]) -> dict[str, fields.Field[Any]]:
    unknown = set(kinds) - set(_MAKERS)
    if unknown:
        raise TypeError(f"{name}: no such kinds of fields: {', '.join(sorted(unknown))}")
    return {field: _MAKERS[kind]() for kind, names in kinds.items() for field in names.split()}
