"""What several threads write at the same moment is committed together, on a database that has one writer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from worker.errors import LedgerUnavailable
from worker.ledger.prepared import Transaction

T = TypeVar("T")
Begin = Callable[[], AbstractContextManager[Transaction]]
Guard = Callable[[], AbstractContextManager[None]]

#: Pieces of work in one transaction: the first of them waits for the last.
MOST = 64


class Together:
    """The queue in front of one writer.

    A commit costs a sync of the disk and a turn at the lock, whether it holds one thread's work or twenty's. So
    whoever comes while nobody writes does the work of all that wait, each in a savepoint of its own, commits once,
    and hands the lead to one that came meanwhile. No thread of our own: one that dies would hold up all others.
    """

    def __init__(self, begin: Begin, translated: Guard, patience: float) -> None:
        """Begin transactions with `begin`, name the driver's errors with `translated`.

        `patience` is how many seconds a piece waits for its turn.
        """
        self._begin = begin
        self._translated = translated
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: list[_Piece] = []
        self._is_led = False

    def commit(self, work: Callable[[Transaction], T]) -> T:
        """Return what `work` returns, once it is committed; it may run in another thread.

        What it raises is raised here, and then nothing of it is written. Raises LedgerUnavailable, too.
        """
        piece = _Piece(work)
        with self._lock:
            self._waiting.append(piece)
            piece.leads = not self._is_led
            self._is_led = True
        if not piece.leads:
            self._await(piece)
        if not piece.ended:
            self._lead()
        if piece.error is not None:
            raise piece.error
        result: T = piece.result
        return result

    def _await(self, piece: _Piece) -> None:
        if piece.woken.acquire(timeout=self._patience):
            return
        with self._lock:
            if piece in self._waiting and not piece.leads:
                self._waiting.remove(piece)
                raise LedgerUnavailable("no turn to write: the ledger is busy")
        # Somebody has it in hand, or it has just become the leader: either ends within the transaction's bounds.
        piece.woken.acquire()

    def _lead(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._write(batch)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
                if following is not None:
                    following.leads = True
            for piece in batch:
                piece.end()
            if following is not None:
                following.woken.release()

    def _write(self, batch: list[_Piece]) -> None:
        try:
            with self._begin() as transaction:
                if len(batch) == 1:
                    batch[0].result = batch[0].work(transaction)
                else:
                    for piece in batch:
                        self._apart(piece, transaction)
        except Exception as error:  # noqa: BLE001
            for piece in batch:
                piece.error = piece.error or error
        else:
            for piece in batch:
                piece.ended = True

    def _apart(self, piece: _Piece, transaction: Transaction) -> None:
        """Do one piece so that its failure undoes it and nothing else."""
        transaction.say("SAVEPOINT piece")
        try:
            with self._translated():
                piece.result = piece.work(transaction)
        except Exception as error:  # noqa: BLE001
            piece.error = error
            # Fails where SQLite has ended the whole transaction by itself, on a full disk: then all of it fails.
            transaction.say("ROLLBACK TO piece")
        transaction.say("RELEASE piece")


class _Piece:
    """One thread's work. `woken` is released once: when it has ended, or when its thread is to lead."""

    __slots__ = ("ended", "error", "leads", "result", "woken", "work")

    def __init__(self, work: Callable[[Transaction], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: Exception | None = None
        self.leads = False
        self.ended = False
        self.woken = threading.Lock()
        self.woken.acquire()

    def end(self) -> None:
        """Let its thread go on; what was not written and has no error was cut off."""
        if not self.ended and self.error is None:
            self.error = LedgerUnavailable("the thread that wrote was ended")
        self.ended = True
        self.woken.release()
