"""The door as a real process on a real socket, with senders that lie and a broker that is not well."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.door.door_requests import LEAD, MAIL, ORDER, SECRETS
from tests.door.door_server import AT_MOST, Server, Wire, count, head
from worker.ledger.database import Database
from worker.ledger.tables import events

CHUNK = b"10000\r\nname=" + b"a" * (0x10000 - 5) + b"\r\n"
LENGTH = f"Content-Length: {len(LEAD.body)}"
CHUNKED = "Transfer-Encoding: chunked"


def exchanged(server: Server, *pieces: bytes, end: bool = False, answers: int = 1) -> tuple[list[int], bytes]:
    """Send `pieces` on a connection of their own; return the statuses of the answers, and all that came."""
    wire = Wire(server.port)
    for piece in pieces:
        if not wire.send(piece):
            break
    if end:
        wire.end()
    statuses, _ = wire.answer(answers)
    wire.close()
    return statuses, wire.got


def test_a_sender_that_goes_away_too_early_leaves_nothing(server: Server, ledger: Database) -> None:
    """Otherwise half of a message is a lead, and the whole one that follows is a second."""
    statuses, got = exchanged(server, head(LEAD, "Content-Length: 500"), LEAD.body, end=True)
    assert (statuses, count(ledger)) == ([400], 0)
    assert b"ends after 39 of 500 bytes" in got
    # Without a word: no answer is read, and none is owed.
    wire = Wire(server.port)
    wire.send(head(LEAD, "Content-Length: 500") + LEAD.body)
    wire.close()
    time.sleep(0.3)
    assert count(ledger) == 0


def test_a_body_longer_than_announced_does_not_fit_its_signature(server: Server, ledger: Database) -> None:
    """Otherwise what follows the announced bytes is taken for an order, or for another request's."""
    lines = (f"Content-Length: {len(ORDER.body) - 5}",)
    assert exchanged(server, head(ORDER, *lines) + ORDER.body)[0][0] == 401
    assert count(ledger) == 0


@pytest.mark.parametrize("announced", ["Content-Length: 20000000000", CHUNKED])
def test_an_endless_body_is_not_read(server: Server, ledger: Database, announced: str) -> None:
    """Otherwise one sender fills the memory, or its first megabyte is taken for the whole."""
    wire = Wire(server.port)
    wire.send(head(LEAD, announced))
    begun, sent = time.monotonic(), 0
    while sent < 2_000 and time.monotonic() - begun < AT_MOST and wire.send(CHUNK):
        sent += 1
    assert sent < 2_000, "the door read 128 MiB of it"
    assert wire.answer()[0] in ([413], [])  # the answer may be lost when the connection is reset
    wire.close()
    assert count(ledger) == 0


@pytest.mark.parametrize("chunks", [17, 20])
def test_a_chunked_body_over_the_limit_is_told_so(server: Server, ledger: Database, chunks: int) -> None:
    """Otherwise the sender believes that all of it was stored."""
    statuses, got = exchanged(server, head(LEAD, CHUNKED), *[CHUNK] * chunks, b"0\r\n\r\n")
    assert (statuses, count(ledger)) == ([413], 0)
    assert b"longer than 1048576 bytes" in got


@pytest.mark.parametrize(("end", "status"), [(b"", 413), (b"0\r\n\r\n", 200)])
def test_two_megabytes_of_tiny_chunks_take_no_long_time(server: Server, end: bytes, status: int) -> None:
    """Otherwise each keeps a processor at work for a minute, or a thread where the sender stops there."""
    body = b"5\r\nname=\r\n" + b"1\r\na\r\n" * (340_000 if end else 350_000) + end
    before = server.processor_seconds()
    statuses, got = exchanged(server, head(LEAD, CHUNKED), body)
    assert statuses == [status]
    assert end or b"with its chunks' sizes than 2097152" in got
    assert server.processor_seconds() - before < 20


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nname=Lan\r\n0\r\n\r\n",
        b"8\r\nname=Lanxx0\r\n\r\n",
        b"8\r\nname=Lan",
        b"8\r\nname=Lan\r\n",
        b"8\r\nname=Lan\r\n0\r\n",
        b"-8\r\nname=Lan\r\n0\r\n\r\n",
        b"8;\x00\r\nname=Lan\r\n0\r\n\r\n",
        b"ffff\r\nname=Lan",
        b"8" * 20_000,
        b"",
    ],
)
def test_broken_chunks_are_the_senders_fault(server: Server, ledger: Database, body: bytes) -> None:
    """Otherwise they are a fault of ours in the log, and the sender tries for days."""
    statuses, _ = exchanged(server, head(LEAD, CHUNKED), body, end=True)
    assert (statuses, count(ledger)) == ([400], 0)


@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("size", [b"100001", b"ffffffffffffffffff"])
def test_a_chunk_over_the_limit_is_told_so_at_its_size(server: Server, size: bytes, end: bool) -> None:
    """Otherwise the sender learns that its chunks are broken or that they are too long, as chance has it."""
    assert exchanged(server, head(LEAD, CHUNKED), size + b"\r\nname=Lan", end=end)[0] == [413]


def test_a_refusal_is_heard_by_who_sends_on(server: Server) -> None:
    """Otherwise a mail that is too long is sent for days: its sender sees a reset and not the answer."""
    wire = Wire(server.port)
    assert wire.send(head(LEAD, "Content-Length: 8000000"))
    assert wire.answer()[0] == [413]
    assert wire.send(b"a" * 8_000_000)
    wire.end()
    assert wire.socket.recv(1) == b""
    wire.close()


