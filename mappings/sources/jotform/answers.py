"""The answers of a Jotform, by the shape that its composite fields have: names, numbers, addresses, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mappings.commands import Address
from mappings.reading.form_fields import flat

NAME_PARTS = ("prefix", "first", "middle", "last", "suffix")
ADDRESS_PARTS = ("addr_line1", "addr_line2", "city", "state", "postal", "country")
PHONE_PARTS = ("country", "area", "phone")


class Answers:
    """Collects answers under the names of their questions, and the first postal address among them.

    `named` are the names that stand in relay.toml: for those no meaning is guessed from a shape. A name is
    that of the question, `budget` of `q12_budget`, or the whole key where two questions are called the same.
    Jotform makes the names out of labels: of "1. Name" comes `1Name69` for question 69, which we call `Name`.
    """

    def __init__(self, named: frozenset[str]) -> None:
        self.values: dict[str, str] = {}
        self.address: Address | None = None
        self._named = named

    def add(self, key: str, value: Any) -> None:
        """Add the answer to the question with `key`."""
        name = self._name_of(key)
        parts = _parts(value)
        if name not in self._named and self._has_meaning(parts):
            return
        text = _joined(parts) if parts else None
        if text is not None:
            self._put(name, text)
        else:
            for inner, leaf in flat({name: value}).items():
                self._put(inner, leaf)

    def _name_of(self, key: str) -> str:
        match = re.fullmatch(r"q([0-9]+)_(.+)", key, re.DOTALL)
        if match is None:
            return key
        label = match[2]
        bare = label.removesuffix(match[1]).lstrip("0123456789")
        names = [name for name in (bare, label, key) if name]
        named = next((name for name in names if name in self._named), "")
        return named or next((name for name in names if name not in self.values), key)

    def _has_meaning(self, parts: Mapping[str, str]) -> bool:
        """Keep a name, a number or an address by what it means, the first of each; say whether it was one."""
        if _are(parts, NAME_PARTS, "first", "last") and not self.values.keys() & {"first_name", "last_name"}:
            self._put("first_name", parts.get("first", ""))
            self._put("last_name", parts.get("last", ""))
            if set(parts) - {"first", "last"}:
                self._put("name", _joined(parts) or "")
            return True
        if (_are(parts, PHONE_PARTS, "phone") or set(parts) == {"full"}) and "phone" not in self.values:
            self._put("phone", _joined(parts) or "")
            return True
        if _are(parts, ADDRESS_PARTS, "addr_line1", "city", "postal") and self.address is None:
            self.address = Address(
                street=", ".join(filter(None, (parts.get("addr_line1"), parts.get("addr_line2")))),
                city=parts.get("city", ""),
                region=parts.get("state", ""),
                postcode=parts.get("postal", ""),
                country=parts.get("country", ""),
            )
            return True
        return False

    def _put(self, name: str, text: str) -> None:
        if text:
            self.values[name] = text


def _parts(value: Any) -> dict[str, str]:
    """Return the filled-in parts of a composite answer, none for an answer of another kind."""
    if not isinstance(value, Mapping) or any(isinstance(part, Mapping | list) for part in value.values()):
        return {}
    return flat(value)


def _are(parts: Mapping[str, str], known: tuple[str, ...], *telling: str) -> bool:
    return bool(parts) and set(parts) <= set(known) and any(name in parts for name in telling)


def _joined(parts: Mapping[str, str]) -> str | None:
    """Return a composite answer in one line as its reader would write it; None for one of unknown shape."""
    if set(parts) == {"full"}:
        return parts["full"]
    for known in (NAME_PARTS, PHONE_PARTS):
        if set(parts) <= set(known):
            return " ".join(parts[name] for name in known if name in parts)
    if set(parts) <= set(ADDRESS_PARTS):
        return ", ".join(parts[name] for name in ADDRESS_PARTS if name in parts)
    return _date(parts)


def _date(parts: Mapping[str, str]) -> str | None:
    if not {"year", "month", "day"} <= set(parts):
        return None
    day = f"{parts['year']}-{parts['month']:0>2}-{parts['day']:0>2}"
    hour = ":".join(parts[name] for name in ("hour", "min") if name in parts)
    return " ".join(filter(None, (day, hour, parts.get("ampm", ""))))
