"""The vendor's own lists by name, remembered for a while: stages, users, currencies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

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
        """Return the list's entries by their name in lower case, read anew where they may be out of date.

        Of two entries with one name the first counts, as it does for a person who looks.
        """
        read_at, known = self._known.get(of, (float("-inf"), {}))
        age = self._clock() - read_at
        if age > (LIFETIME if name.casefold() in known else SOONEST).total_seconds():
            found: dict[str, Listed] = {}
            for item in fetch():
                called = str(item.get(reference.name) or "").strip()
                found.setdefault(called.casefold(), Listed(called, item.get(reference.id)))
            known = found
            self._known[of] = (self._clock(), known)
        return known
