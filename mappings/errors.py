"""What can be wrong with a payload or with the values it needs.

BadBody       the bytes are not what their content type says   → the door answers 400
CannotMap     the payload lacks or garbles something we need   → the delivery is parked for a person
ValueMissing  relay.toml does not say what the vendor demands  → the delivery is parked until it does
"""

from __future__ import annotations


class BadBody(Exception):
    """The body is not what its content type claims; the text says what is wrong and where."""


class CannotMap(Exception):
    """The payload cannot be turned into a command, or the command not into records."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class ValueMissing(Exception):
    """A value that the vendor demands is not in relay.toml; `key` is where it belongs."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"{key}: {why}")
        self.key = key
        self.why = why
