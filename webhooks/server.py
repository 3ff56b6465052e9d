"""How gunicorn runs the door: `gunicorn --config python:webhooks.server "webhooks.app:from_environment()"`."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

# Loaded here, before the fork, the code is read once, its memory is shared by all workers, and one that died is
# back at once. Not with `preload_app`, which would make connections and threads before the fork, too.
import webhooks.app  # noqa: F401
from worker.settings.environment import grace_seconds

worker_class = "webhooks.arrivals.Worker"
workers = 2
#: With TLS only; without it there are those of webhooks/turns.py.
threads = 8
#: Requests in flight are answered in this time, which ends before the platform's own.
graceful_timeout = int(grace_seconds(os.environ) * 0.8)
#: Its warnings quote request lines that are not valid HTTP, and with them the token of a URL.
loglevel = "error"
control_socket_disable = True
#: More headers than any sender has, and what they may hold together is in webhooks/framing.py.
limit_request_fields = 100
#: Seconds for which one read or write of a thread may wait for the other side. Requests are whole before they have
#: a thread, so this bounds answers that nobody reads; gunicorn's threads know no such bound.
SILENCE_SECONDS = 5


def when_ready(server: Any) -> None:
    """Bound each read and write of every connection; on Linux they inherit it from the listening socket."""
    seconds = struct.pack("ll", SILENCE_SECONDS, 0)
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
