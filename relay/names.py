"""Sources, connections and operations by the names that people type."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from relay.errors import WrongInput
from worker.settings import ConnectionSettings, Settings, SourceSettings

#: Nobody reads a longer list of names in an error message.
MOST_NAMES = 40


def source_named(settings: Settings, name: str) -> SourceSettings:
    """Return the source of that name. Raises WrongInput, with the names that there are."""
    return settings.sources[require_known("source", name, settings.sources, f"in {settings.config_path}")]


def connection_named(settings: Settings, name: str) -> ConnectionSettings:
    """Return the connection of that name. Raises WrongInput, with the names that there are."""
    there = settings.connections
    return there[require_known("connection", name, there, f"in {settings.config_path}")]


def require_known(what: str, wanted: str, there: Collection[str], where: str) -> str:
    """Return `wanted`; raises WrongInput, naming what is there, the most similar first, where it is not."""
    if wanted in there:
        return wanted
    raise WrongInput(f"there is no {what} {wanted!r} {where}; there are: {closest_first(wanted, there)}")


def closest_first(wanted: str, there: Collection[str]) -> str:
    """Return `there` as a list for an error message, what is most like `wanted` first."""
    names = list(dict.fromkeys(there))
    close = difflib.get_close_matches(wanted, names, n=5, cutoff=0.65)
    ordered = [*close, *(name for name in names if name not in close)]
    more = [f"… ({len(names)} in all)"] if len(names) > MOST_NAMES else []
    return ", ".join([*ordered[:MOST_NAMES], *more]) or "none"
