"""The calls of one claim: its lease is kept, the budget paid, what the vendor says of its limits heeded."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from worker import budget
from worker.errors import BudgetSpent
from worker.http import Answer, Http
from worker.http.limit_headers import limit_pause
from worker.ledger import breakers, deliveries, limits
from worker.ledger.database import Database
from worker.ledger.deliveries import Claim
from worker.settings import ConnectionSettings
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session
from worker.vendors.vendor import Operation

#: So long a process trusts that nobody has asked for a pause since it last looked: a look before every call would
#: be one more statement each.
PAUSE_HEARD_WITHIN = timedelta(milliseconds=200)


def calls(
    db: Database,
    http: Http,
    session: Session,
    claim: Claim,
    connection: ConnectionSettings,
    clock: Callable[[], datetime],
    margin: timedelta,
    began: float,
) -> Api:
    """Return the connection as `claim` may use it.

    `margin` is what its lease has beyond the longest call, `began` when it was taken, on the monotonic clock. Each
    call raises LeaseLost where the claim is not ours any more, and BudgetSpent where there is no request for it.
    """
    lasting = connection.timeout + margin
    kept_until = began + lasting.total_seconds()
    pause: BudgetSpent | None = None

    def guard() -> None:
        nonlocal kept_until
        # Also after a freeze (SIGSTOP, a suspended host) no call leaves us on a lease that may be another's.
        if kept_until - time.monotonic() < connection.timeout.total_seconds() + 2:
            deliveries.prolong(db, claim, clock(), lasting)
            kept_until = time.monotonic() + lasting.total_seconds()

    def pay(operation: Operation) -> None:
        if pause is not None:
            raise pause
        _heed_others(db, session, connection.name, clock())
        budget.take(db, connection.name, connection.allowance, operation.changes, clock())

    def heed(answer: Answer) -> None:
        nonlocal pause
        lasts = limit_pause(answer.headers)
        if lasts is not None:
            pause = BudgetSpent("the vendor says that its limit of requests is used up", lasts)
            limits.hold(db, connection.name, clock() + lasts, str(pause))

    return Api(VENDORS[connection.vendor], connection, http, session, guard, pay, heed)


def _heed_others(db: Database, session: Session, connection: str, now: datetime) -> None:
    # The pause that another delivery was told is for this one too, though it is under way.
    if time.monotonic() < session.free_until:
        return
    gate = db.reading(lambda t: breakers.gate(t, connection, now))
    if gate.held_until is not None and gate.held_until > now:
        raise BudgetSpent(gate.reason or "the connection is held", gate.held_until - now, whole=False)
    session.free_until = time.monotonic() + PAUSE_HEARD_WITHIN.total_seconds()
