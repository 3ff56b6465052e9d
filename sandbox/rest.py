"""What the played vendors with a REST interface share: finding the operation, and records that others need."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from sandbox.fields import Field, Json
from sandbox.vendor import Call, Desk, Inbound, Operation, Vendor


class RestVendor(Vendor):
    """A vendor whose operations are told apart by verb and path; of two that fit, the first counts."""

    prefix: ClassVar[tuple[str, ...]] = ()

    def verb(self, operation: Operation) -> str:
        """Return the verb that an operation listens to: its group, unless the vendor's options say else."""
        return operation.group

    def match(self, inbound: Inbound) -> Call | None:
        """Find the operation by verb and path below the prefix."""
        if inbound.segments[: len(self.prefix)] != self.prefix:
            return None
        for operation in self.operations:
            path = path_values(operation.target, inbound.segments[len(self.prefix) :])
            if self.verb(operation) == inbound.verb and path is not None:
                return Call(operation, path, inbound.query, inbound.body, inbound.files)
        return None


def path_values(target: str, segments: Sequence[str]) -> dict[str, str] | None:
    """Return what the `{names}` of a path stand for in `segments`, None where the path is another one."""
    pattern = target.split("/")
    if len(pattern) != len(segments):
        return None
    values: dict[str, str] = {}
    for part, segment in zip(pattern, segments, strict=True):
        if part.startswith("{") and segment:
            values[part.strip("{}")] = segment
        elif part != segment:
            return None
    return values


def dangling(desk: Desk, body: Json, refers: Mapping[str, str]) -> list[str]:
    """Return the fields of `body` whose record does not exist; `refers` maps a field to a kind."""
    return [
        name
        for name, kind in refers.items()
        if body.get(name) and desk.store.get(desk.vendor, kind, str(body[name])) is None
    ]


def partial(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Return the field table of an update that leaves absent fields as they are: nothing is required."""
    return tuple(replace(field, required=False) for field in fields)
