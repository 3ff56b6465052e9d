"""How commands of ours end that do not work; `relay/options.py` gives each its exit code."""

from __future__ import annotations


class WrongInput(Exception):
    """What the user typed cannot be carried out; `faults` are all that is wrong with it, a line each."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class NoAnswer(Exception):
    """Nobody answers where the user said that something of ours runs."""
