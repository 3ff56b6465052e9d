"""What several threads want to write at the same moment is written together: one turn, one commit, one sync."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from worker.errors import LedgerUnavailable

Wanted = TypeVar("Wanted")
Result = TypeVar("Result")

#: Pieces that are written at once: the first of them waits for the last.
MOST = 64


class Piece(Generic[Wanted, Result]):
    """What one thread wants written, and what came of it: `result` or `error`, set by whoever writes."""

    __slots__ = ("ended", "error", "leads", "result", "wanted", "woken")

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.result: Result | None = None
        self.error: Exception | None = None
        self.leads = False
        self.ended = False
        #: Released once: when the piece has ended, or when its thread is to lead.
        self.woken = threading.Lock()
        self.woken.acquire()


class Together(Generic[Wanted, Result]):
    """The queue in front of one writer.

    A commit costs a turn at the lock and a sync of the disk, whether it holds one thread's work or twenty's. So
    whoever comes while nobody writes writes for all that wait, and then hands the lead to one that came meanwhile.
    There is no thread of our own for it, whose death would hold up all others.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Piece[Wanted, Result]]], None],
        patience: float,
    ) -> None:
        """Write with `write`, which commits; what it raises is the error of every piece that has none of its own.

        `patience` is how many seconds a piece waits for its turn.
        """
        self._write = write
        self._patience = patience
        self._lock = threading.Lock()
        self._waiting: list[Piece[Wanted, Result]] = []
        self._is_led = False

    def do(self, wanted: Wanted) -> Result | None:
        """Return what came of `wanted`, once it is committed; raise its error, or LedgerUnavailable."""
        piece: Piece[Wanted, Result] = Piece(wanted)
        with self._lock:
            self._waiting.append(piece)
            is_first = piece.leads = not self._is_led
            self._is_led = True
        # Not `piece.leads`, which may be true by now because the lead was handed to it: that wakes it, too, and who
        # does not wait for that leads on with a lock that is open already.
        if not is_first:
            self._await(piece)
        if not piece.ended:
            self._lead()
        if piece.error is not None:
            raise piece.error
        return piece.result

    def _await(self, piece: Piece[Wanted, Result]) -> None:
        if piece.woken.acquire(timeout=self._patience):
            return
        with self._lock:
            if piece in self._waiting and not piece.leads:
                self._waiting.remove(piece)
                raise LedgerUnavailable("could not write in time: the ledger is busy")
        # Somebody has it in hand, or its thread is to lead: either ends within the bounds of a transaction.
        piece.woken.acquire()

    def _lead(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        cut_off: Exception = LedgerUnavailable("the thread that wrote was ended")
        try:
            self._write(batch)
        except Exception as error:  # noqa: BLE001
            cut_off = error
        else:
            for piece in batch:
                piece.ended = True
        finally:
            self._end(batch, cut_off)

    def _end(self, batch: Sequence[Piece[Wanted, Result]], cut_off: Exception) -> None:
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
            if following is not None:
                following.leads = True
        for piece in batch:
            if not piece.ended:
                piece.error, piece.ended = piece.error or cut_off, True
            piece.woken.release()
        if following is not None:
            following.woken.release()
