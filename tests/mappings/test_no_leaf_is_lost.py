"""Nothing that a sender says is dropped in silence: each leaf is told to a CRM, or left out on purpose."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mappings.commands import as_json
from mappings.errors import CannotMap
from mappings.source import Arrival
from mappings.sources import SOURCES
from tests.mappings.left_out import LEFT_OUT, WHOLE
from tests.mappings.test_sources import FIXTURES, arrival_of, beside, event_of

Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every leaf that says something, with its path."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, key))
    elif value not in (None, "", False):
        yield path, value


def others(value: Any) -> Iterator[Any]:
    """Yield values that stand for another answer than `value`, of its own kind, and none."""
    if isinstance(value, int | Decimal):
        yield value + 7
    elif re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value)):
        yield str(Decimal(value) + 7)
    yield from (f"{value}Z", None)


def changed(payload: Any, path: Path, value: Any) -> Any:
    """Return `payload` with another value at `path`."""
    whole = copy.deepcopy(payload)
    place = whole
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return whole


def told(arrival: Arrival, fetched: Any) -> Any:
    """Return what the event is called and what a CRM is told of it, or why nothing can be."""
    event = event_of(arrival, fetched)
    name = (event.type, event.entity, event.version)
    handler = SOURCES[event.source].handlers.get(event.type)
    try:
        return name, [as_json(command) for command in handler(event)] if handler else None
    except CannotMap as error:
        return name, str(error)


def unheard(name: str) -> list[str]:
    """Return the paths of all leaves of a fixture that change nothing, whatever they say."""
    arrival, fetched = arrival_of(FIXTURES / name), beside(FIXTURES / name, "fetched")
    usual = told(arrival, fetched)

    def says_nothing(path: Path, value: Any) -> bool:
        news = (changed(arrival.payload, path, other) for other in others(value))
        return all(told(replace(arrival, payload=new), fetched) == usual for new in news)

    return [".".join(map(str, path)) for path, value in leaves(arrival.payload) if says_nothing(path, value)]


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_customer_wrote_is_in_a_crm_or_left_out_on_purpose(name: str) -> None:
    """Otherwise what a customer wrote is in no CRM, and nobody decided so."""
    on_purpose = LEFT_OUT[WHOLE[name]]
    lost = [path for path in unheard(name) if not any(re.fullmatch(rule, path) for rule in on_purpose)]
    assert lost == []


@pytest.mark.parametrize("source", LEFT_OUT)
def test_each_reason_to_leave_something_out_is_still_needed(source: str) -> None:
    """Otherwise a reason to leave something out outlives what it was for."""
    paths = [path for name, kind in WHOLE.items() if kind == source for path in unheard(name)]
    idle = [rule for rule in LEFT_OUT[source] if not any(re.fullmatch(rule, path) for path in paths)]
    assert idle == []
