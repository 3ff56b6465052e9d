"""Where the processes of a run listen: always on loopback."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

HOST = "127.0.0.1"
#: The ports that we choose from; where the kernel's own begin sooner, those below them.
_LOWEST, _HIGHEST = 10_000, 32_767
#: Where the kernel says which ports it gives to connections and to whoever binds port 0 (ip(7)).
_KERNELS = Path("/proc/sys/net/ipv4/ip_local_port_range")


class CannotStart(Exception):
    """Something outside is in the way; the text is the one line that the user needs."""


def port_of(environ: Mapping[str, str], name: str, default: int, strict: bool) -> int:
    """Return the port that the variable `name` gives, else `default`, else, unless `strict`, any that is free.

    Raises CannotStart where it is no port, or where somebody listens on it already.
    """
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"{name} must be a port number from 1 to 65535, not {text!r}")
    if _is_free(int(text)) and (strict or _claim(int(text))):
        return int(text)
    if strict:
        require_free(int(text), name)
    return free_port()


def require_free(port: int, name: str) -> None:
    """Raise CannotStart where another program listens on `port`, which the variable or option `name` gave."""
    if not _is_free(port):
        raise CannotStart(f"port {port} is taken by another program; set {name} to a free one")


def require_different(environ: Mapping[str, str], defaults: Mapping[str, int]) -> None:
    """Raise CannotStart where two of these variables that are set, or the first's default, give the same port."""
    first = next(iter(defaults))
    given: dict[str, str] = {}
    for name, default in defaults.items():
        text = environ.get(name) or (str(default) if name == first else "")
        if text and text in given:
            raise CannotStart(f"{given[text]} and {name} are both {text}; set {name} to another port")
        given[text] = name


def free_port() -> int:
    """Return a port of loopback that nobody listens on, and that no other run chooses while this process lives.

    Not one that the kernel gives out by itself: until a child of ours listens on it, and while it is started
    again, any connection of anybody could get it, even a client's that looks for that very child. Raises
    CannotStart.
    """
    last = _below_the_kernels()
    for _ in range(200):
        port = _LOWEST + secrets.randbelow(last - _LOWEST + 1)
        if _is_free(port) and _claim(port):
            return port
    raise CannotStart(f"no free port found between {_LOWEST} and {last}")


def _below_the_kernels() -> int:
    try:
        first = int(_KERNELS.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _HIGHEST
    # Some machines let the kernel have nearly all: then there is nothing better than the same range.
    return min(_HIGHEST, first - 1) if first > _LOWEST + 1_000 else _HIGHEST


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _claim(port: int) -> bool:
    """Say whether no other process has chosen this port; from now on it is ours. Linux only: elsewhere always.

    A name in the kernel says so to other processes; it is dropped with ours.
    """
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0crm-relay-port-{port}")
    except OSError:
        claim.close()
        return False
    claim.detach()  # open until this process ends, and no object that is missed when it does
    return True
