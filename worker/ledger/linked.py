"""Which of our keys is which record at the vendor, for many at a time."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from worker.ledger.tables import links

#: Links that are read at once.
_KEYS = 500


def linked_records(
    c: Connection, connection: str, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the vendor's ids of those records of (kind, key) that are linked."""
    keys: dict[str, list[str]] = {}
    for kind, key in sorted(names):
        keys.setdefault(kind, []).append(key)
    found: dict[tuple[str, str], str] = {}
    # By the primary key, and no join with the steps: SQLite would read all links of the connection for that.
    for kind, some in keys.items():
        for start in range(0, len(some), _KEYS):
            of = (links.c.connection == connection, links.c.kind == kind)
            query = select(links.c.key, links.c.record_id).where(
                *of, links.c.key.in_(some[start : start + _KEYS])
            )
            found |= {(kind, row.key): row.record_id for row in c.execute(query) if row.record_id is not None}
    return found