def test_a_chunked_body_of_just_the_limit_is_taken(server: Server, ledger: Database) -> None:
    """Otherwise the sizes between its parts count as parts of it, and it is refused as too long."""
    parts = [b"name=" + b"a" * 8_187, *[b"a" * 8_192] * 127]
    body = b"".join(b"2000\r\n%b\r\n" % part for part in parts) + b"0\r\n\r\n"
    assert exchanged(server, head(LEAD, CHUNKED), body)[0] == [200]
    with ledger.read() as c:
        assert c.execute(select(events.c.body)).scalar_one() == b"".join(parts)


def test_a_chunked_body_is_taken(server: Server, ledger: Database) -> None:
    """Otherwise senders that stream lose every event."""
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in LEAD.body) + b"0\r\n\r\n"
    assert exchanged(server, head(LEAD, CHUNKED), chunks)[0] == [200]
    with ledger.read() as c:
        assert c.execute(select(events.c.body)).scalar_one() == LEAD.body


def test_a_gzip_bomb_is_not_opened(server: Server, ledger: Database) -> None:
    """Otherwise half a megabyte becomes a hundred in our memory."""
    bomb = replace(LEAD, body=gzip.compress(bytes(100_000_000), 1))
    request = head(bomb, f"Content-Length: {len(bomb.body)}", "Content-Encoding: gzip")
    assert exchanged(server, request, bomb.body)[0] == [415]
    assert count(ledger) == 0


HEADERS = {
    "Host: \xff\xfe": 400,
    "X Y: 1": 400,
    ": 1": 400,
    "X-Y": 400,
    "X-Y: a\x00b": 400,
    " folded: 1": 400,
    "Content-Length: -1": 400,
    "Content-Length: 1e3": 400,
    "Content-Length: \xb2": 400,
    "Transfer-Encoding: gzip": 400,
    "Transfer-Encoding: chunked": 400,
    "Content-Type: \xff": 400,
    "Content-Encoding: \xff": 415,
    "X-A: " + "a" * 9_000: 431,
    "X-B: " + "a" * 200_000: 431,
    "X-Y: \xc3\xbc\xff": 200,
    "Authorization: Basic \xff": 200,
    "Cookie: \xff=\x80;;=": 200,
    "Forwarded: for=\xff": 200,
    "X-Forwarded-For: \xff, ::1": 200,
    "Accept-Language: ;q=x": 200,
    "Origin: \xff": 200,
    "Expect: 100-continue": 200,
    "SCRIPT_NAME: /x": 200,
    "X-Forwarded-Ssl: on\r\nX-Forwarded-Proto: http": 200,
}


@pytest.mark.parametrize("line", HEADERS, ids=range(len(HEADERS)))
def test_strange_headers_are_answered(server: Server, ledger: Database, line: str) -> None:
    """Otherwise a proxy's or a scanner's header takes a thread away, or a lead is lost for it."""
    statuses, _ = exchanged(server, head(LEAD, LENGTH, line) + LEAD.body)
    assert statuses in ([HEADERS[line]], [100, HEADERS[line]])
    assert count(ledger) == (HEADERS[line] == 200)


def test_requests_after_a_refusal_are_read_where_they_begin(server: Server, ledger: Database) -> None:
    """Otherwise the rest of a refused body is taken for the next request, whoever wrote it."""
    inner = head(LEAD, LENGTH) + LEAD.body
    unknown = replace(LEAD, source="website", body=inner)
    forged = head(replace(ORDER, body=inner), f"Content-Length: {len(inner)}", signed=b"another") + inner
    lost = head(unknown, f"Content-Length: {len(inner)}").replace(b"/website", b"/none") + inner
    statuses, _ = exchanged(server, forged + lost + head(LEAD, LENGTH) + LEAD.body, answers=3)
    assert (statuses, count(ledger)) == ([401, 404, 200], 1)


def test_what_follows_an_endless_length_is_no_request(server: Server, ledger: Database) -> None:
    """Otherwise a body that a proxy lets through is a request past the proxy's rules."""
    inner = head(LEAD, LENGTH) + LEAD.body
    for digits in (25, 5000):
        assert exchanged(server, head(LEAD, f"Content-Length: {'9' * digits}"), inner, end=True)[1]
    assert count(ledger) == 0


def test_who_sends_on_reads_the_refusal(server: Server) -> None:
    """Otherwise a sender of long headers or of an attachment sees a broken line, and sends it for ever."""
    headers = head(LEAD)[:-2] + b"X-A: a\r\n" * 40_000
    attachment = head(LEAD, "Content-Length: 5000000") + b"a" * 5_000_000
    for request, status in ((headers, 431), (attachment, 413)):
        wire = Wire(server.port)
        for begin in range(0, len(request), 50_000):
            assert wire.send(request[begin : begin + 50_000])
            time.sleep(0.005)
        assert wire.answer()[0] == [status]
        wire.close()


def test_the_log_shows_no_secret(server: Server) -> None:
    """Otherwise whoever reads the log can post in the sender's name."""
    assert server.post(MAIL)[0].status_code == 200
    exchanged(server, head(MAIL, CHUNKED) + b"zz\r\n", end=True)
    exchanged(server, head(MAIL, "X-Y: a\x00b") + MAIL.body)
    assert "event.received" in server.log()
    assert not any(secret in server.log() for secret in SECRETS.values())
    assert "event.crashed" not in server.log()
