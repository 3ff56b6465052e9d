"""One request against real sockets: it ends in time and in size, and is sorted by whether it left us."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.stopwatch import Stopwatch
from worker.errors import OutcomeUnknown, Unreachable
from worker.http import ANSWER_LIMIT, Answer, Http, Request

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
#: Far above what a test takes, far below for ever: every play of a host ends then.
PLAY_SECONDS = 60.0
#: Upper bound where a call must not last as long as its host plays: a busy machine takes some seconds by itself.
SOON = 20.0

Play = Callable[[socket.socket], None]


@contextmanager
def host(play: Play) -> Iterator[str]:
    """Run `play` on every connection to a port of its own; yield the address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(16)
    threads: list[threading.Thread] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(PLAY_SECONDS)
                threads.append(threading.Thread(target=played, args=(connection,)))
                threads[-1].start()

    def played(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            play(connection)

    accepting = threading.Thread(target=serve)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [accepting, *threads]:
            thread.join(PLAY_SECONDS + 1)


def answering(*parts: bytes, pause: float = 0.0) -> Play:
    """Return a play that reads a request, sends `parts` with pauses between them, and hangs up."""

    def play(connection: socket.socket) -> None:
        request_of(connection)
        until = time.monotonic() + PLAY_SECONDS
        for part in parts:
            if time.monotonic() > until:
                return
            connection.sendall(part)
            time.sleep(pause)

    return play


def request_of(connection: socket.socket) -> bytes:
    """Return the head of one request, and of its body what came along."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(65536)
        if not part:
            break
        read += part
    return read


def comes(connection: socket.socket) -> None:
    """Wait for a request without taking it: whoever hangs up sooner may be gone before it is sent."""
    connection.recv(1, socket.MSG_PEEK)


def reset(connection: socket.socket) -> None:
    """Hang up with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def keeps_open(connection: socket.socket) -> None:
    """Answer one request after the other on one connection."""
    while request_of(connection):
        connection.sendall(OK)


def in_turn(*parts: Callable[[socket.socket], object]) -> Play:
    """Return a play of several parts, one after the other."""

    def play(connection: socket.socket) -> None:
        for part in parts:
            part(connection)

    return play


def one_by_one(text: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in text]


@pytest.fixture
def http() -> Iterator[Http]:
    http = Http()
    yield http
    http.close()


def get(http: Http, url: str, seconds: float = 50.0) -> Answer:
    return http.send(Request("GET", f"{url}/x", {"accept": "application/json"}, {"skip": "0"}), seconds)


def post(http: Http, url: str, body: bytes = b"{}", seconds: float = 50.0) -> Answer:
    return http.send(Request("POST", f"{url}/x", {"content-type": "application/json"}, {}, body), seconds)


@pytest.mark.parametrize(
    "parts",
    [
        one_by_one(b"HTTP/1.1 200 OK\r\nx-slow: " + b"y" * 2000),
        [b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n", *one_by_one(b"z" * 900)],
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *[b"1\r\nz\r\n"] * 2000],
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 2000,
    ],
    ids=["in the head", "in the body", "in chunks", "in interim answers"],
)
def test_a_host_that_drips_ends_at_the_deadline(http: Http, parts: list[bytes]) -> None:
    """Otherwise one sick CRM holds every thread of every worker, a byte at a time."""
    with host(answering(*parts, pause=0.1)) as url:
        began = time.monotonic()
        with Stopwatch() as watch, pytest.raises(OutcomeUnknown):
            post(http, url, seconds=0.6)
        assert time.monotonic() - began > 0.5
        assert watch.seconds < SOON


def test_a_host_that_reads_slowly_ends_at_the_deadline(http: Http) -> None:
    """Otherwise a CRM that takes a request a little at a time holds the thread as long as it likes."""

    def sips(connection: socket.socket) -> None:
        until = time.monotonic() + PLAY_SECONDS
        while time.monotonic() < until and connection.recv(64 * 1024):
            time.sleep(0.05)

    with host(sips) as url:
        with Stopwatch() as watch, pytest.raises(OutcomeUnknown):
            post(http, url, body=b"x" * 96 * 1024 * 1024, seconds=0.6)
        assert watch.seconds < SOON


def test_a_host_that_never_accepts_was_not_reached(http: Http) -> None:
    """Otherwise an order is probed for that surely never left us."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        crowd = [socket.socket() for _ in range(4)]  # they fill its queue, so that it answers no further one
        for waiting in crowd:
            waiting.setblocking(False)
            waiting.connect_ex(address)
        time.sleep(0.05)
        with Stopwatch() as watch, pytest.raises(Unreachable):
            post(http, f"http://127.0.0.1:{address[1]}", seconds=0.5)
        assert watch.seconds < SOON
        for waiting in crowd:
            waiting.close()


def test_a_refused_connection_was_not_reached(http: Http) -> None:
    """Otherwise a CRM's restart costs attempts and probes."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: refuses
        with pytest.raises(Unreachable):
            post(http, f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_a_name_without_an_address_was_not_reached(http: Http) -> None:
    """Otherwise a failing name server costs attempts."""
    with pytest.raises(Unreachable):
        post(http, "http://crm.invalid", seconds=3.0)


def test_a_host_that_speaks_no_tls_was_not_reached(http: Http) -> None:
    """Otherwise a record is sought that cannot exist: no byte of ours was read."""
    plain = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with host(lambda connection: connection.sendall(plain)) as url, pytest.raises(Unreachable):
        post(http, url.replace("http:", "https:"))


def test_a_certificate_that_nobody_vouches_for_is_refused(http: Http, tmp_path: Path) -> None:
    """Otherwise whoever sits on the line reads the CRM's token and its customers."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = "-newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    made = [openssl, "req", "-x509", *subject.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True, timeout=100)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    seen: list[bytes] = []

    def play(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            seen.append(request_of(secured))

    with host(play) as url, pytest.raises(Unreachable):
        post(http, url.replace("http:", "https:"))
    assert not any(seen)


@pytest.mark.parametrize(
    "play",
    [
        in_turn(comes, reset),
        comes,
        in_turn(request_of, reset),
        answering(),
        answering(OK[:-30]),
        answering(OK[:-1]),
        answering(b"\x00\xff<<no http at all>>\r\n\r\n"),
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-encoding: gzip\r\n\r\n{}"),
    ],
    ids=[
        *("reset_before", "hangs_up_before", "reset_after", "hangs_up_after"),
        *("half_a_head", "half_a_body", "garbage", "false_gzip"),
    ],
)
def test_what_may_have_been_carried_out_is_unknown(http: Http, play: Play) -> None:
    """Otherwise the order is sent again without looking, and the CRM has it twice."""
    with host(play) as url, pytest.raises(OutcomeUnknown):
        post(http, url, body=b"x" * 1000)


@pytest.mark.parametrize("sent", ["told", "chunked", "untold"])
def test_an_answer_beyond_the_limit_ends(http: Http, sent: str) -> None:
    """Otherwise a CRM that answers with its whole database ends the worker."""
    size = ANSWER_LIMIT + 1
    head, body = {
        "told": (f"content-length: {size}", b"x" * size),
        "chunked": ("transfer-encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size)),
        "untold": ("connection: close", b"x" * size),
    }[sent]
    play = answering(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode(), body)
    with host(play) as url, pytest.raises(OutcomeUnknown, match=str(ANSWER_LIMIT)):
        get(http, url)


def test_an_answer_at_the_limit_is_read(http: Http) -> None:
    """Otherwise the longest list that is allowed is not."""
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {ANSWER_LIMIT}\r\n\r\n".encode()
    with host(answering(head, b"x" * ANSWER_LIMIT)) as url:
        assert len(get(http, url).body) == ANSWER_LIMIT


@pytest.mark.parametrize("times", [1, 2])
def test_a_gzip_bomb_ends_before_it_fills_the_memory(http: Http, times: int) -> None:
    """Otherwise a few kilobytes from a broken gateway take the worker's memory, and the worker."""
    body, encodings = b"\x00" * 256 * 1024 * 1024, ", ".join(["gzip"] * times)
    for _ in range(times):
        body = gzip.compress(body)
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encodings}\r\ncontent-length: {len(body)}\r\n\r\n"
    with host(answering(head.encode(), body)) as url:
        tracemalloc.start()
        try:
            with pytest.raises(OutcomeUnknown):
                get(http, url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4 * ANSWER_LIMIT


def test_after_an_answer_that_was_cut_off_the_next_one_is_whole(http: Http) -> None:
    """Otherwise the rest of one customer's answer is read as the beginning of another's."""
    size = ANSWER_LIMIT * 2
    with host(answering(f"HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n".encode(), b"x" * size)) as url:
        with pytest.raises(OutcomeUnknown):
            get(http, url)
        with host(answering(OK)) as other:
            assert get(http, other).body == b"{}"
        with pytest.raises(OutcomeUnknown):
            get(http, url)


def test_a_connection_that_the_host_closed_meanwhile_is_not_used_again(http: Http) -> None:
    """Otherwise each pause between two orders makes an order whose outcome nobody knows."""
    opened: list[int] = []
    closed = threading.Event()

    def one_answer(connection: socket.socket) -> None:
        opened.append(1)
        answering(OK)(connection)
        connection.close()
        closed.set()

    with host(one_answer) as url:
        post(http, url)
        assert closed.wait(60)
        assert post(http, url).status == 200
    assert len(opened) == 2


def test_a_redirect_is_an_answer_like_others(http: Http) -> None:
    """Otherwise the token goes to whatever host a login page is on."""
    seen: list[bytes] = []
    with host(lambda connection: seen.append(request_of(connection))) as elsewhere:
        away = f"HTTP/1.1 302 Found\r\nlocation: {elsewhere}/\r\ncontent-length: 0\r\n\r\n".encode()
        with host(answering(away)) as url:
            assert get(http, url).status == 302
    assert seen == []


def test_the_environment_names_no_proxy(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a variable that somebody set for pip sends customers' data through their proxy."""
    seen: list[bytes] = []
    with host(lambda connection: seen.append(request_of(connection))) as proxy, host(answering(OK)) as url:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert get(http, url).status == 200
    assert seen == []


def test_a_header_that_cannot_be_sent_left_nothing(http: Http) -> None:
    """Otherwise a token that was pasted with its line end makes orders whose outcome is probed for a day."""
    seen: list[bytes] = []
    with host(lambda connection: seen.append(request_of(connection))) as url:
        for token in ("token\n", "tökén"):
            request = Request("POST", f"{url}/x", {"authorization": f"Bearer {token}"}, {}, b"{}")
            with pytest.raises(Unreachable):
                http.send(request, 2.0)
    assert not any(seen)


def test_every_thread_has_connections_of_its_own(http: Http) -> None:
    """Otherwise one thread's slow answer is another's deadline, and a shared pool slows all of them down."""
    peers: set[object] = set()
    together = threading.Barrier(4, timeout=60)

    def seen(connection: socket.socket) -> None:
        peers.add(connection.getpeername())
        keeps_open(connection)

    def work(url: str) -> None:
        together.wait()
        answers.extend(get(http, url).status for _ in range(3))

    answers: list[int] = []
    with host(seen) as url:
        threads = [threading.Thread(target=work, args=(url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        http.close()
    assert answers == [200] * 12
    assert len(peers) == 4, "one connection for each thread, kept from call to call"
