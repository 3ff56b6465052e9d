"""How gunicorn runs the door: `gunicorn --config python:webhooks.server "webhooks.app:from_environment()"`."""

from __future__ import annotations

import os
import resource
import socket
import struct
from typing import Any

# Loaded here, before the fork, the code is read once, its memory is shared by all workers, and one that died is
# back at once. Not with `preload_app`, which would make connections and threads before the fork, too.
import webhooks.app  # noqa: F401
from worker.settings.environment import grace_seconds

#: Files of a process besides its senders' connections: those to the ledger and the broker, and some to spare.
OTHER_FILES = 128
#: Twice what may wait for bytes (webhooks/incoming.py).
MOST_CONNECTIONS = 2000


def connections() -> int:
    """Return how many connections a process may have; the limit of open files is raised where it can be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST_CONNECTIONS + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        allowed = min(allowed, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(allowed - OTHER_FILES, OTHER_FILES)


worker_class = "webhooks.arrivals.Worker"
workers = 2
#: Where a process runs out of files it ends, and with it all its requests. gunicorn's own are 1,000, and a usual
#: limit of files is 1,024.
worker_connections = connections()
#: With TLS only; without it there are those of webhooks/turns.py.
threads = 8
#: Requests in flight are answered in this time, which ends before the platform's own.
graceful_timeout = int(grace_seconds(os.environ) * 0.8)
#: Its warnings quote request lines that are not valid HTTP, and with them the token of a URL.
loglevel = "error"
control_socket_disable = True
#: No header becomes the path or the scheme: by default SCRIPT_NAME does where a proxy on this host passes it on,
#: and one that does not fit is answered 500. RELAY_TRUSTED_PROXIES says what is believed.
forwarded_allow_ips = ""
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
