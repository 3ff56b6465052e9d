"""Which keys the ledger's encrypted values need, and their encryption anew when a key is replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, delete, func, select, tuple_, type_coerce, update
from sqlalchemy.types import LargeBinary, Text

from worker.errors import LedgerUnavailable
from worker.ledger.database import Database
from worker.ledger.sealed import SealedBytes, SealedText, lacking, sealing_key
from worker.ledger.tables import metadata, sealing_keys

#: Rows that are sealed anew in one transaction: with the largest bodies that is as many MiB of memory.
PAGE = 50

Sealed = SealedText | SealedBytes
_SEALED = {
    table: columns
    for table in metadata.sorted_tables
    if (columns := [column for column in table.c if isinstance(column.type, Sealed)])
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a rotation: how many rows were looked at, and how many of them were sealed anew."""

    looked_at: int
    sealed: int


def require_keys(db: Database) -> None:
    """Raise LedgerUnavailable, naming the remedy, unless every value can be opened; note the key that seals."""
    with db.read() as c:
        known = set(c.scalars(select(sealing_keys.c.id)))
    missing = sorted(known - set(db.keys.ids))
    if missing and not db.keys.ids:
        raise LedgerUnavailable(
            f"the ledger is encrypted with key {', '.join(missing)}: set RELAY_ENCRYPTION_KEY"
        )
    if missing:
        raise LedgerUnavailable(lacking(missing))
    if db.keys.ids and db.keys.ids[0] not in known:
        with db.write() as c:
            db.insert_new(c, sealing_keys, {"id": db.keys.ids[0]})


def count_rows(db: Database) -> int:
    """Return how many rows a rotation looks at."""
    with db.read() as c:
        return sum(c.execute(select(func.count()).select_from(table)).scalar_one() for table in _SEALED)


def rotate(db: Database, told: Callable[[Page], None]) -> None:
    """Seal every value with the first key, page by page; `told` hears of each page once it is committed.

    It may be cut off at any time: the next run passes over what is sealed already. Raises LedgerUnavailable.
    """
    for table, columns in _SEALED.items():
        after: tuple[Any, ...] | None = None
        while True:
            with db.write() as c:
                rows = _page(c, table, columns, after)
                sealed = _seal_anew(db, c, table, columns, rows)
            if not rows:
                break
            after = tuple(rows[-1][: len(table.primary_key)])
            told(Page(len(rows), sealed))


def forget_old_keys(db: Database) -> list[str]:
    """Let the processes start without the keys but the first; return which are not needed any more."""
    with db.write() as c:
        old = list(c.scalars(select(sealing_keys.c.id).where(sealing_keys.c.id != db.keys.ids[0])))
        c.execute(delete(sealing_keys).where(sealing_keys.c.id.in_(old)))
        return old


def _page(
    c: Connection, table: Table, columns: list[Column[Any]], after: tuple[Any, ...] | None
) -> list[Any]:
    keys = list(table.primary_key)
    query = select(*keys, *(type_coerce(column, _raw(column)) for column in columns)).order_by(*keys)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after))
    # Locked on PostgreSQL, so that a worker that closes a delivery meanwhile does not lose what it wrote.
    return list(c.execute(query.limit(PAGE).with_for_update()).all())


def _seal_anew(db: Database, c: Connection, table: Table, columns: list[Column[Any]], rows: list[Any]) -> int:
    keys = list(table.primary_key)
    changed: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        values = {
            column.name: _opened(db, stored)
            for column, stored in zip(columns, row[len(keys) :], strict=True)
            if stored is not None and not _is_sealed_well(db, stored)
        }
        if values:
            own = {f"of_{key.name}": value for key, value in zip(keys, row, strict=False)}
            changed.setdefault(tuple(values), []).append(values | own)
    for names, several in changed.items():
        mine = [key == bindparam(f"of_{key.name}") for key in keys]
        change = update(table).where(*mine).values({name: bindparam(name) for name in names})
        c.execute(change, several)
    return sum(map(len, changed.values()))


def _is_sealed_well(db: Database, stored: str | bytes) -> bool:
    raw = stored.encode() if isinstance(stored, str) else bytes(stored)
    return sealing_key(raw) == db.keys.ids[0]


def _opened(db: Database, stored: str | bytes) -> str | bytes | None:
    return db.keys.open_text(stored) if isinstance(stored, str) else db.keys.open(bytes(stored))


def _raw(column: Column[Any]) -> Text | LargeBinary:
    return Text() if isinstance(column.type, SealedText) else LargeBinary()
