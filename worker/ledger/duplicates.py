"""Posts of an event that is known already: counted, or kept where they say something else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, select, update

from mappings.reading.repeats import substance
from worker.ledger.database import Database
from worker.ledger.tables import State, deliveries, events
from worker.ledger.verdicts import Verdict

#: Duplicates of one event that are kept, the newest: a sender that repeats itself must not fill the ledger.
KEPT = 20

#: The row of an event that is not stored, its window, and what may vary in it.
Post = tuple[Mapping[str, Any], timedelta | None, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A post under a known key: the first event's id, and the id under which this one is kept, if it is."""

    first: str
    kept: str | None = None


def note_repeat(
    db: Database, row: Mapping[str, Any], window: timedelta | None, varies: frozenset[str] = frozenset()
) -> Repeat | None:
    """Note that `row`, an event that is not stored, has the key of one that is.

    A body that says what the first one's does, beside the fields that `varies` names, is only counted. Another body
    is what may be a mistake of ours or of the sender's: it is kept as an event of its own, linked to the first and
    without deliveries.
    None where the key is free now, because equal content counts as the same event for `window` only, and only until
    its entity was told of otherwise: a ticket may be solved, opened and solved again. And because what was judged
    spam must not stand in the way of what was not. Freeing the key and trying again keeps the
    unique constraint the only judge, also between two processes.
    """
    with db.write() as c:
        return _noted(db, c, row, window, varies)


def note_repeats(db: Database, posts: Sequence[Post]) -> list[Repeat | None]:
    """Note several posts as `note_repeat` does each, in one transaction."""
    noted: dict[int, Repeat | None] = {}
    with db.write() as c:
        # By key: two transactions that lock the same rows in different orders wait for each other.
        for place in sorted(range(len(posts)), key=lambda place: str(posts[place][0]["dedup_key"])):
            noted[place] = _noted(db, c, *posts[place])
    return [noted[place] for place in range(len(posts))]


def _noted(
    db: Database, c: Connection, row: Mapping[str, Any], window: timedelta | None, varies: frozenset[str]
) -> Repeat | None:
    same = (events.c.source == row["source"]) & (events.c.dedup_key == row["dedup_key"])
    # Compared here and not by the database, which may hold it encrypted.
    columns = (events.c.id, events.c.received_at, events.c.verdict, events.c.body, events.c.purged_at)
    now = row["received_at"]
    first = c.execute(select(*columns).where(same)).one_or_none()
    if first is None:
        return None
    # This very row: by now another process may have freed the key and stored a new event under it.
    same = (events.c.id == first.id) & (events.c.dedup_key == row["dedup_key"])
    is_over = window is not None and (
        first.received_at + window < now or _was_told_otherwise(c, row, first.id)
    )
    is_forgiven = first.verdict == Verdict.SPAM and row["verdict"] != Verdict.SPAM
    if is_over or (is_forgiven and _is_unreleased(c, first.id)):
        c.execute(update(events).where(same).values(dedup_key=f"{row['dedup_key']}@{first.id}"))
        return None
    c.execute(update(events).where(same).values(repeats=events.c.repeats + 1, repeated_at=now))
    # What the first one said is gone: then nobody can tell, and it is no reason to keep what was to be purged.
    is_same = first.purged_at is not None or bytes(first.body) == row["body"]
    said = b"" if is_same else substance(row["body"], varies)
    is_nothing_new = is_same or substance(bytes(first.body), varies) == said
    return Repeat(first.id, None if is_nothing_new else _keep(db, c, row, first.id, said))


def _was_told_otherwise(c: Connection, row: Mapping[str, Any], first: str) -> bool:
    # By the ids of what came since, which are few: an index would cost every event for this rare question.
    since = (events.c.id > first) & (events.c.source == row["source"]) & events.c.duplicate_of.is_(None)
    return row["entity"] is not None and bool(
        c.execute(select(exists().where(since, events.c.entity == row["entity"]))).scalar_one()
    )


def _is_unreleased(c: Connection, event_id: str) -> bool:
    mine = (deliveries.c.event_id == event_id) & (deliveries.c.state != State.SKIPPED)
    return not c.execute(select(exists().where(mine))).scalar_one()


def _keep(db: Database, c: Connection, row: Mapping[str, Any], first: str, said: bytes) -> str:
    # The key tells whose duplicate it is; who says the same once more finds it taken, before and after a release.
    key = f"{row['dedup_key']}@{first}/{hashlib.sha256(said).hexdigest()[:16]}"
    if not db.insert_new(
        c, events, {**row, "dedup_key": key, "verdict": Verdict.DUPLICATE, "duplicate_of": first}
    ):
        again = {"repeats": events.c.repeats + 1, "repeated_at": row["received_at"]}
        kept = update(events).where(events.c.source == row["source"], events.c.dedup_key == key)
        return str(c.execute(kept.values(**again).returning(events.c.id)).scalar_one())
    unreleased = and_(events.c.duplicate_of == first, events.c.verdict == Verdict.DUPLICATE)
    newest = select(events.c.id).where(unreleased).order_by(events.c.id.desc()).limit(KEPT)
    c.execute(delete(events).where(unreleased, events.c.id.not_in(newest)))
    return str(row["id"])
