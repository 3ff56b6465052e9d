"""A connection to PostgreSQL on which no answer is waited for without end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from worker.ledger.postgres_timeouts import ANSWER


def connect(dialect: Any, _record: Any, arguments: Any, options: Mapping[str, Any]) -> Any:
    """Open one; what SQLAlchemy's event `do_connect` calls."""
    return _bounded(dialect.loaded_dbapi).connect(*arguments, **options)


@contextmanager
def unbounded(driver: Any) -> Iterator[None]:
    """Wait as long as it takes for what is asked of `driver` within this; does nothing on SQLite."""
    bound = getattr(driver, "seconds", None)
    if bound is None:
        yield
        return
    driver.seconds = None
    try:
        yield
    finally:
        driver.seconds = bound


# Made of the driver that SQLAlchemy has loaded: whose ledger is SQLite does not wait for psycopg at each start.
@cache
def _bounded(psycopg: Any) -> Any:
    class Bounded(psycopg.Connection):  # type: ignore[misc]
        """Closed where the server does not answer for `seconds`, None for without end.

        The server's own bounds end nothing where it is frozen or where a proxy in between (a pooler, a balancer)
        is: whoever takes the bytes confirms them, so TCP's bounds see no harm either.
        """

        seconds: float | None = ANSWER

        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("timeout", self.seconds)
            began = time.monotonic()
            try:
                return super().wait(gen, *args, **kwargs)
            except psycopg.OperationalError as error:
                had_time = self.seconds is not None and time.monotonic() - began >= self.seconds
                if not had_time or self.pgconn.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
                    raise
                # Its statement is under way: the answer to it would be taken for the next one's.
                self.pgconn.finish()
                raise psycopg.OperationalError(f"no answer within {self.seconds} s") from error

        def rollback(self) -> None:
            # One that was closed has nothing to roll back, and what closed it is the error to tell.
            if not self.closed:
                super().rollback()

    return Bounded
