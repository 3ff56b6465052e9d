"""The load generator, a process of its own: posts web forms, each with its own content, and counts answers.

One thread, raw sockets and epoll, so that it takes little of the machine that it measures.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.processes import HOST

CONNECTIONS = 16
#: Requests on one connection before a new one is opened, so that both gunicorn workers get their share.
PER_CONNECTION = 50
#: Seconds that the last answers may take after the last request was sent.
PATIENCE = 15.0


def form(number: int, tag: str) -> bytes:
    """Return the urlencoded form of lead `number`; no two numbers or tags give the same."""
    fields = {
        "name": f"Nguyễn Thị Lan {number}",
        "email": f"lan-{tag}-{number:07d}@example.com",
        "phone": f"+8490{number % 10_000_000:07d}",
        "company": "Công ty TNHH Ví Dụ",
        "message": f"Please call me back about offer {number}: we need forty seats before the end of the month.",
        "consent": "yes",
    }
    return urlencode(fields).encode()


def request(path: str, number: int, tag: str) -> bytes:
    """Return the whole HTTP request that posts lead `number` to `path`."""
    body = form(number, tag)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: Mozilla/5.0 (bench)\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class Wire:
    """One connection with at most one request under way."""

    socket: socket.socket
    sent_at: float = 0.0
    used: int = 0
    received: bytearray = field(default_factory=bytearray)


class Load:
    """Posts from all connections until `count` requests were sent or `seconds` are over."""

    def __init__(self, port: int, path: str, tag: str, count: int | None, seconds: float) -> None:
        self._port, self._path, self._tag = port, path, tag
        self._most = count
        self._seconds = seconds
        self._selector = selectors.DefaultSelector()
        self._sent = 0
        self._until = 0.0
        self.answers: Counter[int] = Counter()
        self.waits: list[float] = []

    def run(self) -> float:
        """Run to the last answer and return how many seconds that took."""
        began = time.perf_counter()
        self._until = began + self._seconds
        under_way = sum(self._send(self._connected()) for _ in range(CONNECTIONS))
        while under_way and time.perf_counter() < self._until + PATIENCE:
            for key, _ in self._selector.select(0.5):
                wire: Wire = key.data
                status = self._answer(wire)
                if status is None:
                    continue
                self.answers[status] += 1
                self.waits.append(time.perf_counter() - wire.sent_at)
                under_way -= 1
                under_way += self._send(self._refreshed(wire, status))
        self.answers[0] += under_way
        return time.perf_counter() - began

    def _send(self, wire: Wire) -> int:
        if time.perf_counter() >= self._until or (self._most is not None and self._sent >= self._most):
            self._selector.unregister(wire.socket)
            wire.socket.close()
            return 0
        self._sent += 1
        wire.used += 1
        wire.sent_at = time.perf_counter()
        wire.socket.sendall(request(self._path, self._sent, self._tag))
        return 1

    def _answer(self, wire: Wire) -> int | None:
        """Return the status of the answer once all of it is there, 0 where the connection broke."""
        try:
            data = wire.socket.recv(65536)
        except OSError:
            data = b""
        if not data:
            return 0
        wire.received += data
        head, found, body = wire.received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if len(body) < length:
            return None
        wire.received.clear()
        return int(head.split(b" ", 2)[1])

    def _refreshed(self, wire: Wire, status: int) -> Wire:
        if status == 200 and wire.used < PER_CONNECTION:
            return wire
        self._selector.unregister(wire.socket)
        wire.socket.close()
        return self._connected()

    def _connected(self) -> Wire:
        wire = Wire(socket.create_connection((HOST, self._port), timeout=5))
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(wire.socket, selectors.EVENT_READ, wire)
        return wire


def main() -> None:
    """Run from the command line and print one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=float, required=True)
    asked = parser.parse_args()
    load = Load(asked.port, asked.path, asked.tag, asked.count, asked.seconds)
    took = load.run()
    waits = sorted(load.waits) or [0.0]
    accepted = load.answers.pop(200, 0)
    outcome = {
        "accepted": accepted,
        "seconds": took,
        "others": {str(status): times for status, times in load.answers.items() if times},
        "p50_ms": waits[len(waits) // 2] * 1000,
        "p99_ms": waits[len(waits) * 99 // 100] * 1000,
    }
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
