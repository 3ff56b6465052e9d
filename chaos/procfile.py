"""How the Procfile starts a process, as a command for the rig: what it breaks is what users run."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping

from chaos.processes import ROOT
from relay.ports import HOST


def command(name: str, environ: Mapping[str, str], number: int = 1) -> list[str]:
    """Return how the Procfile starts `name`, with what `environ` says; worker `number` has a name of its own."""
    lines = (ROOT / "Procfile").read_text("utf-8").splitlines()
    (line,) = (line.partition(":")[2] for line in lines if line.startswith(f"{name}:"))
    filled = re.sub(r"\$\{(\w+):-([^}]*)}", lambda found: environ.get(found[1]) or found[2], line)
    program, *arguments = shlex.split(filled.replace("worker@", f"worker{number}@"))
    bind = f"{HOST}:{environ['PORT']}"
    arguments = [bind if argument == f"0.0.0.0:{environ['PORT']}" else argument for argument in arguments]
    return [sys.executable, "-m", program, *arguments]
