"""How gunicorn runs the door: `gunicorn --config python:webhooks.server "webhooks.app:from_environment()"`."""

from __future__ import annotations

import os
import socket
import struct
from typing import Any

from worker.configuration import grace_seconds

worker_class = "gthread"
workers = 2
threads = 8
#: Requests in flight are answered in this time, which ends before the platform's own.
graceful_timeout = int(grace_seconds(os.environ) * 0.8)
#: Its warnings quote request lines that are not valid HTTP, and with them the token of a URL.
loglevel = "error"
control_socket_disable = True
#: Seconds for which a sender may be silent in the middle of a request. gunicorn's threads know no such bound, and
#: sixteen connections that say nothing would hold them all. Against one that drips, put a buffering proxy in front.
SILENCE_SECONDS = 10


def when_ready(server: Any) -> None:
    """Bound each read of every connection; on Linux they inherit it from the listening socket."""
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SILENCE_SECONDS, 0))
