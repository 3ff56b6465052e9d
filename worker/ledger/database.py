"""Opens the ledger on SQLite or PostgreSQL, and turns every failure to reach it into LedgerUnavailable."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, PoolProxiedConnection, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from worker.errors import LedgerUnavailable
from worker.ledger.postgres_connection import connect
from worker.ledger.postgres_timeouts import connect_args
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.sealed import Keys, give_keys
from worker.ledger.sqlite_connection import TURN_SECONDS, begin, begin_immediate, prepare, wait_ourselves
from worker.ledger.sqlite_folder import make_folder
from worker.ledger.together import Piece, Together

T = TypeVar("T")
Work = Callable[[Transaction], Any]


class Database:
    """The ledger, open. Hand it to the functions beside this file; share it between threads, not processes."""

    def __init__(self, url: str, threads: int = 32, keys: Sequence[bytes] = ()) -> None:
        """Open the ledger at `url`; with `keys` payloads are encrypted, see `Keys`. Raises LedgerUnavailable."""
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            make_folder(Path(parsed.database or "").parent)
        elif parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        # SQLite has one writer at a time and its busy handler sleeps: threads of one process queue here, in
        # the order of their coming, before they queue on the file.
        self._turn = threading.Lock()
        arguments: dict[str, Any] = {"check_same_thread": False} if self.is_sqlite else {**connect_args()}
        self.engine = create_engine(
            parsed,
            pool_size=threads + 4,
            max_overflow=4,
            pool_timeout=TURN_SECONDS,
            pool_pre_ping=not self.is_sqlite,
            connect_args=arguments,
        )
        self.keys = Keys(keys)
        give_keys(self.engine.dialect, self.keys)
        if self.is_sqlite:
            event.listen(self.engine, "connect", prepare)
            event.listen(self.engine, "begin", begin)
        else:
            event.listen(self.engine, "do_connect", connect)
        self._writer: PoolProxiedConnection | None = None
        self._driver: Any = self.engine.dialect.loaded_dbapi
        # A PostgreSQL that takes no writes, a standby or one whose disk is full, is as good as none.
        self._away: Any = self._driver.OperationalError
        if not self.is_sqlite:
            self._away = self._away, self._driver.errors.ReadOnlySqlTransaction
        self._together: Together[Work, Any] = Together(self._write_all, TURN_SECONDS)

    def commit(self, work: Callable[[Transaction], T]) -> T:
        """Return what `work` returns, once what it wrote is committed; what it raises undoes it.

        On SQLite `work` may share its transaction with that of other threads, and run in one of them. Raises
        LedgerUnavailable; IntegrityError passes through.
        """
        if self.is_sqlite:
            return cast(T, self._together.do(work))
        with self._begin() as transaction:
            return work(transaction)

    def _write_all(self, batch: Sequence[Piece[Work, Any]]) -> None:
        with self._begin() as transaction:
            if len(batch) == 1:
                batch[0].result = batch[0].wanted(transaction)
                return
            for piece in batch:
                self._write_apart(piece, transaction)

    def _write_apart(self, piece: Piece[Work, Any], transaction: Transaction) -> None:
        """Do one piece so that its failure undoes it and nothing else."""
        transaction.say("SAVEPOINT piece")
        try:
            with self._translated():
                piece.result = piece.wanted(transaction)
        except Exception as error:  # noqa: BLE001
            piece.error = error
            # Fails where SQLite has ended the whole transaction by itself, on a full disk: then all of it fails.
            transaction.say("ROLLBACK TO piece")
        transaction.say("RELEASE piece")

    @contextmanager
    def _begin(self) -> Iterator[Transaction]:
        if not self.is_sqlite:
            with self.write() as connection:
                yield Transaction(self.engine.dialect, connection.connection.driver_connection)
            return
        with self._our_turn(), self._translated():
            # One connection for all of them, past the pool: taking one out costs as much as a statement.
            self._writer = self._writer or self._new_writer()
            driver: Any = self._writer.driver_connection
            begin_immediate(driver)
            try:
                yield Transaction(self.engine.dialect, driver)
                driver.commit()
            except BaseException:
                driver.rollback()
                raise

    def _new_writer(self) -> PoolProxiedConnection:
        writer = self.engine.raw_connection()
        wait_ourselves(writer.driver_connection)
        return writer

    @contextmanager
    def _our_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=TURN_SECONDS):
            raise LedgerUnavailable("could not write in time: the ledger's file is busy")
        try:
            yield
        finally:
            self._turn.release()

    def look(self, statement: Prepared, values: Mapping[str, Any]) -> Any:
        """Return the first row of a statement that only reads, None for none. Raises LedgerUnavailable."""
        with self._translated(), closing(self.engine.raw_connection()) as connection:
            return Transaction(self.engine.dialect, connection.driver_connection).first(statement, values)

    def reading(self, work: Callable[[Transaction], T]) -> T:
        """Return what `work` returns, which only reads. Raises LedgerUnavailable."""
        with self.read() as connection:
            return work(Transaction(self.engine.dialect, connection.connection.driver_connection))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that writes. Raises LedgerUnavailable; IntegrityError passes through."""
        turn = self._our_turn() if self.is_sqlite else nullcontext()
        with turn, self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads. Raises LedgerUnavailable."""
        with self._translated(), self.engine.connect() as connection:
            yield connection.execution_options(reading=True)

    def insert_new(self, connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert `row` unless its key is taken; return whether it was inserted."""
        return connection.execute(_insert_new(table, self.is_sqlite), dict(row)).first() is not None

    def new(self, table: Table, columns: tuple[str, ...]) -> Prepared:
        """Return the statement that inserts a row with `columns` unless its key is taken: its row tells which."""
        return _prepared_new(table, columns, self.is_sqlite)

    def putting(self, table: Table) -> Prepared:
        """Return the statement that inserts a whole row of `table`, or replaces the one with its key."""
        return _prepared_put(table, self.is_sqlite)

    def close(self) -> None:
        """Close all connections."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._away as error:  # past SQLAlchemy, which would have wrapped it
            raise LedgerUnavailable(str(error).partition("\n")[0]) from error
        except self._driver.IntegrityError as error:
            raise IntegrityError(None, None, error) from error
        except (DBAPIError, PoolTimeout) as error:
            # A wrong statement is our fault and must not look like an outage.
            cause = getattr(error, "orig", None) or error
            is_ours = isinstance(error, DBAPIError) and not isinstance(cause, self._away)
            if is_ours and not getattr(error, "connection_invalidated", False):
                raise
            raise LedgerUnavailable(str(cause).partition("\n")[0]) from error


# SQLAlchemy takes five times as long to build a statement as to run it: each is built once.
@cache
def _insert_new(table: Table, is_sqlite: bool) -> Any:
    dialect = sqlite if is_sqlite else postgresql
    # By RETURNING and not by the row count, which the driver of PostgreSQL does not tell for an INSERT.
    return dialect.insert(table).on_conflict_do_nothing().returning(*table.primary_key)


@cache
def _prepared_new(table: Table, columns: tuple[str, ...], is_sqlite: bool) -> Prepared:
    return Prepared(_insert_new(table, is_sqlite), columns)


@cache
def _prepared_put(table: Table, is_sqlite: bool) -> Prepared:
    statement = (sqlite if is_sqlite else postgresql).insert(table)
    keys = list(table.primary_key)
    given = {column.name: statement.excluded[column.name] for column in table.c if column not in keys}
    whole = statement.on_conflict_do_update(index_elements=keys, set_=given)
    return Prepared(whole, [column.name for column in table.c])
