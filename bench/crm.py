"""The CRM stand-in, a process of its own: OplaCRM's POST /api/public/leads, with a latency and a gate.

While the gate is shut it keeps every request waiting. So the workers can start, take their first tasks and come
to rest before the clock runs, and their start is not counted.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.processes import HOST


@dataclass(frozen=True)
class Seen:
    """What the stand-in saw since it was last shut: answered leads, different ones, and requests at the gate."""

    answered: int
    different: int
    at_gate: int


class Control:
    """The benchmark's side of the stand-in."""

    def __init__(self, port: int) -> None:
        self._port = port

    def shut(self, latency_ms: int) -> None:
        """Count from nought again, shut the gate, and from its opening answer after `latency_ms`."""
        self._ask("POST", f"/_bench/shut?latency_ms={latency_ms}")

    def open(self) -> None:
        """Answer those that wait, and all that come."""
        self._ask("POST", "/_bench/open")

    def seen(self) -> Seen:
        """Return the counts."""
        return Seen(**json.loads(self._ask("GET", "/_bench/seen")))

    def _ask(self, verb: str, path: str) -> bytes:
        link = http.client.HTTPConnection(HOST, self._port, timeout=5)
        try:
            link.request(verb, path)
            return link.getresponse().read()
        finally:
            link.close()


class Crm:
    """What all connections share."""

    def __init__(self) -> None:
        self.latency = 0.0
        self._shut = False
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []
        self._answered = 0
        self._different: set[str] = set()

    def take(self, link: asyncio.Transport, verb: str, target: str, body: bytes) -> None:
        """Answer one request, now or later."""
        path = urlsplit(target).path
        if path.startswith("/_bench/"):
            link.write(_answer("200 OK", self._controlled(path, target)))
        elif verb == "POST" and path == "/api/public/leads":
            lead = json.loads(body)["email"]
            answer = _answer("201 Created", {"id": f"lead-{lead}"})
            self._different.add(lead)
            if self._shut:
                self._waiting.append((link, answer))
            else:
                self._send(link, answer)
        elif verb == "GET":
            link.write(_answer("200 OK", []))
        else:
            link.write(_answer("404 Not Found", {"message": f"{verb} {path} is not in this stand-in"}))

    def _controlled(self, path: str, target: str) -> Any:
        if path == "/_bench/shut":
            self.latency = int(parse_qs(urlsplit(target).query)["latency_ms"][0]) / 1000
            self._shut, self._answered = True, 0
            self._waiting.clear()
            self._different.clear()
        if path == "/_bench/open":
            self._shut = False
            for link, answer in self._waiting:
                self._send(link, answer)
            self._waiting.clear()
        return {
            "answered": self._answered,
            "different": len(self._different),
            "at_gate": len(self._waiting),
        }

    def _send(self, link: asyncio.Transport, answer: bytes) -> None:
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._write, link, answer)
        else:
            self._write(link, answer)

    def _write(self, link: asyncio.Transport, answer: bytes) -> None:
        self._answered += 1
        link.write(answer)


class Conversation(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._link: asyncio.Transport
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        if isinstance(transport, asyncio.Transport):
            self._link = transport

    def data_received(self, data: bytes) -> None:
        """Take every request that is there whole."""
        self._received += data
        while True:
            head, found, rest = bytes(self._received).partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if not found or len(rest) < length:
                return
            self._received = bytearray(rest[length:])
            verb, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ", 2)
            self._crm.take(self._link, verb, target, rest[:length])


def _answer(status: str, content: Any) -> bytes:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def serve(port: int) -> None:
    """Listen on loopback until the process is ended."""
    crm = Crm()
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(crm), HOST, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
