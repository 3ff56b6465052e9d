"""Statements whose text is made once, and the transaction that hands them straight to the driver.

SQLAlchemy writes the text and converts the values, on both databases alike; what is left out is what it does anew
at each execution, five times the work of SQLite itself.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.sql.elements import ClauseElement

from worker.ledger.sealed import Keys, keys_of

Convert = Callable[[Any], Any]


class Prepared:
    """A statement that is executed often. Its parameters are all given by name, each time."""

    def __init__(self, statement: Any, keys: Iterable[str] | None = None) -> None:
        """Take a `select`, `insert`, `update` or `delete`; `keys` are the columns that an `insert` is given."""
        self._statement: ClauseElement = statement
        self._keys = None if keys is None else list(keys)
        self._columns = _columns(statement)
        self._ready: dict[tuple[str, Keys], Ready] = {}

    def on(self, dialect: Dialect) -> Ready:
        """Return the statement as the driver of `dialect` takes it."""
        name = dialect.name, keys_of(dialect)
        ready = self._ready.get(name)
        if ready is None:
            ready = self._ready[name] = Ready(self._statement, self._keys, self._columns, dialect)
        return ready


class Ready:
    """A statement's text for one driver, with what converts its parameters and its rows."""

    def __init__(
        self,
        statement: ClauseElement,
        keys: list[str] | None,
        columns: Sequence[Mapping[str, Any]],
        dialect: Dialect,
    ) -> None:
        compiled: Any = statement.compile(dialect=dialect, column_keys=keys)
        self.text = str(compiled)
        self._order: list[str] | None = compiled.positiontup if compiled.positional else None
        self._fixed: dict[str, Any] = {}
        self._converted: list[tuple[str, Convert]] = []
        for parameter, name in compiled.bind_names.items():
            convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if not parameter.required:
                self._fixed[name] = convert(parameter.value) if convert else parameter.value
            elif convert:
                self._converted.append((name, convert))
        self._row: Any = namedtuple("Row", [column["name"] for column in columns])  # type: ignore[misc]
        self._converts = [
            (place, convert)
            for place, column in enumerate(columns)
            if (convert := column["type"].dialect_impl(dialect).result_processor(dialect, None))
        ]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        """Return `values` as the driver takes them."""
        made = {**values, **self._fixed}
        for name, convert in self._converted:
            value = made[name]
            if value is not None:
                made[name] = convert(value)
        return made if self._order is None else [made[name] for name in self._order]

    def row(self, found: Sequence[Any]) -> Any:
        """Return a row of the driver's with its columns as attributes."""
        values = list(found)
        for place, convert in self._converts:
            values[place] = convert(values[place])
        return self._row._make(values)


class Transaction:
    """One transaction under way, for prepared statements. It belongs to whoever began it, who also ends it."""

    def __init__(self, dialect: Dialect, driver: Any) -> None:
        """Take the driver's own connection, in a transaction."""
        self.dialect = dialect
        self._cursor: Any = driver.cursor()

    def run(self, statement: Prepared, values: Mapping[str, Any]) -> int:
        """Execute `statement` and return how many rows it changed."""
        ready = statement.on(self.dialect)
        self._cursor.execute(ready.text, ready.parameters(values))
        return int(self._cursor.rowcount)

    def run_all(self, statement: Prepared, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute `statement` once for each of `rows`."""
        ready = statement.on(self.dialect)
        self._cursor.executemany(ready.text, [ready.parameters(values) for values in rows])

    def first(self, statement: Prepared, values: Mapping[str, Any]) -> Any:
        """Execute `statement` and return its first row, its columns as attributes; None where it has none."""
        ready = statement.on(self.dialect)
        self._cursor.execute(ready.text, ready.parameters(values))
        found = self._cursor.fetchone()
        return None if found is None else ready.row(found)

    def say(self, text: str) -> None:
        """Execute `text`, which has neither parameters nor rows."""
        self._cursor.execute(text)


def _columns(statement: Any) -> Sequence[Mapping[str, Any]]:
    if getattr(statement, "is_select", False):
        found: Sequence[Mapping[str, Any]] = statement.column_descriptions
    else:
        found = statement.returning_column_descriptions
    return found
