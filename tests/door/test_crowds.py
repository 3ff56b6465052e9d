"""More connections than there is room for: who has asked is answered, and who says nothing makes room."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from tests.door.door_requests import configuration
from tests.door.door_server import Broker, Server, Wire, count
from tests.door.test_kept_connections import lead
from webhooks.framing import Frame
from webhooks.incoming import LEAST_SECONDS, Incoming, too_many
from webhooks.one_piece import OnePiece
from worker.ledger.database import Database

#: Seconds, long after every connection of these tests has had its time.
NOW = 100.0


class _Conn:
    """A connection with both of its ends here."""

    def __init__(self) -> None:
        near, self.other = socket.socketpair()
        self.sock = OnePiece(near)

    def close(self) -> None:
        self.sock.close()
        self.other.close()


@contextmanager
def waiting(**since: float) -> Iterator[dict[str, Incoming]]:
    """Yield connections that wait since the times given, each by its name."""
    made = {name: Incoming(_Conn(), Frame(1000), then, then + 20) for name, then in since.items()}
    yield made
    for incoming in made.values():
        incoming.conn.close()


def given_up(made: dict[str, Incoming], most: int) -> list[str]:
    names = {id(incoming): name for name, incoming in made.items()}
    return [names[id(one)] for one in too_many(list(made.values()), most, NOW)]


def say(incoming: Incoming, data: bytes) -> None:
    cast(Any, incoming.conn).other.sendall(data)


def test_who_has_asked_is_not_driven_out() -> None:
    """Otherwise of a thousand orders that come at once a fifth is dropped without an answer."""
    with waiting(asked=1.0, silent=2.0, also_asked=3.0, also_silent=4.0) as made:
        say(made["asked"], lead(1))
        say(made["also_asked"], lead(2)[:30])
        assert given_up(made, 3) == ["silent"]
        assert given_up(made, 0) == ["silent", "also_silent"]


def test_who_says_nothing_goes_before_who_was_answered_a_moment_ago() -> None:
    """Otherwise strangers, who may stay silent for 20 s, drive out shops that pause between two orders."""
    with waiting(shop=NOW - 1.5, silent=NOW - 15) as made:
        made["shop"].until, made["silent"].until = NOW + 0.5, NOW + 5
        assert given_up(made, 1) == ["silent"]


def test_who_has_its_last_answer_goes_first() -> None:
    """Otherwise those who are about to leave take the places of those who are about to ask."""
    with waiting(silent=1.0, leaving=NOW) as made:
        made["leaving"].is_parting = True
        assert given_up(made, 1) == ["leaving"]


def test_who_has_just_come_has_time_to_speak() -> None:
    """Otherwise a sender that is far away is dropped between its connection and its first byte."""
    with waiting(new=NOW - LEAST_SECONDS / 2, silent=NOW - 2 * LEAST_SECONDS) as made:
        assert given_up(made, 0) == ["silent"]


def test_who_asks_and_reads_no_answers_is_driven_out() -> None:
    """Otherwise a thousand connections that only ask close the door for twenty seconds."""
    with waiting(deaf=1.0) as made:
        say(made["deaf"], lead(1))
        made["deaf"].is_whole = True
        assert given_up(made, 0) == ["deaf"]


@pytest.fixture
def narrow(tmp_path: Path, one_broker: Broker, ledger: Database) -> Iterator[Server]:
    """A receiver whose processes may have few files, so that its room is small."""
    environ = configuration(tmp_path, one_broker.url, str(ledger.engine.url))
    server = Server(environ, tmp_path, files=400)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_a_crowd_beyond_all_room_is_answered(narrow: Server, ledger: Database) -> None:
    """Otherwise a flash sale ends the receiver's processes for want of files, or half of it is dropped."""
    crowd = 600
    if 0 < resource.getrlimit(resource.RLIMIT_NOFILE)[0] < crowd + 200:
        pytest.skip(f"needs {crowd + 200} open files (ulimit -n)")
    before, workers = count(ledger), narrow.workers()
    for pid in workers:  # so that all of them are there when it begins to look
        os.kill(pid, signal.SIGSTOP)
    wires = [Wire(narrow.port) for _ in range(crowd)]
    for number, wire in enumerate(wires):
        wire.send(lead(90_000 + number))
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
    answers = [wire.answer()[0] for wire in wires]
    for wire in wires:
        wire.close()
    assert answers == [[200]] * crowd
    assert (count(ledger) - before, narrow.workers()) == (crowd, workers)
