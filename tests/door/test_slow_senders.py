"""Senders that are slow on purpose, on real sockets: they are bounded, and nobody else waits for them."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.door.door_requests import LEAD
from tests.door.door_server import AT_MOST, HELD, Server, Wire, count, head
from tests.stopwatch import Stopwatch
from webhooks.arrivals import ARRIVAL_SECONDS
from webhooks.framing import Frame
from webhooks.incoming import MOST_ARRIVING, Incoming
from webhooks.one_piece import OnePiece
from worker.ledger.database import Database

#: Far more than the sixteen threads of the receiver.
CROWD = 60
HEAD = head(LEAD, "Content-Length: 500")
DRIP: dict[str, tuple[bytes, bytes]] = {
    "silent": (b"", b""),
    "request line": (b"POST /webhooks/", b"w"),
    "headers": (b"POST /webhooks/website HTTP/1.1\r\nHost: relay\r\nX-Drip: ", b"a"),
    "many headers": (b"POST /webhooks/website HTTP/1.1\r\nHost: relay\r\n", b"X: a\r\n"),
    "body": (HEAD, b"a"),
    "chunks": (head(LEAD, "Transfer-Encoding: chunked"), b"1\r\na\r\n"),
    "waits for a word": (head(LEAD, "Content-Length: 500", "Expect: 100-continue"), b"a"),
    "second request": (b"GET /healthz HTTP/1.1\r\nHost: relay\r\n\r\nGET /healthz HT", b"a"),
}


@contextlib.contextmanager
def crowd(server: Server, number: int, begins: bytes) -> Iterator[list[Wire]]:
    """Hold `number` connections that have sent `begins`; skip where this process may not have so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < number + 200:
        pytest.skip(f"needs {number + 200} open files, and no more than {hard} are allowed here (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    wires: list[Wire] = []
    try:
        for _ in range(number):
            wires.append(Wire(server.port))  # noqa: PERF401  (those that are open are closed where one is not)
        for wire in wires:
            wire.send(begins)
        yield wires
    finally:
        for wire in wires:
            wire.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def assert_others_are_served(server: Server) -> None:
    for _ in range(5):
        answer, seconds = server.post(LEAD)
        assert answer.json()["status"] in ("accepted", "duplicate")
        assert seconds < HELD


@pytest.mark.parametrize("kind", DRIP)
def test_a_crowd_that_drips_holds_nobody_up(server: Server, kind: str) -> None:
    """Otherwise sixteen connections of a bored child close the door for all shops."""
    begins, drop = DRIP[kind]
    with crowd(server, CROWD, begins) as wires:
        for _ in range(3):
            for wire in wires:
                wire.send(drop)
            assert_others_are_served(server)


def test_what_drips_is_closed_after_a_total_time(server: Server, ledger: Database) -> None:
    """Otherwise a connection that sends a byte now and then is there for ever, and so are thousands of them."""
    wires = {kind: Wire(server.port, seconds=ARRIVAL_SECONDS + AT_MOST) for kind in DRIP}
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.5):
            for kind, wire in wires.items():
                wire.send(DRIP[kind][1])

    dripping = threading.Thread(target=drip)
    began = time.monotonic()
    with Stopwatch() as watch:
        for kind, wire in wires.items():
            wire.send(DRIP[kind][0])
        dripping.start()
        try:
            for wire in wires.values():
                assert wire.answer(answers=9)[1], "it is still open"
        finally:
            stop.set()
            dripping.join()
    assert time.monotonic() - began > ARRIVAL_SECONDS - 3
    assert watch.seconds < ARRIVAL_SECONDS + AT_MOST / 2
    assert b" 408 " in wires["body"].got
    assert count(ledger) == 0
    for wire in wires.values():
        wire.close()


@pytest.mark.parametrize("is_known", ["nothing of it", "its beginning"])
def test_who_has_sent_all_in_time_is_not_told_that_it_was_too_slow(is_known: str) -> None:
    """Otherwise a machine that stood still says 408, and senders that give up on a 4xx lose the event."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        frame = Frame(1000)
        if is_known == "its beginning":
            frame.add(HEAD)
        incoming = Incoming(SimpleNamespace(sock=OnePiece(ours)), frame, since=0, until=0)
        assert not incoming.waits_for_us(), "nothing more has come"
        theirs.sendall(b"a" * 500)
        assert incoming.waits_for_us(), "it is closed though all of it is there"
        assert not replace(incoming, is_whole=True).waits_for_us(), "who reads no answers stays for ever"
        assert not replace(incoming, is_parting=True).waits_for_us(), "who was answered stays for ever"


def test_a_flood_of_connections_drives_out_its_own(server: Server) -> None:
    """Otherwise whoever opens a thousand connections and says nothing is the last one served."""
    with crowd(server, 2 * MOST_ARRIVING + 300, b"POST /webhooks/w") as wires:
        assert_others_are_served(server)
        wires[0].socket.settimeout(AT_MOST)
        with contextlib.suppress(ConnectionResetError):
            assert wires[0].socket.recv(1) == b"", "the oldest of them is still there"


def test_who_never_reads_its_answers_holds_no_thread_for_long(server: Server) -> None:
    """Otherwise a client that only asks and never listens takes a thread each time."""
    asked = b"GET /webhooks/website HTTP/1.1\r\nHost: relay\r\n\r\n" * 2000
    with crowd(server, 20, b"") as wires:
        for wire in wires:
            wire.socket.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                for _ in range(5):
                    wire.send(asked)
        answer, seconds = server.post(LEAD)
        assert answer.status_code == 200
        assert seconds < AT_MOST / 2


def test_who_never_closes_after_a_refusal_stops_nobody(server: Server) -> None:
    """Otherwise each such connection closes the door of a whole process for two seconds."""
    refused = (
        b"POST /webhooks/website HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nContent-Length: 1e3\r\n\r\n"
    )
    with crowd(server, CROWD, refused):
        assert_others_are_served(server)


def test_who_stops_within_a_body_over_the_limit_stops_nobody(server: Server) -> None:
    """Otherwise two hundred connections that send a kilobyte each close the door for a minute, again and again."""
    with crowd(server, 200, head(LEAD, "Content-Length: 3000000") + b"a" * 1000) as wires:
        assert_others_are_served(server)
        assert wires[0].answer() == ([413], False)


def test_a_word_is_said_once_to_who_waits_for_it(server: Server, ledger: Database) -> None:
    """Otherwise curl and others wait a second before each body, or stumble over two words."""
    wire = Wire(server.port)
    wire.send(head(LEAD, f"Content-Length: {len(LEAD.body)}", "Expect: 100-continue"))
    wire.socket.settimeout(AT_MOST)
    assert wire.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(LEAD.body)
    assert wire.answer()[0] == [200]
    wire.close()
    assert count(ledger) == 1
