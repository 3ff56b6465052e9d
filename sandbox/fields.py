"""Describes the fields a vendor's document prints and finds what is wrong with a request body."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]
Reason = Literal["missing", "invalid", "unknown"]

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Complaint:
    """One fault of a request body: where it is and what a valid value would be."""

    path: str
    phrase: str
    reason: Reason = "invalid"


Check = Callable[[object, str], list[Complaint]]


@dataclass(frozen=True)
class Field:
    """One named field of a body; `nullable` says that JSON null counts as a valid value."""

    name: str
    check: Check
    required: bool = True
    nullable: bool = False


def needs(check: Check, names: str, nullable: bool = False) -> tuple[Field, ...]:
    """Give required fields, one for each of the space-separated names."""
    return tuple(Field(name, check, True, nullable) for name in names.split())


def may(check: Check, names: str, nullable: bool = False) -> tuple[Field, ...]:
    """Give optional fields, one for each of the space-separated names."""
    return tuple(Field(name, check, False, nullable) for name in names.split())


def examine(fields: Iterable[Field], body: Json, path: str = "") -> list[Complaint]:
    """Compare a JSON object with its field table and return every complaint, those of nested objects too."""
    found: list[Complaint] = []
    known = {field.name: field for field in fields}
    for name, field in known.items():
        where = path + name
        if name not in body:
            if field.required:
                found.append(Complaint(where, "is required", "missing"))
        elif not (body[name] is None and field.nullable):
            found.extend(field.check(body[name], where))
    found.extend(Complaint(path + name, "is not documented", "unknown") for name in body if name not in known)
    return found


def passes(test: Callable[[Any], bool], phrase: str) -> Check:
    """Turn a yes/no test into a check that complains with the given phrase."""

    def check(value: object, path: str) -> list[Complaint]:
        return [] if test(value) else [Complaint(path, phrase)]

    return check


def one_of(*allowed: object) -> Check:
    """Accept only the values of a documented enumeration; 1 and true are different values."""
    listed = ", ".join(str(value) for value in allowed)
    return passes(
        lambda value: any(value == option and type(value) is type(option) for option in allowed),
        f"must be one of the following values: {listed}",
    )


def items(check: Check, at_least: int = 0) -> Check:
    """Accept a list of at least the given length whose every item passes the check."""

    def each(value: object, path: str) -> list[Complaint]:
        if not isinstance(value, list):
            return [Complaint(path, "must be an array")]
        if len(value) < at_least:
            return [Complaint(path, f"must contain at least {at_least} elements")]
        return [fault for place, item in enumerate(value) for fault in check(item, f"{path}.{place}")]

    return each


def record(fields: Sequence[Field]) -> Check:
    """Accept a nested object that follows its own field table."""

    def nested(value: object, path: str) -> list[Complaint]:
        if not isinstance(value, dict):
            return [Complaint(path, "must be an object")]
        return examine(fields, value, f"{path}.")

    return nested


def either(first: Check, second: Check) -> Check:
    """Accept what one of the two checks accepts, for fields whose table and sample disagree."""

    def check(value: object, path: str) -> list[Complaint]:
        faults = first(value, path)
        return faults and (second(value, path) and faults)

    return check


def written_as(layout: str, pattern: str, phrase: str) -> Check:
    """Accept a string that has exactly the pattern and is a real date in the `strptime` layout."""

    def test(value: object) -> bool:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            return False
        try:
            datetime.strptime(value, layout)
        except ValueError:
            return False
        return True

    return passes(test, phrase)


def _is_iso(value: object) -> bool:
    if not isinstance(value, str) or len(value) < len("2024-08-25"):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


text = passes(lambda value: isinstance(value, str), "must be a string")
filled = passes(lambda value: isinstance(value, str) and value.strip() != "", "must be a non-empty string")
empty = passes(lambda value: value in ("", None), "must be empty")
boolean = passes(lambda value: isinstance(value, bool), "must be a boolean")
number = passes(_is_number, "must be a number")
integer = passes(lambda value: isinstance(value, int) and not isinstance(value, bool), "must be an integer")
positive = passes(
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1,
    "must be an integer of at least 1",
)
fraction = passes(lambda value: _is_number(value) and 0 <= value <= 1, "must be between 0.00 and 1.00")
decimal_text = passes(
    lambda value: isinstance(value, str) and DECIMAL.fullmatch(value) is not None,
    "must be a number in a string",
)
email = passes(
    lambda value: isinstance(value, str) and EMAIL.fullmatch(value) is not None,
    "must be a valid email address",
)
iso_time = passes(_is_iso, "must be a valid ISO 8601 date string")
json_object = passes(lambda value: isinstance(value, dict), "must be an object")
