"""How requests arrive: none has a thread before all of it is there, so slow senders hold nobody up.

gunicorn's threads read a request themselves. Sixteen senders that drip a byte a second would hold them all, and
one that never closes stops its accept loop for two seconds. Here its poller gathers each request first, bounded in
time, size and number. A buffering proxy does the same; this holds without one.
"""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from webhooks.framing import CONTINUE, HEAD_LIMIT, Frame
from worker.configuration import DEFAULT_LIMIT_BYTES

#: Seconds in which a whole request must be there, from its first byte or from the connection's beginning.
ARRIVAL_SECONDS = 20.0
#: Seconds for which we wait for the other side to close, so that it can read our last answer.
PARTING_SECONDS = 2.0
#: Seconds between two looks for what takes too long: this is asked after every event of any connection.
LOOK_SECONDS = 0.1
#: Requests of one process that may be incomplete; of more than these the oldest is given up.
MOST_ARRIVING = 400
#: Bytes of one process that incomplete requests may hold together.
MOST_HELD = 64 * 1024 * 1024
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Arrival:
    """A connection whose next request is not whole yet, or that is about to close."""

    conn: Any
    frame: Frame
    until: float
    is_parting: bool = False
    drained: int = field(default=0)


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker of threads, with that poller in front of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrivals: dict[socket.socket, Arrival] = {}
        self._body_limit = int(os.environ.get("RELAY_BODY_LIMIT") or DEFAULT_LIMIT_BYTES)
        self._next_look = 0.0
        self._is_ssl = bool(self.cfg.is_ssl)  # which looks through the settings each time
        self._most_held = max(MOST_HELD, 8 * self._body_limit)

    def enqueue_req(self, conn: Any) -> None:
        """Gather the connection's next request, then give it a thread."""
        if self._is_ssl:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        frame = Frame(self._body_limit)
        frame.add(conn.parser.unreader.take_buffered() if conn.parser else b"")
        frame.add(b"" if frame.size else _what_is_there(conn.sock))
        if frame.is_whole():  # as most are, with nothing to wait for
            self._give_thread(conn, frame)
            return
        arrival = Arrival(conn, frame, time.monotonic() + ARRIVAL_SECONDS)
        self._arrivals[conn.sock] = arrival
        self.poller.register(conn.sock, EVENT_READ, partial(self._readable, arrival))
        self._look_at(arrival)
        self._make_room()

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Keep the connection for its next request, or part from it without making others wait."""
        ended = not fs.cancelled() and fs.exception() is None and not fs.result()
        if not ended or self._is_ssl:
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            self._closed(conn)
            return
        arrival = Arrival(conn, Frame(0), time.monotonic() + PARTING_SECONDS, is_parting=True)
        self._arrivals[conn.sock] = arrival
        self.poller.register(conn.sock, EVENT_READ, partial(self._readable, arrival))

    def murder_pending(self) -> None:
        """Give up what took too long; while we stop, also what has sent nothing yet."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        for arrival in list(self._arrivals.values()):
            is_idle = not self.alive and (arrival.is_parting or not arrival.frame.size)
            if arrival.until < now or is_idle:
                self._given_up(arrival, TOO_SLOW if arrival.frame.size else b"")

    def _readable(self, arrival: Arrival, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            self._given_up(arrival)
            return
        if arrival.is_parting:
            arrival.drained += len(data)
            if not data or arrival.drained > HEAD_LIMIT:
                self._given_up(arrival)
        elif data:
            arrival.frame.add(data)
            self._look_at(arrival)
        elif arrival.frame.size:
            self._has_arrived(arrival)  # it ends too early: gunicorn knows what to say
        else:
            self._given_up(arrival)

    def _look_at(self, arrival: Arrival) -> None:
        frame = arrival.frame
        if frame.head_is_too_long:
            self._given_up(arrival, TOO_LONG)
        elif frame.is_whole():
            self._has_arrived(arrival)
        elif frame.wants_word():
            _say(arrival, CONTINUE)

    def _has_arrived(self, arrival: Arrival) -> None:
        self._forgotten(arrival)
        self._give_thread(arrival.conn, arrival.frame)

    def _give_thread(self, conn: Any, frame: Frame) -> None:
        conn.init()
        conn.parser.unreader.unread(bytes(frame.bytes))
        conn.data_ready = True
        super().enqueue_req(conn)

    def _make_room(self) -> None:
        while len(self._arrivals) > MOST_ARRIVING or self._held() > self._most_held:
            # In the order of their arrival: an honest request is whole after milliseconds.
            self._given_up(next(iter(self._arrivals.values())))

    def _held(self) -> int:
        # Only what is long can come to that much, and few are.
        return sum(arrival.frame.size for arrival in self._arrivals.values())

    def _given_up(self, arrival: Arrival, word: bytes = b"") -> None:
        self._forgotten(arrival)
        if word:
            _say(arrival, word)
        self._closed(arrival.conn)

    def _forgotten(self, arrival: Arrival) -> None:
        self._arrivals.pop(arrival.conn.sock, None)
        self.poller.unregister(arrival.conn.sock)

    def _closed(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()


def _what_is_there(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except OSError:
        return b""  # nothing yet; or it is broken, which the poller will say


def _say(arrival: Arrival, word: bytes) -> None:
    try:
        arrival.conn.sock.send(word)
    except OSError:
        return  # it does not listen; it is closed in time
