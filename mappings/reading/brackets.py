"""Form fields named with brackets (`services[]`, `address[city]`) as lists and nested fields, as in PHP."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

#: Deeper names than this are no form that anybody wrote; they stay as one flat name.
MAX_LEVELS = 5

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])*)(\[\])?")


class _Group(dict[str, Any]):
    """A level that brackets opened; a type of its own, because an uploaded file is a plain dict too."""


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields by name: repeated ones and `a[]` as a list, `a[city]` as a dict under `a`.

    No value is ever lost. Where `a` has a value of its own and also parts, its own value is the part with the
    empty name: `a=1&a[b]=2` gives `{"a": {"": "1", "b": "2"}}`, in either order. A name whose brackets do not
    add up, or that goes deeper than `MAX_LEVELS`, is kept exactly as it was written.
    """
    fields = _Group()
    for name, value in pairs:
        keys, is_list = _split(name)
        level = fields
        for key in keys[:-1]:
            level = _open(level, key)
        _put(level, keys[-1], value, is_list)
    return fields


def _split(name: str) -> tuple[list[str], bool]:
    if "[" not in name and "]" not in name:
        return [name], False
    match = _NAME.fullmatch(name)
    if match is None:
        return [name], False
    keys = [match[1], *re.findall(r"\[([^\]]+)\]", match[2])]
    if len(keys) > MAX_LEVELS:
        return [name], False
    return keys, match[3] is not None


def _open(level: _Group, key: str) -> _Group:
    inner = level.get(key)
    if not isinstance(inner, _Group):
        inner = _Group() if key not in level else _Group({"": inner})
        level[key] = inner
    return inner


def _put(level: _Group, key: str, value: Any, is_list: bool) -> None:
    there = level.get(key)
    if isinstance(there, _Group):
        level, key, there = there, "", there.get("")
    if key not in level:
        level[key] = [value] if is_list else value
    elif isinstance(there, list):
        there.append(value)
    else:
        level[key] = [there, value]
