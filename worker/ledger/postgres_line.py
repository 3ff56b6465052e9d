"""A line to PostgreSQL on which no answer is waited for without end; loaded only where the ledger is one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from worker.ledger.postgres_timeouts import ANSWER


class Line(psycopg.Connection[Any]):
    """Closed where the server does not answer for `seconds`, None for without end.

    The server's own bounds end nothing where it is frozen or where a proxy in between (a pooler, a balancer) is:
    whoever takes the bytes confirms them, so TCP's bounds see no harm either.
    """

    seconds: float | None = ANSWER

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what `gen` returns. Raises OperationalError, and closes the line, after `seconds`."""
        kwargs.setdefault("timeout", self.seconds)
        began = time.monotonic()
        try:
            return super().wait(gen, *args, **kwargs)
        except psycopg.OperationalError as error:
            had_time = self.seconds is not None and time.monotonic() - began >= self.seconds
            if not had_time or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            # Its statement is under way: the answer to it would be taken for the next one's.
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self.seconds} s") from error

    def rollback(self) -> None:
        """Roll back; a line that was closed has nothing to, and what closed it is the error to tell."""
        if not self.closed:
            super().rollback()


def connect(_dialect: Any, _record: Any, arguments: Any, options: Mapping[str, Any]) -> Line:
    """Open a line; what SQLAlchemy's event `do_connect` calls."""
    return Line.connect(*arguments, **options)


@contextmanager
def unbounded(line: Any) -> Iterator[None]:
    """Wait as long as it takes for what is said on `line` within this."""
    bound, line.seconds = line.seconds, None
    try:
        yield
    finally:
        line.seconds = bound
