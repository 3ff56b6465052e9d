"""The folder that holds the ledger where it is a file."""

from __future__ import annotations

from pathlib import Path

from worker.errors import LedgerUnavailable


def make_folder(folder: Path) -> None:
    """Make the folder, unless it is there. Raises LedgerUnavailable, naming the variable that says where."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnavailable(
            f"{folder}: no folder can be made here for the ledger ({error.strerror}); set RELAY_VAR"
        ) from error
