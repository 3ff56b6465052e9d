"""A reconciliation in the hands of a person: its period, its patience with the CRM, and what is printed of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import simplejson

from relay.calling import opened, without_secrets
from relay.durations import duration
from relay.errors import WrongInput
from relay.listing import as_table
from worker.errors import Hold, RateLimited, Retry
from worker.ledger import breakers
from worker.ledger.database import Database
from worker.reconcile.agreement import shown
from worker.reconcile.findings import COLUMNS, Finding, Tally
from worker.settings import ConnectionSettings, Settings
from worker.vendors.api import Api

#: How long a pause that the vendor asks for, or a hold of the connection, is waited out here.
LONGEST_PAUSE = timedelta(minutes=1)
#: The pause where a vendor that is asked too often does not say for how long.
USUAL_PAUSE = timedelta(seconds=5)
#: Calls that fail one after the other before the CRM counts as away.
MOST_FAILURES = 10
TRIES = 3


class Patient(Api):
    """A connection that waits where it is asked to, and gives up where the CRM is away. `before` runs first."""

    before: Callable[[], None] = staticmethod(lambda: None)
    _failures = 0

    def call(self, name: str, values: Mapping[str, Any] | None = None) -> Any:
        """Return what the operation answers. Raises Hold where nothing can be read for now."""
        number = 0
        while True:
            number += 1
            self.before()
            try:
                answer = super().call(name, values)
            except Retry as error:
                pause = _pause(error)
                if pause is None or number == TRIES:
                    self._fail(error)
                    raise
                time.sleep(pause.total_seconds())
            else:
                self._failures = 0
                return answer

    def _fail(self, error: Retry) -> None:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            raise Hold(f"{MOST_FAILURES} calls failed one after the other, the last with: {error}") from error


def _pause(error: Retry) -> timedelta | None:
    """Return how long to wait before the call is made again, None where it is not."""
    pause = (error.retry_after or USUAL_PAUSE) if isinstance(error, RateLimited) else None
    return pause if pause is not None and pause <= LONGEST_PAUSE else None


@contextmanager
def patient(settings: Settings, connection: ConnectionSettings, db: Database) -> Iterator[Api]:
    """Open the connection within its budget, and not while it is held for its deliveries."""

    def not_held() -> None:
        now = datetime.now(UTC)
        away = breakers.away(db, connection.name, now)
        wait = away.until - now if away else timedelta(0)
        if away and wait > LONGEST_PAUSE:
            raise Hold(f"the connection is held until {written(away.until)}: {away.reason}")
        time.sleep(max(0.0, wait.total_seconds()))

    with opened(settings, connection, made=Patient) as api:
        if isinstance(api, Patient):
            api.before = not_held
        yield api


def moment(text: str, now: datetime) -> datetime:
    """Return the time that `7d`, `36h`, `90m` ago or an ISO 8601 text means, which is UTC where it names no zone.

    Raises WrongInput.
    """
    with suppress(ValueError):
        return now - duration(text)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongInput(f"{text!r} is not a time: write 7d, 36h, 90m or 2026-03-02T09:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def written(at: datetime | None) -> str:
    """Return a time as `moment` reads it, to the microsecond."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else ""


def as_line(found: Finding, connection: ConnectionSettings) -> str:
    """Return a finding for people."""
    head = f"{found.verdict}: {found.kind} {found.record_id} ({found.key}), delivery {found.delivery}"
    if found.verdict == "doubled":
        head += f"; the linked one is {found.record_id}, with the same key: {', '.join(found.others)}"
    elif found.others:
        head += f"; with the same key there is {', '.join(found.others)}, which a repair takes for it"
    if found.why:
        head += f"; {found.why}"
    lines = [head, *(f"    {' '.join(line.split())}" for line in shown(found.fields))]
    return str(without_secrets("\n".join(lines), connection))


def as_object(found: Finding, connection: ConnectionSettings) -> str:
    """Return a finding as a line of JSON."""
    told: dict[str, Any] = {
        "finding": found.verdict,
        "connection": connection.name,
        "kind": found.kind,
        "key": found.key,
        "record_id": found.record_id,
        "delivery": found.delivery,
    }
    if found.others:
        told["others"] = list(found.others)
    if found.fields:
        told["fields"] = [{"field": f.field, "ours": f.ours, "theirs": f.theirs} for f in found.fields]
    if found.why:
        told["why"] = found.why
    return _json(without_secrets(told, connection))


def as_summary(tally: Tally, connection: str, since: datetime, until: datetime) -> str:
    """Return the summary as a line of JSON."""
    told = {
        "connection": connection,
        "since": written(since),
        "until": written(until),
        "deliveries": tally.deliveries,
        "kinds": {row["kind"]: {column: row[column] for column in COLUMNS} for row in tally.rows()},
        "cannot_be_compared": tally.uncompared,
        "fields_not_shown": {kind: sorted(names) for kind, names in sorted(tally.unseen.items())},
        "too_recent": tally.recent,
        "payload_purged": tally.purged,
        "sent_otherwise": tally.remapped,
        "complete": not tally.stopped,
        "stopped": tally.stopped,
        "go_on_with": written(tally.mark) if tally.stopped else "",
    }
    return _json({"summary": told})


def as_report(tally: Tally) -> str:
    """Return the table for people, and what it leaves out."""
    lines = [as_table(tally.rows(), ("kind", *COLUMNS)), f"{tally.deliveries} deliveries compared"]
    for kind, why in sorted(tally.uncompared.items()):
        lines.append(f"cannot be compared: {tally.counts[kind]['uncompared']} {kind}: {why}")
    for kind, names in sorted(tally.unseen.items()):
        lines.append(f"not shown by the CRM, so not compared: {kind}: {', '.join(sorted(names))}")
    if tally.recent:
        lines.append(f"{tally.recent} were delivered a moment ago and are left for the next time")
    if tally.purged:
        lines.append(f"payload purged: of {tally.purged} deliveries only existence is compared")
    if tally.remapped:
        lines.append(
            f"relay.toml or a mapping says something else than was sent: {tally.remapped} records' fields are "
            "not compared"
        )
    return "\n".join(lines)


def _json(told: Any) -> str:
    text: str = simplejson.dumps(told, ensure_ascii=False, use_decimal=True, default=str)
    return text
