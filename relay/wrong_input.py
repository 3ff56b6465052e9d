"""The error of a command that was given what cannot be carried out."""

from __future__ import annotations


class WrongInput(Exception):
    """What the user typed cannot be carried out; `faults` are all that is wrong with it, a line each."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
