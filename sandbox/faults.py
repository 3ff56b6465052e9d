"""Keeps the faults a test has set and decides which of them strike a request."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from sandbox.fields import Json

KINDS = (
    "latency",
    "status",
    "drop_before",
    "drop_after",
    "garbage",
    "half_answer",
    "success_false",
    "expire_token",
    "html_login",
)
STATUSES = (302, 400, 429, 500, 502, 503)
LONGEST_WAIT_S = 600
# Fields that mean something for one fault only.
ONLY_FOR: Mapping[str, str] = {"status": "status", "retry_after": "status", "seconds": "latency"}


class BadFault(Exception):
    """A fault description that cannot be used: names the field, the value given and what is allowed."""

    def __init__(self, name: str, given: object, allowed: object) -> None:
        """Take the wrong field, its value and the permitted values or a phrase about them."""
        super().__init__(name)
        self.answer: Json = {"error": {"field": name, "given": given, "allowed": allowed}}


@dataclass(frozen=True)
class Fault:
    """One fault as it was set; times are in seconds, `times` None means for ever."""

    vendor: str = "*"
    operation: str = "*"
    fault: str = ""
    status: int | None = None
    retry_after: int | float | None = None
    seconds: int | float | None = None
    times: int | None = None
    every: int | None = None
    rate: int | float | None = None
    seed: int | None = None


def _between(low: float, high: float) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    )


def _whole(low: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= low


NUMBERS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "retry_after": (_between(0, LONGEST_WAIT_S), f"seconds from 0 to {LONGEST_WAIT_S}"),
    "seconds": (_between(0, LONGEST_WAIT_S), f"seconds from 0 to {LONGEST_WAIT_S}"),
    "times": (_whole(1), "a whole number of at least 1, or null for ever"),
    "every": (_whole(1), "a whole number of at least 1"),
    "rate": (_between(0, 1), "a number from 0 to 1"),
    "seed": (_whole(0), "a whole number of at least 0, together with rate"),
}


def read_fault(given: object, operations: Mapping[str, Sequence[str]]) -> Fault:
    """Build a fault from its JSON form; `operations` lists the names per vendor. Raises BadFault."""
    if not isinstance(given, dict):
        raise BadFault("", given, "one JSON object")
    names = list(Fault.__dataclass_fields__)
    for name in given:
        if name not in names:
            raise BadFault(name, given[name], names)
    chosen = {name: value for name, value in given.items() if value is not None}
    vendor, operation = chosen.get("vendor", "*"), chosen.get("operation", "*")
    _require("vendor", vendor, [*operations, "*"])
    played = operations if vendor == "*" else {vendor: operations[vendor]}
    _require("operation", operation, [*(name for names in played.values() for name in names), "*"])
    _require("fault", chosen.get("fault"), KINDS)
    _check_numbers(chosen)
    return Fault(**chosen)


def _require(name: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        raise BadFault(name, value, list(allowed))


def _check_numbers(chosen: Json) -> None:
    for name, fault in ONLY_FOR.items():
        if name in chosen and chosen["fault"] != fault:
            raise BadFault(name, chosen[name], f"only with the fault {fault}")
    if chosen["fault"] == "status":
        _require("status", chosen.get("status"), STATUSES)
    if chosen["fault"] == "latency" and "seconds" not in chosen:
        raise BadFault("seconds", None, NUMBERS["seconds"][1])
    if "seed" in chosen and "rate" not in chosen:
        raise BadFault("seed", chosen["seed"], NUMBERS["seed"][1])
    for name, (test, phrase) in NUMBERS.items():
        if name in chosen and not test(chosen[name]):
            raise BadFault(name, chosen[name], phrase)


@dataclass
class _Entry:
    number: int
    fault: Fault
    chance: random.Random
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        fault = self.fault
        if fault.times is not None and self.struck >= fault.times:
            return False
        self.seen += 1
        if fault.every is not None and self.seen % fault.every:
            return False
        if fault.rate is not None and self.chance.random() >= fault.rate:
            return False
        self.struck += 1
        return True

    def shown(self) -> Json:
        return {"id": self.number, **self.fault.__dict__, "seen": self.seen, "struck": self.struck}


class FaultBook:
    """The faults now set; safe for several threads."""

    def __init__(self, operations: Mapping[str, Sequence[str]]) -> None:
        """Take the operation names of each vendor, to refuse faults that could never strike."""
        self._operations = operations
        self._lock = Lock()
        self._entries: list[_Entry] = []
        self._last = 0

    def add(self, given: object) -> Json:
        """Set a fault and return it with its id; raises BadFault."""
        fault = read_fault(given, self._operations)
        with self._lock:
            self._last += 1
            entry = _Entry(self._last, fault, random.Random(fault.seed))  # nosec B311 # plays bad luck
            self._entries.append(entry)
            return entry.shown()

    def shown(self) -> list[Json]:
        """Return all faults with how many requests each has seen and struck."""
        with self._lock:
            return [entry.shown() for entry in self._entries]

    def remove(self, number: int | None = None) -> int:
        """Remove one fault, or all of them without a number; return how many were removed."""
        with self._lock:
            kept = [entry for entry in self._entries if number is not None and entry.number != number]
            removed = len(self._entries) - len(kept)
            self._entries = kept
            return removed

    def draw(self, vendor: str, operation: str, needs_token: bool) -> list[Fault]:
        """Return the faults that strike this request: any latencies, and at most one other, the first set."""
        struck: list[Fault] = []
        with self._lock:
            for entry in self._entries:
                fault = entry.fault
                if fault.vendor not in (vendor, "*") or fault.operation not in (operation, "*"):
                    continue
                # A login carries no token that could expire.
                if fault.fault == "expire_token" and not needs_token:
                    continue
                if fault.fault != "latency" and any(other.fault != "latency" for other in struck):
                    continue
                if entry.strikes():
                    struck.append(fault)
        return struck
