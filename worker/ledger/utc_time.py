"""How the ledger keeps a point in time: aware and in UTC, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A point in time, always aware and in UTC; SQLite has no zones, so they are put on and taken off here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they are a local clock that leaked in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time in the ledger")
        return value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Write a time for SQLite as SQLAlchemy does, in a quarter of its time: a delivery has a dozen."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time aware."""
        return value and value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value


# A row says the same time four times, and rows of one commit say it again.
@lru_cache(maxsize=64)
def _as_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive time in the ledger")
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:26]  # less the offset
