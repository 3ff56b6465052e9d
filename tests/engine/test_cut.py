"""A worker that has to stop does not wait for a CRM, and says of each call what is true of it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from tests.conftest import wait_for
from worker.errors import Interrupted, PutBack
from worker.http import Http, Request
from worker.stopping import CUT_AFTER, GONE_AFTER, end_in_time


@dataclass
class Silent:
    """A host that takes requests and answers none; `taken` are the connections on which one has come."""

    server: socket.socket
    taken: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.getsockname()[1]}/leads"

    def serve(self) -> None:
        """Take requests until the server is shut down."""
        with suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                connection.recv(1, socket.MSG_PEEK)
                self.taken.append(connection)


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = Silent(server)
        thread = threading.Thread(target=host.serve)
        thread.start()
        yield host
        server.shutdown(socket.SHUT_RDWR)
        thread.join(60)
        for connection in host.taken:
            connection.close()


def test_calls_under_way_are_cut_in_all_threads(silent: Silent) -> None:
    """If this fails, a slow CRM keeps a stopping worker until it is killed, and leases have to run out."""
    http, ended = Http(), list[Exception]()

    def call() -> None:
        try:
            http.send(Request("POST", silent.url, {}, {}, b"{}"), 100)
        except Interrupted as error:
            ended.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(silent.taken) == 4, 60, "four calls under way")
    began = time.monotonic()
    http.cut()
    for thread in threads:
        thread.join(60)
    assert len(ended) == 4, "a call was not cut, or it was said to be something else than interrupted"
    assert time.monotonic() - began < 50
    http.close()


def test_nothing_is_begun_after_the_cut(silent: Silent) -> None:
    """If this fails, a stopping worker makes a record and has no time to note it."""
    http = Http()
    http.cut()
    with pytest.raises(PutBack, match="stopping"):
        http.send(Request("POST", silent.url, {}, {}, b"{}"), 100)


def test_what_holds_the_process_beyond_its_time_is_left() -> None:
    """If this fails, a frozen ledger or broker makes each stop a SIGKILL."""
    grace, happened = 1.0, dict[str, float]()
    began = time.monotonic()
    end_in_time(
        grace,
        cut=lambda: happened.update(cut=time.monotonic() - began),
        leave=lambda code: happened.update(left=time.monotonic() - began, code=code),
    )
    wait_for(lambda: len(happened) == 3, 60, "the end")
    assert CUT_AFTER <= happened["cut"] < happened["left"]
    assert happened["left"] >= GONE_AFTER
    assert happened["code"] == 1
