"""How requests arrive: none has a thread before all of it is there, so slow senders hold nobody up.

gunicorn's threads read a request themselves. Sixteen senders that drip a byte a second would hold them all, and
one that never closes stops its accept loop for two seconds. Here each request is gathered first, bounded in time,
size and number. A buffering proxy does the same; this holds without one.

The thread whose turn it is waits at one epoll for all connections, and answers the requests whose last bytes it
reads (webhooks/turns.py). gunicorn's main thread only accepts connections and ends those that take too long.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from webhooks.framing import CONTINUE, Frame
from webhooks.incoming import LONG, MOST_ARRIVING, MOST_HELD, Incoming, too_long, too_many
from webhooks.one_piece import OnePiece
from webhooks.turns import THREADS, Turns, Work
from worker.settings.configuration import DEFAULT_LIMIT_BYTES

#: Seconds in which a whole request must be there, from its first byte or from the connection's beginning.
ARRIVAL_SECONDS = 20.0
#: Seconds for which we wait for the other side to close, so that it can read our last answer.
PARTING_SECONDS = 2.0
#: Bytes that we drop meanwhile. Who still sends when the connection is closed gets a reset, and may never see the
#: answer, for which it would have given up.
PARTING_BYTES = 16 * 1024 * 1024
#: Seconds between two looks for what takes too long.
LOOK_SECONDS = 0.1
#: Seconds until we look again whether there is room, where everybody waits for us.
ROOM_SECONDS = 0.02
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker of threads; they wait for requests themselves.

    Who takes a connection out of `_arrivals`, a thread for its bytes or the main thread for its time, has it alone
    until it is put back: this is why nothing here is locked.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrivals: dict[int, Incoming] = {}
        self._turns = Turns()
        self._ended: deque[None] = deque()  # by threads; the count of connections is the main thread's
        self._body_limit = int(os.environ.get("RELAY_BODY_LIMIT") or DEFAULT_LIMIT_BYTES)
        self._next_look = 0.0
        self._is_ssl = bool(self.cfg.is_ssl)  # which looks through the settings each time
        # As many again may be in hand, where the ledger is slow.
        self._most_arriving: int = min(MOST_ARRIVING, self.worker_connections // 2)
        self._most_held = max(MOST_HELD, 8 * self._body_limit)

    def run(self) -> None:
        """Serve until told to stop and the requests in flight have their answers."""
        # gunicorn asks for some forty settings per request, and looks for each in a table of objects.
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        self._epoll = select.epoll()
        self._over, over = os.pipe()
        self._epoll.register(self._over, select.EPOLLIN)
        for _ in range(0 if self._is_ssl else THREADS):
            self.tpool.submit(self._serve)
        try:
            super().run()
        finally:
            os.write(over, b".")  # nobody reads it, so every thread sees it

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads: with TLS as many as are configured, for all of them work."""
        return ThreadPoolExecutor(self.cfg.threads if self._is_ssl else THREADS)

    def enqueue_req(self, conn: Any) -> None:
        """Let the threads wait for the first request of a new connection."""
        if self._is_ssl:
            super().enqueue_req(conn)
            return
        conn.sock = OnePiece(conn.sock)
        now = time.monotonic()
        incoming = Incoming(conn, Frame(self._body_limit), now, now + ARRIVAL_SECONDS)
        self._wait(incoming, self._epoll.register)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait for new connections, as far as there is room for them, and count those that ended meanwhile."""
        if not self._is_ssl:
            # gunicorn compares it with its own list of idle connections, which is empty here: with 0 none is kept
            # for a next request, which might come just as it is given up.
            self.max_keepalived = int(len(self._arrivals) < self._most_arriving * 3 // 4)
            if not self._has_room():
                # Who comes waits in the kernel, and drives out nobody who has asked and is not answered yet.
                self.set_accept_enabled(False)
                timeout = ROOM_SECONDS
        super().wait_for_and_dispatch_events(min(timeout, LOOK_SECONDS))
        self._turns.look()
        while self._ended:
            self._ended.popleft()
            self.nr_conns -= 1

    def murder_pending(self) -> None:
        """Give up what took too long; while we stop, also what has asked nothing yet."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        for incoming in self._arrivals.copy().values():
            if (incoming.until < now or not self._is_wanted(incoming)) and not incoming.waits_for_us():
                self._give_up(incoming, TOO_SLOW)

    def _is_wanted(self, incoming: Incoming) -> bool:
        has_asked = incoming.conn.parser is not None or incoming.frame.size > 0
        return self.alive or (has_asked and not incoming.is_parting)

    def _serve(self) -> None:
        """Work turn by turn: what each thread does."""
        while self._turns.work(self._take):
            pass

    def _take(self, may_wait: bool) -> Work | None:
        while found := self._epoll.poll(None if may_wait else 0, maxevents=1):
            number = found[0][0]
            if number == self._over:
                return None
            incoming = self._arrivals.pop(number, None)
            if incoming is not None:  # else it is being given up
                return partial(self._go_on, incoming)
        return None

    def _go_on(self, incoming: Incoming) -> None:
        try:
            if incoming.is_parting:
                self._part(incoming)
            elif incoming.is_whole:
                self._answer(incoming)
            else:
                self._gather(incoming)
        except BaseException:  # a thread that ends here is missed until the process ends
            self.log.exception("A connection was closed after a fault in the receiver")
            self._close(incoming.conn)

    def _gather(self, incoming: Incoming) -> None:
        frame = incoming.frame
        data = incoming.conn.sock.what_is_there()
        if data is None:
            self._wait(incoming)
            return
        if data and not frame.size:
            incoming.wait_anew(time.monotonic(), ARRIVAL_SECONDS)
        frame.add(data)
        if frame.is_whole() or (frame.size and not data):  # it ends too early: gunicorn knows what to say
            self._answer(incoming)
        elif data:
            if frame.wants_word():
                incoming.conn.sock.say(CONTINUE)
            self._wait(incoming)
        else:
            self._close(incoming.conn)

    def _answer(self, incoming: Incoming) -> None:
        conn = incoming.conn
        if incoming.frame.head_is_too_long:
            conn.sock.say(TOO_LONG)
            self._begin_to_part(incoming)
            return
        conn.init()
        conn.sock.give(bytes(incoming.frame.bytes), has_rest=incoming.frame.is_over)
        conn.data_ready = True
        stays = self.handle(conn)
        if not conn.sock.flush():
            self._close(conn)
            return
        if not stays:
            self._begin_to_part(incoming)
            return
        incoming.frame = Frame(self._body_limit)
        incoming.frame.add(conn.parser.unreader.take_buffered() + conn.sock.take_rest())
        incoming.wait_anew(time.monotonic(), ARRIVAL_SECONDS if incoming.frame.size else self.cfg.keepalive)
        self._wait(incoming)

    def _begin_to_part(self, incoming: Incoming) -> None:
        # Not closed at once: what comes meanwhile would be answered with a reset, which takes our answer with it.
        incoming.conn.sock.end()
        incoming.frame = Frame(self._body_limit)
        incoming.is_parting = True
        incoming.wait_anew(time.monotonic(), PARTING_SECONDS)
        self._wait(incoming)

    def _part(self, incoming: Incoming) -> None:
        data = incoming.conn.sock.what_is_there()
        incoming.drained += len(data or b"")
        if data == b"" or incoming.drained > PARTING_BYTES:
            self._close(incoming.conn)
        else:
            self._wait(incoming)

    def _wait(self, incoming: Incoming, arm: Callable[[int, int], None] | None = None) -> None:
        # Of requests sent without waiting for answers the next is here already. Its turn comes after the others',
        # and only when the sender reads its answers.
        incoming.is_whole = incoming.frame.is_whole()
        mask = select.EPOLLOUT if incoming.is_whole else select.EPOLLIN
        number = incoming.conn.sock.fileno()
        self._arrivals[number] = incoming
        with contextlib.suppress(OSError):  # given up just now
            (arm or self._epoll.modify)(number, mask | select.EPOLLONESHOT)
        if incoming.frame.size > LONG:
            for one in too_long([*self._arrivals.copy().values()], self._most_held):
                self._give_up(one)

    def _has_room(self) -> bool:
        most: int = self._most_arriving
        if len(self._arrivals) >= most:
            for one in too_many([*self._arrivals.copy().values()], most - 1, time.monotonic()):
                self._give_up(one)
        return len(self._arrivals) < most

    def _give_up(self, incoming: Incoming, word: bytes = b"") -> None:
        # By its own number, which is none once it is closed: another connection may have got the old one.
        if self._arrivals.pop(incoming.conn.sock.fileno(), None) is None:
            return
        if word and incoming.frame.size:
            incoming.conn.sock.say(word)
        self._close(incoming.conn)

    def _close(self, conn: Any) -> None:
        conn.close()
        self._ended.append(None)
