"""Keeps what the vendors were told, as JSON documents in one SQLite file that survives a restart."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock

from sandbox.fields import Json

TABLES = """
CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, vendor TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    sent TEXT NOT NULL, state TEXT NOT NULL, search TEXT NOT NULL, created_ms INTEGER NOT NULL,
    UNIQUE (vendor, kind, id));
CREATE TABLE IF NOT EXISTS counters (
    vendor TEXT NOT NULL, name TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (vendor, name));
CREATE TABLE IF NOT EXISTS tokens (vendor TEXT NOT NULL, token TEXT NOT NULL, PRIMARY KEY (vendor, token));
"""
# The fields a client looks records up by; without these indexes a long run slows down with every record.
INDEXED = (
    "external_id",
    "email",
    "tax_identification_number",
    "company_id",
    "opportunity_id",
    "item_code",
    "customerId",
    "code",
    "contact_id",
    "entity_id",
)


@dataclass(frozen=True)
class Record:
    """One stored record: `sent` is the client's last body, `state` what the vendor now knows."""

    vendor: str
    kind: str
    id: str
    sent: Json
    state: Json
    created_ms: int


@dataclass(frozen=True)
class Query:
    """A search: `among` maps a state field to its accepted values, times are epoch milliseconds."""

    among: Mapping[str, Sequence[object]] = field(default_factory=dict)
    contains: str = ""
    created_from_ms: int | None = None
    created_until_ms: int | None = None
    skip: int = 0
    take: int = -1
    newest_first: bool = False


