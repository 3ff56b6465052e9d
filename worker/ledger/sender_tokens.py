"""Tokens of senders that end: what all workers and hosts share, and who of them renews one.

A row is what has grown from one first token. Rows of one source stand beside each other, since processes with the
old environment and with the new one run at the same time while it is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, update

from worker.ledger.database import Database
from worker.ledger.tables import sender_tokens as tokens


@dataclass(frozen=True, slots=True)
class Roots:
    """What the environment gives a source.

    `seed` is a digest of the `first` refresh token, `app` one of the app's id and secret. Where these two are all
    that a renewal needs `first` is empty, and `seed` is the same as `app`.
    """

    source: str
    seed: str
    app: str
    first: str


@dataclass(frozen=True, slots=True)
class SenderToken:
    """A source's token now. Where `begun_at` is set it is the caller's to renew, until it says how that ended.

    `number` counts its renewals, `lost_at` is when a refresh token left without an answer that was kept, `refused`
    why the sender does not renew it for our app.
    """

    seed: str
    number: int
    access: str | None
    ends_at: datetime | None
    renewed_at: datetime | None
    refresh: str | None
    busy_until: datetime | None
    lost_at: datetime | None
    refused: str | None
    begun_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What the sender has given: the next refresh token is None where there is none to keep."""

    access: str
    refresh: str | None
    ends_at: datetime


def standing(db: Database, roots: Roots) -> SenderToken | None:
    """Return the token as it stands, None where the environment names a first one that is not known here."""
    with db.read() as c:
        rows = _rows(c, roots)
    return _chosen(rows, roots) if any(row["seed"] == roots.seed for row in rows) else None


def reserve(
    db: Database, roots: Roots, is_due: Callable[[SenderToken], bool], now: datetime, lasting: timedelta
) -> SenderToken:
    """Return the token as it stands; where it `is_due` and nobody is at it, nobody else's to renew for `lasting`.

    A first token that is new here is planted, and goes before the older ones.
    """
    with db.write() as c:
        new = {"source": roots.source, "seed": roots.seed, "planted_at": now, "number": 0}
        db.insert_new(c, tokens, {**new, "refresh_token": roots.first or None})
        found = _chosen(_rows(c, roots, lock=True), roots)
        if not is_due(found) or (found.busy_until is not None and found.busy_until > now):
            return found
        mine = {"busy_until": now + lasting, "sent_at": now}
        c.execute(update(tokens).where(*_of(roots, found)).values(**mine))
    return replace(found, begun_at=now)


def keep(db: Database, roots: Roots, held: SenderToken, given: Given, now: datetime) -> bool:
    """Commit what a renewal of `held` gave; False where another one has been committed meanwhile.

    Kept also when the reservation is over: of a token that is good for one use, who was given the next has the
    newest. What grew from earlier first tokens is emptied.
    """
    values = {
        "access_token": given.access,
        "ends_at": given.ends_at,
        "refresh_token": given.refresh,
        "number": held.number + 1,
        "renewed_at": now,
        **dict.fromkeys(("busy_until", "sent_at", "refused", "refused_with")),
    }
    with db.write() as c:
        if not c.execute(update(tokens).where(*_of(roots, held)).values(**values)).rowcount:
            return False
        mine = (tokens.c.source == roots.source, tokens.c.seed == held.seed)
        planted = select(tokens.c.planted_at).where(*mine).scalar_subquery()
        older = (tokens.c.source == roots.source) & (tokens.c.planted_at < planted)
        c.execute(update(tokens).where(older).values(access_token=None, refresh_token=None))
        return True


def let_go(db: Database, roots: Roots, held: SenderToken, until: datetime, has_left: bool) -> None:
    """Say that a renewal gave nothing and is not to be tried before `until`; `has_left` if it may have worked."""
    sent_at = held.lost_at or (held.begun_at if has_left else None)
    with db.write() as c:
        mine = update(tokens).where(*_of(roots, held), tokens.c.sent_at == held.begun_at)
        c.execute(mine.values(busy_until=until, sent_at=sent_at))


def refuse(db: Database, roots: Roots, held: SenderToken, reason: str, until: datetime) -> bool:
    """Note that the sender refuses to renew `held`, to be asked again at `until`.

    False where there is nothing to tell: it was refused before, or is another's by now.
    """
    values = {"refused": reason, "refused_with": roots.app, "busy_until": until, "sent_at": held.lost_at}
    with db.write() as c:
        mine = update(tokens).where(*_of(roots, held), tokens.c.sent_at == held.begun_at)
        return bool(c.execute(mine.values(**values)).rowcount) and held.refused is None


def _rows(c: Connection, roots: Roots, lock: bool = False) -> list[Mapping[str, Any]]:
    query = select(tokens).where(tokens.c.source == roots.source)
    query = query.order_by(tokens.c.planted_at.desc(), tokens.c.seed)
    return [dict(row._mapping) for row in c.execute(query.with_for_update() if lock else query)]


def _chosen(rows: list[Mapping[str, Any]], roots: Roots) -> SenderToken:
    """Return the newest that has something to be renewed with and is not refused; where all are, the newest."""
    usable = [row for row in rows if row["refresh_token"] or not roots.first]
    row = min(usable, key=lambda row: row["refused_with"] == roots.app)
    # What was refused to another app's id and secret may be asked for with ours, and at once.
    is_ours = row["refused_with"] in (None, roots.app)
    return SenderToken(
        seed=row["seed"],
        number=row["number"],
        access=row["access_token"],
        ends_at=row["ends_at"],
        renewed_at=row["renewed_at"],
        refresh=row["refresh_token"],
        busy_until=row["busy_until"] if is_ours else None,
        lost_at=row["sent_at"],
        refused=row["refused"] if is_ours else None,
    )


def _of(roots: Roots, held: SenderToken) -> tuple[ColumnElement[bool], ...]:
    return tokens.c.source == roots.source, tokens.c.seed == held.seed, tokens.c.number == held.number
