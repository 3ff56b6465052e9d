"""The vendor's own lists by name, remembered for a while: stages, users, currencies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from worker.vendors.lookups import plain
from worker.vendors.vendor import Item, Reference

#: How long a list is believed. A tenant renames a stage a few times in its life.
LIFETIME = timedelta(minutes=10)
#: How soon a list is read again for a name that it does not have: a person may just have added it.
SOONEST = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry: what the vendor calls it, and its id as the vendor writes it."""

    name: str
    id: Any


class References:
    """The lists of one connection. `clock` gives seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, Mapping[str, Listed]]] = {}

    def entries(
        self, of: str, reference: Reference, name: str, fetch: Callable[[], Iterator[Item]]
    ) -> Mapping[str, Listed]:
        """Return the list's entries by their names as `plain` has them, read anew where they may be out of date.

        Of two entries with one name the first counts, as it does for a person who looks.
        """
        read_at, known = self._known.get(of, (float("-inf"), {}))
        age = self._clock() - read_at
        if age > (LIFETIME if plain(name) in known else SOONEST).total_seconds():
            known = _by_name(reference, list(fetch()))
            self._known[of] = (self._clock(), known)
        return known


def _by_name(reference: Reference, items: list[Item]) -> Mapping[str, Listed]:
    found: dict[str, Listed] = {}
    entries = [(item, _listed(reference, item)) for item in items if item.get(reference.id) is not None]
    for words in (reference.name, *reference.also):
        for item, entry in entries:
            called = _called(item, words)
            if called:
                found.setdefault(plain(called), entry)
    return found


def _listed(reference: Reference, item: Item) -> Listed:
    names = (_called(item, words) for words in (reference.name, *reference.also))
    number = item[reference.id]
    return Listed(next(filter(None, names), ""), str(number) if reference.texts else number)


def _called(item: Item, words: str) -> str:
    return " ".join(" ".join(str(item.get(word) or "") for word in words.split()).split())
