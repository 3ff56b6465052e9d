"""How long a connection to PostgreSQL may be silent: hosts vanish without a word, networks forget connections."""

from __future__ import annotations

from collections.abc import Mapping

#: Seconds to connect, for one statement, and for a lock.
CONNECT, STATEMENT, LOCK = 3, 10, 4
#: Seconds for any answer, as measured here: the server itself would have ended the statement before.
ANSWER = STATEMENT + 2
#: Seconds after which what was sent and not confirmed, or a connection on which nothing was said, counts as cut.
#: TCP's own are 15 minutes and 2 hours: as long a worker's threads would wait, and a dead worker's locks stand.
SILENT = 10
#: Seconds that a transaction may do nothing: that of a frozen process holds its locks, and its connection is alive.
IDLE = 30


def connect_args() -> Mapping[str, str | int]:
    """Return what libpq is told when it connects, for our end and for the server's."""
    probe = SILENT // 2
    server = {
        "statement_timeout": STATEMENT * 1000,
        "lock_timeout": LOCK * 1000,
        "idle_in_transaction_session_timeout": IDLE * 1000,
        "tcp_user_timeout": SILENT * 1000,
        "tcp_keepalives_idle": probe,
        "tcp_keepalives_interval": probe,
        "tcp_keepalives_count": 1,
    }
    return {
        "connect_timeout": CONNECT,
        "tcp_user_timeout": SILENT * 1000,
        "keepalives_idle": probe,
        "keepalives_interval": probe,
        "keepalives_count": 1,
        "options": " ".join(f"-c {name}={value}" for name, value in server.items()),
    }
