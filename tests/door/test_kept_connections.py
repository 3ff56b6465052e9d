"""Connections that stay open between requests, as shops with a pool and proxies hold them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import wait_for
from tests.door.door_requests import LEAD
from tests.door.door_server import AT_MOST, Server, Wire, count, head
from webhooks.arrivals import ARRIVAL_SECONDS
from webhooks.incoming import MOST_HELD
from worker.ledger.database import Database
from worker.ledger.sqlite_connection import TURN_SECONDS


def lead(number: int) -> bytes:
    """Return a whole request with a lead of its own."""
    body = LEAD.body + f"&note={number}".encode()
    one = dataclasses.replace(LEAD, body=body)
    return head(one, f"Content-Length: {len(body)}") + body


def test_an_answer_leaves_in_one_piece(server: Server) -> None:
    """Otherwise each answer is two packets, and a sender on a slow line waits a round trip for the second."""
    wire = Wire(server.port)
    for number in range(20):
        wire.send(lead(number))
        answer = wire.socket.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.rstrip().endswith(b"}")
    wire.close()


def test_requests_sent_without_waiting_are_answered_in_their_order(server: Server, ledger: Database) -> None:
    """Otherwise the second of two leads in one packet waits for a third, or for ever."""
    wire = Wire(server.port)
    wire.send(b"".join(map(lead, range(30))) + lead(30)[:-10])
    assert wire.answer(answers=30)[0] == [200] * 30
    wire.send(lead(30)[-10:])
    assert wire.answer(answers=31)[0] == [200] * 31
    wire.close()
    assert count(ledger) == 31


def test_an_idle_connection_is_closed_and_one_in_use_is_not(server: Server, ledger: Database) -> None:
    """Otherwise idle pools of large senders fill the process's connections, or theirs break while they send."""
    in_use, sent = 0.0, 0
    while in_use < 4:  # seconds: twice as long as an idle connection is kept
        wire, answers, is_closed = Wire(server.port), 0, False
        begun = used = time.monotonic()
        while in_use < 4 and not is_closed:
            used_before, used = used, time.monotonic()
            wire.send(lead(sent))
            statuses, is_closed = wire.answer(answers + 1)
            if is_closed:  # which is right where this machine was too busy to use it
                assert time.monotonic() - used_before > 2, "it was closed while it was in use"
                break
            sent, answers, in_use = sent + 1, answers + 1, used - begun
            assert statuses == [200] * answers
            time.sleep(0.5)
        if is_closed:
            wire.close()
    assert wire.socket.recv(1) == b"", "an idle connection is still open"
    wire.close()
    assert count(ledger) >= sent


def test_more_connections_than_threads_are_all_served(server: Server, ledger: Database) -> None:
    """Otherwise a sender whose pool is larger than our threads waits until another's pool is idle."""

    def use(number: int) -> list[int]:
        wire = Wire(server.port)
        for turn in range(5):
            wire.send(lead(100 * number + turn))
            wire.answer(answers=turn + 1)
        wire.close()
        return wire.statuses()

    with ThreadPoolExecutor(64) as pool:
        assert list(pool.map(use, range(64))) == [[200] * 5] * 64
    assert count(ledger) == 320


def test_half_requests_hold_bounded_memory(server: Server, ledger: Database) -> None:
    """Otherwise four hundred senders that stop before their last byte hold four hundred megabytes."""
    size = 990_000
    begun = head(LEAD, "Content-Length: 1000000") + b"a" * size
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        wires = list(pool.map(lambda _: Wire(server.port), range(240)))
        list(pool.map(lambda wire: wire.send(begun), wires))
    most_kept = len(server.workers()) * (MOST_HELD // size + 1)
    wait_for(lambda: [last_word(wire) for wire in wires].count(None) <= most_kept, AT_MOST, "room")
    dropped = [last_word(wire) for wire in wires].count(b"")
    # Those that take too long are closed as well, and are told so.
    is_sooner = time.monotonic() - began < ARRIVAL_SECONDS
    assert dropped >= (len(wires) - most_kept if is_sooner else 1)
    assert server.post(LEAD)[0].status_code == 200
    for wire in wires:
        wire.close()
    assert count(ledger) == 1


def last_word(wire: Wire) -> bytes | None:
    """Return how what it was told begins, b"" where it was closed without a word, None while it is open."""
    wire.socket.setblocking(False)
    try:
        return wire.socket.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return None
    except ConnectionResetError:
        return b""


def test_who_has_asked_is_answered_while_the_process_ends(server: Server, ledger: Database) -> None:
    """Otherwise each deploy loses the answers of the requests in flight, and their senders send again."""
    whole, begun = ([Wire(server.port) for _ in range(number)] for number in (40, 12))
    began = time.monotonic()
    with ledger.write():  # so that all threads are busy, and cannot read what else has come
        for number, wire in enumerate(whole):
            wire.send(lead(number))
        for wire in begun:
            wire.send(lead(40)[:-1])
        time.sleep(1)
        ending = server.workers()
        for pid in ending:
            os.kill(pid, signal.SIGTERM)
        time.sleep(1)
    is_held_too_long = time.monotonic() - began > TURN_SECONDS  # so some are told that the ledger is away
    for wire in begun:
        with contextlib.suppress(OSError):
            wire.send(lead(40)[-1:])
    answers = [wire.answer()[0] for wire in (*whole, *begun)]
    for wire in (*whole, *begun):
        wire.close()
    wait_for(lambda: len(set(server.workers()) - set(ending)) == 2, AT_MOST, "the processes that follow")
    if is_held_too_long:
        assert {status for statuses in answers for status in statuses} <= {200, 503}
        assert list(map(len, answers)) == [1] * 52
    else:
        assert (answers, count(ledger)) == ([[200]] * 52, 41)
    for _ in range(6):  # the first request of a new process is its slowest
        server.post(LEAD)
