"""The tries at a delivery, numbered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select

from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.tables import State, attempts, deliveries
from worker.ledger.utc_time import UtcTime


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is kept of one try: its length in milliseconds, the vendor's status, a masked excerpt."""

    ms: int
    error: str | None = None
    status: int | None = None
    excerpt: str | None = None


_ATTEMPT = Prepared(
    insert(attempts).from_select(
        ["delivery_id", "number", "started_at", "ms", "outcome", "error", "status", "excerpt"],
        select(
            bindparam("delivery", type_=deliveries.c.id.type),
            func.coalesce(func.max(attempts.c.number), 0) + 1,
            bindparam("started", type_=UtcTime),
            bindparam("took", type_=attempts.c.ms.type),
            bindparam("outcome_", type_=attempts.c.outcome.type),
            bindparam("error_name", type_=attempts.c.error.type),
            bindparam("http_status", type_=attempts.c.status.type),
            bindparam("said", type_=attempts.c.excerpt.type),
        ).where(attempts.c.delivery_id == bindparam("delivery", type_=deliveries.c.id.type)),
    )
)


def record(t: Transaction, delivery_id: str, started_at: datetime, outcome: State, attempt: Attempt) -> None:
    """Write `attempt` with the next number of its delivery."""
    made = {"delivery": delivery_id, "started": started_at, "took": attempt.ms, "outcome_": outcome}
    told = {"error_name": attempt.error, "http_status": attempt.status, "said": attempt.excerpt}
    t.run(_ATTEMPT, made | told)