class Store:
    """A thread-safe store; each change is committed when its transaction (or the call) returns."""

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        """Open or create the file; `clock` gives epoch seconds. Raises sqlite3.Error if it cannot."""
        self._clock = clock
        self._lock = RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A committed write survives the end of this process; a power cut is not part of the play.
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(TABLES)
        for name in INDEXED:
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS records_{name} ON records (vendor, kind, {_value_of(name)})"
            )

    def now_ms(self) -> int:
        """Return the time in milliseconds since the epoch."""
        return int(self._clock() * 1000)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the enclosed reads and writes one step: all committed at the end, none on an exception."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def next_number(self, vendor: str, name: str, first: int) -> int:
        """Count up a named counter that starts at `first` and never gives a number twice."""
        with self.transaction():
            row = self._db.execute(
                "INSERT INTO counters VALUES (?, ?, ?)"
                " ON CONFLICT (vendor, name) DO UPDATE SET last = last + 1 RETURNING last",
                (vendor, name, first),
            ).fetchall()[0]
        return int(row[0])

    def add(
        self, vendor: str, kind: str, record_id: str, sent: Json, state: Json, search: str = ""
    ) -> Record:
        """Store a new record, created now; `search` is the text that `Query.contains` looks in."""
        made = Record(vendor, kind, record_id, sent, state, self.now_ms())
        row = (vendor, kind, record_id, _dump(sent), _dump(state), search.casefold(), made.created_ms)
        with self.transaction():
            self._db.execute(
                "INSERT INTO records (vendor, kind, id, sent, state, search, created_ms)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        return made

    def change(self, old: Record, sent: Json, state: Json, search: str = "") -> Record:
        """Replace the body and state of a record and keep its id and creation time."""
        with self.transaction():
            self._db.execute(
                "UPDATE records SET sent = ?, state = ?, search = ? WHERE vendor = ? AND kind = ? AND id = ?",
                (_dump(sent), _dump(state), search.casefold(), old.vendor, old.kind, old.id),
            )
        return Record(old.vendor, old.kind, old.id, sent, state, old.created_ms)

    def remove(self, old: Record) -> None:
        """Delete a record for good; its id is never given again by a counter."""
        with self.transaction():
            self._db.execute(
                "DELETE FROM records WHERE vendor = ? AND kind = ? AND id = ?", (old.vendor, old.kind, old.id)
            )

    def amend(self, old: Record, changes: Json) -> Record:
        """Change fields of what the vendor knows, as a person would; searches go on finding the record."""
        state = {**old.state, **changes}
        with self.transaction():
            self._db.execute(
                "UPDATE records SET state = ? WHERE vendor = ? AND kind = ? AND id = ?",
                (_dump(state), old.vendor, old.kind, old.id),
            )
        return Record(old.vendor, old.kind, old.id, old.sent, state, old.created_ms)

    def copy(self, old: Record, record_id: str) -> Record:
        """Store a second record like `old`, created now."""
        with self.transaction():
            self._db.execute(
                "INSERT INTO records (vendor, kind, id, sent, state, search, created_ms)"
                " SELECT vendor, kind, ?, sent, state, search, ? FROM records"
                " WHERE vendor = ? AND kind = ? AND id = ?",
                (record_id, self.now_ms(), old.vendor, old.kind, old.id),
            )
        return Record(old.vendor, old.kind, record_id, old.sent, old.state, self.now_ms())

    def get(self, vendor: str, kind: str, record_id: str) -> Record | None:
        """Return the record with this id, or None."""
        found = self._rows("WHERE vendor = ? AND kind = ? AND id = ?", [vendor, kind, record_id])
        return found[0] if found else None

    def find(self, vendor: str, kind: str, query: Query) -> list[Record]:
        """Return the records that meet every condition of the query, in creation order or its reverse."""
        where, values = _where(vendor, kind, query)
        order = "DESC" if query.newest_first else "ASC"
        return self._rows(f"{where} ORDER BY seq {order} LIMIT ? OFFSET ?", [*values, query.take, query.skip])

    def count(self, vendor: str, kind: str, query: Query) -> int:
        """Return how many records meet every condition of the query, on all its pages."""
        where, values = _where(vendor, kind, query)
        with self._lock:
            # As in _rows: the condition is our own text.
            found = self._db.execute(f"SELECT count(*) FROM records {where}", values)  # nosec B608
            return int(found.fetchone()[0])

    def everything(self, vendor: str = "", kind: str = "") -> list[Record]:
        """Return all records, or those of one vendor or kind, in creation order."""
        return self._rows(
            "WHERE (? = '' OR vendor = ?) AND (? = '' OR kind = ?) ORDER BY seq", [vendor, vendor, kind, kind]
        )

    def forget_records(self) -> int:
        """Delete every record and return how many there were; counters and tokens stay."""
        with self.transaction():
            return self._db.execute("DELETE FROM records").rowcount

    def add_token(self, vendor: str, token: str) -> None:
        """Remember a token that the vendor issued."""
        with self.transaction():
            self._db.execute("INSERT INTO tokens VALUES (?, ?)", (vendor, token))

    def knows_token(self, vendor: str, token: str) -> bool:
        """Say whether the vendor issued this token and has not forgotten it."""
        with self._lock:
            found = self._db.execute("SELECT 1 FROM tokens WHERE vendor = ? AND token = ?", (vendor, token))
            return found.fetchone() is not None

    def forget_tokens(self, vendor: str) -> None:
        """Make every token that the vendor issued worthless."""
        with self.transaction():
            self._db.execute("DELETE FROM tokens WHERE vendor = ?", (vendor,))

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    def _rows(self, condition: str, values: Sequence[object]) -> list[Record]:
        with self._lock:
            rows = self._db.execute(
                # The condition is written in this file; what callers give are parameters.
                f"SELECT vendor, kind, id, sent, state, created_ms FROM records {condition}",  # nosec B608
                values,
            ).fetchall()
        return [Record(r[0], r[1], r[2], json.loads(r[3]), json.loads(r[4]), r[5]) for r in rows]


def _where(vendor: str, kind: str, query: Query) -> tuple[str, list[object]]:
    where = ["vendor = ?", "kind = ?"]
    values: list[object] = [vendor, kind]
    for name, accepted in query.among.items():
        where.append(f"{_value_of(name)} IN ({', '.join('?' * len(accepted))})")
        values.extend(str(value) for value in accepted)
    if query.contains:
        where.append("instr(search, ?) > 0")
        values.append(query.contains.casefold())
    if query.created_from_ms is not None:
        where.append("created_ms >= ?")
        values.append(query.created_from_ms)
    if query.created_until_ms is not None:
        where.append("created_ms <= ?")
        values.append(query.created_until_ms)
    return f"WHERE {' AND '.join(where)}", values


def _value_of(name: str) -> str:
    if not name.isidentifier():
        raise ValueError(f"not a field name: {name!r}")
    # Ids arrive as strings and as numbers (OplaCRM's product sample), so all are compared as text.
    return f"CAST(json_extract(state, '$.{name}') AS TEXT)"


def _dump(body: Json) -> str:
    return json.dumps(body, ensure_ascii=False)
