"""The ports of a run are nobody else's, from the moment that they are chosen until somebody listens on them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from relay.ports import free_port, port_of
from tests.engine.harness import ROOT

KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")
CHOOSES = """
import sys
from relay.ports import port_of
print(port_of({}, "SANDBOX_PORT", int(sys.argv[1]), strict=False))
"""


def test_no_port_is_chosen_twice_and_none_that_the_kernel_gives_away() -> None:
    """Otherwise one start in some hundred fails: a connection of anybody has the port before our child listens."""
    chosen = [free_port() for _ in range(300)]
    assert len(set(chosen)) == 300
    first = int(KERNELS.read_text("ascii").split()[0])
    if first > 11_000:
        assert max(chosen) < first


def test_two_runs_that_begin_at_once_do_not_choose_the_same() -> None:
    """Otherwise of two that begin at the same moment one ends with a traceback: both saw the usual port free."""
    port = free_port()  # on which nobody listens yet
    argv = [sys.executable, "-c", CHOOSES, str(port)]
    other = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert int(other.stdout) != port
    assert port_of({"PORT": str(port)}, "PORT", 8000, strict=True) == port, (
        "what is asked for by name is given"
    )
