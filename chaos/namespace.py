"""A host of its own for one worker: a network namespace with a line to ledger and broker, and one to the CRMs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from chaos.processes import DidNotRun

#: 198.18.0.0/15 is kept for tests of networks (RFC 2544): nobody's address is there.
_FIRST_OCTETS = "198.18"
_LEFT_BEHIND = re.compile(r"relay-chaos-(\d+)")
_CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()"


class Line:
    """A bridge of ours with one cable to the host; `address` is our end, where the host finds what it needs.

    A bridge, so that a cut cable takes neither our address nor our route away: as a switch between two machines.
    """

    def __init__(self, name: str, namespace: str, pid: int, number: int) -> None:
        self.name = name
        self._namespace = namespace
        self._bridge, self._cable = f"rcb{pid}{number}", f"rcv{pid}{number}"
        # Of each 8 addresses each rig has two nets of four: as many rigs as there are in 198.18.0.0/16.
        base = pid % 8192 * 8 + number * 4
        net = f"{_FIRST_OCTETS}.{base // 256}"
        self.address, self._other = f"{net}.{base % 256 + 1}", f"{net}.{base % 256 + 2}"
        self.net = f"{net}.{base % 256}/30"

    def lay(self) -> None:
        """Lay it. Raises DidNotRun."""
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("address", "add", f"{self.address}/30", "dev", self._bridge)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", self.name, "netns", self._namespace)
        _ip("link", "set", self._cable, "master", self._bridge)
        for device in (self._bridge, self._cable):
            _ip("link", "set", device, "up")
        _ip("-n", self._namespace, "address", "add", f"{self._other}/30", "dev", self.name)
        _ip("-n", self._namespace, "link", "set", self.name, "up")

    def cut(self) -> None:
        """Pull the cable out: whoever is connected over it hears nothing any more, and is not told."""
        _ip("link", "set", self._cable, "down")

    def mend(self) -> None:
        """Put the cable in again."""
        _ip("link", "set", self._cable, "up")

    def remove(self) -> None:
        """Remove it, as far as it is there."""
        for device in (self._cable, self._bridge):
            with contextlib.suppress(DidNotRun):
                _ip("link", "delete", device)


class Host:
    """The namespace, named by our process id; `inner` is its line to ledger and broker, `outer` to the CRMs."""

    def __init__(self, pid: int | None = None) -> None:
        pid = pid or os.getpid()
        self.name = f"relay-chaos-{pid}"
        self.inner, self.outer = (Line(name, self.name, pid, n) for n, name in enumerate(("inner", "outer")))

    def open(self) -> None:
        """Make the namespace and lay its lines. Raises DidNotRun."""
        try:
            _ip("netns", "add", self.name)
            _ip("-n", self.name, "link", "set", "lo", "up")
            self.inner.lay()
            self.outer.lay()
        except DidNotRun:
            self.close()
            raise

    def close(self) -> None:
        """Remove all of it, as far as it is there."""
        for line in (self.inner, self.outer):
            line.remove()
        with contextlib.suppress(DidNotRun):
            _ip("netns", "delete", self.name)

    def inside(self, argv: Sequence[str]) -> list[str]:
        """Return the command that runs `argv` there; it keeps its process id."""
        return [_program(), "netns", "exec", self.name, *argv]

    def reaches(self, address: str, port: int) -> bool:
        """Say whether a process there can connect."""
        probe = self.inside([sys.executable, "-S", "-c", _CONNECT, address, str(port)])
        return subprocess.run(probe, capture_output=True, timeout=30).returncode == 0

    def connections(self, address: str) -> int:
        """Return how many of its TCP connections to `address` are open, as far as its kernel knows."""
        ends = Path("/proc/net/tcp")
        shown = subprocess.run(
            self.inside(["/bin/cat", str(ends)]), capture_output=True, text=True, timeout=30
        )
        wanted = "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
        rows = [row.split() for row in shown.stdout.splitlines()[1:]]
        return sum(row[2].startswith(f"{wanted}:") and row[3] == "01" for row in rows)


def why_not() -> str:
    """Say why this machine has no namespaces for us, empty where it has: by making one and removing it."""
    if os.geteuid() != 0:
        return "needs root, to make a network namespace: run it as root"
    if not _program():
        return "no ip: apt-get install iproute2"
    host = Host()
    try:
        _remove_left_behind()
        host.open()
        host.close()
    except DidNotRun as error:
        return f"network namespaces are not permitted here: {error}"
    return ""


def _remove_left_behind() -> None:
    """Remove what rigs left behind that were killed with SIGKILL."""
    for found in _LEFT_BEHIND.finditer(_ip("netns", "list")):
        if not Path(f"/proc/{found[1]}").exists():
            Host(int(found[1])).close()


def _program() -> str:
    return shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


def _ip(*arguments: str) -> str:
    try:
        done = subprocess.run([_program(), *arguments], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DidNotRun(f"ip {' '.join(arguments)}: {error}") from error
    if done.returncode:
        raise DidNotRun(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
