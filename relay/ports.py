"""Where the processes of a run listen: always on loopback."""

from __future__ import annotations

import socket
from collections.abc import Mapping

HOST = "127.0.0.1"


class CannotStart(Exception):
    """Something outside is in the way; the text is the one line that the user needs."""


def port_of(environ: Mapping[str, str], name: str, default: int, strict: bool) -> int:
    """Return the port that the variable `name` gives, else `default`, else, unless `strict`, any that is free.

    Raises CannotStart where it is no port, or where somebody listens on it already.
    """
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"{name} must be a port number from 1 to 65535, not {text!r}")
    if _is_free(int(text)):
        return int(text)
    if strict:
        raise CannotStart(f"port {text} is taken by another program; set {name} to a free one")
    return free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
