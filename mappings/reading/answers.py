"""Forms whose sender knows more of a question than its label: an id, and what kind of answer it asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from mappings.commands import Address, RegisterLead
from mappings.reading.form_fields import KNOWN_AS, flat, lead_of
from mappings.source import Event

#: What an answer may mean, beside the attributes in KNOWN_AS: the parts of an address.
ADDRESS = "address."
PARTS = tuple(part.name for part in fields(Address))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question with `label`; `names` are the sender's other names of it, which never change.

    `means` is our attribute (a key of KNOWN_AS, or `address.` and a part of Address), where the sender says it.
    """

    value: str
    label: str
    names: tuple[str, ...] = ()
    means: str = ""


def said(value: Any) -> str:
    """Return any JSON value as text: lists and objects in one line, parted by commas, nulls left out."""
    return ", ".join(flat({"value": value}).values())


def lead_of_answers(
    event: Event,
    answers: Iterable[Answer],
    *,
    origin: str,
    attributes: Mapping[str, str],
) -> RegisterLead:
    """Return the lead that `answers` make; see `lead_of`, which sorts them, for the rest.

    relay.toml may name a question by its label or by one of its other names; unnamed, the first answer of a kind
    is the person's. Raises CannotMap as `lead_of` does.
    """
    values = _by_name(answers, event.options.get("fields", {}))
    parts = {part: values.pop(ADDRESS + part, "") for part in PARTS}
    address = Address(**parts) if any(parts.values()) else None
    return lead_of(event, values, origin=origin, address=address, attributes=attributes)


def _by_name(answers: Iterable[Answer], aliases: Mapping[str, Any]) -> dict[str, str]:
    listed = ([theirs] if isinstance(theirs, str) else theirs for theirs in aliases.values())
    wanted = {name for names in listed for name in names}
    values: dict[str, str] = {}
    for answer in answers:
        if not answer.value:
            continue
        name = next((name for name in (answer.label, *answer.names) if name in wanted), "")
        if not name and answer.means not in values:
            name = answer.means
        name = name or answer.label or next(filter(None, answer.names), "(no name)")
        while name in values and (name in KNOWN_AS or name.startswith(ADDRESS)):
            name = f"other_{name}"  # two e-mail addresses in one field are none
        values[name] = f"{values[name]}, {answer.value}" if name in values else answer.value
    return values
