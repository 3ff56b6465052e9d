"""A connection's socket, as gunicorn's code uses it: each answer leaves in one piece, with one system call."""

from __future__ import annotations

import socket

from webhooks.turns import Crowded, long_wait


class OnePiece:
    """A blocking socket that holds an answer back until all of it is there.

    gunicorn writes the head and the body of an answer one after the other, and sets the socket's timeout several
    times per request, though all of it was read before. Each of these calls hands Python's lock to another thread.
    """

    def __init__(self, real: socket.socket) -> None:
        real.setblocking(True)
        self._real = real
        self._held: list[bytes] = []
        self._gathered, self._read, self._has_rest = b"", 0, False
        self.fileno = real.fileno
        self.shutdown = real.shutdown
        self.close = real.close

    def what_is_there(self) -> bytes | None:
        """Return what has come, b"" when nothing more will come, None when nothing has come."""
        try:
            return self._real.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def has_more(self) -> bool:
        """Say whether something has come that is not read yet."""
        try:
            return bool(self._real.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK))
        except OSError:
            return False

    def say(self, word: bytes) -> None:
        """Send a short `word` at once, to who listens."""
        try:
            self._real.send(word, socket.MSG_DONTWAIT)
        except OSError:
            return  # it does not listen; it is closed in time

    def flush(self) -> bool:
        """Send what was held back; return whether the other side took it."""
        data = b"".join(self._held)
        self._held.clear()
        try:
            sent = self._send_now(data)
            if sent < len(data):  # it sent many requests and reads no answers
                with long_wait():
                    self._real.sendall(data[sent:])
        except (OSError, Crowded):
            return False
        return True

    def _send_now(self, data: bytes) -> int:
        try:
            return self._real.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def sendall(self, data: bytes) -> None:
        """Hold `data` back."""
        self._held.append(data)

    def send(self, data: bytes) -> int:
        """Hold `data` back; return its length."""
        self._held.append(data)
        return len(data)

    def end(self) -> None:
        """Say that nothing more will come from here."""
        try:
            self._real.shutdown(socket.SHUT_WR)
        except OSError:
            return  # it is broken, as the next read will tell

    def give(self, data: bytes, *, has_rest: bool) -> None:
        """Let `recv` return `data`, which was gathered before; `has_rest`: its body goes on beyond the limit."""
        self._gathered, self._read, self._has_rest = data, 0, has_rest

    def take_rest(self) -> bytes:
        """Return what was given and is not read."""
        rest = self._gathered[self._read :]
        self._gathered, self._read = b"", 0
        return rest

    def recv(self, size: int) -> bytes:
        """Return what was given, then b"". Raises TimeoutError where the rest is not waited for.

        Piece by piece: gunicorn copies all that it has left at each chunk of a body. The socket is not asked: what
        is within the limits was gathered before, and what has come of the rest is chance.
        """
        piece = self._gathered[self._read : self._read + size]
        self._read += len(piece)
        if not piece and self._has_rest:
            raise TimeoutError("the rest of the body is not waited for")
        return piece

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing: `recv` does not wait."""

    def gettimeout(self) -> float | None:
        """Return None: there is no timeout."""
        return None

    def setblocking(self, is_blocking: bool) -> None:
        """Do nothing: only what `flush` could not send at once is waited for."""
