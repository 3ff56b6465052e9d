"""Runs the sandbox on a real socket, for good or for the length of a test."""

import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, ClassVar

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.app import create_app
from sandbox.store import Store
from sandbox.vendor import Credentials, Options

LOOPBACK = "127.0.0.1"


class KeepAliveHandler(WSGIRequestHandler):
    """Answers several requests on one connection, which Werkzeug's own handler never does."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # A subclass made for each server gives it a set of its own.
    open_connections: ClassVar[set[socket.socket]]

    def setup(self) -> None:
        """Remember the connection for as long as it is open."""
        super().setup()
        self.open_connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.open_connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """Read the whole request, run the application and write its answer."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        terminated = environ.get("wsgi.input_terminated", False)
        body = environ["wsgi.input"].read() if terminated else self.rfile.read(length)
        if not terminated and len(body) < length:
            # The client died while it sent this: no server takes half a request for a whole one.
            self.close_connection = True
            return
        # An unread rest would be taken for the next request of the same connection.
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        try:
            self._answer(environ)
        except ConnectionError:
            self.close_connection = True

    def _answer(self, environ: dict[str, Any]) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: object = None
        ) -> Callable[..., None]:
            started.append((status, headers))
            return self._write

        parts = self.server.app(environ, start_response)
        try:
            pending = True
            for part in parts:
                if pending:
                    self._write_head(*started[-1])
                    pending = False
                self._write(part)
            if pending:
                self._write_head(*started[-1])
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _write_head(self, status: str, headers: list[tuple[str, str]]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: the journal of the control endpoints shows the requests."""


@dataclass(frozen=True)
class Running:
    """A sandbox that is being served; `url` has no slash at its end."""

    url: str
    store: Store


def serve(
    host: str, port: int, store_path: str, credentials: Credentials, options: Options | None = None
) -> None:
    """Serve until the process is interrupted; `store_path` is the SQLite file or ":memory:".

    Raises ValueError for bad credentials or options, OSError when the address is taken.
    """
    store = Store(store_path)
    try:
        with _listening(host, port, store, credentials, options) as server:
            server.serve_forever()
    finally:
        store.close()


@contextmanager
def running(
    credentials: Credentials, options: Options | None = None, store: Store | None = None
) -> Iterator[Running]:
    """Serve on a free loopback port in a thread; without a store, one in memory is used and closed."""
    used = Store(":memory:") if store is None else store
    try:
        with _listening(LOOPBACK, 0, used, credentials, options) as server:
            # The default poll of half a second would make every test wait at its end.
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
            thread.start()
            try:
                yield Running(f"http://{LOOPBACK}:{server.port}", used)
            finally:
                server.shutdown()
                thread.join()
    finally:
        if store is None:
            used.close()


@contextmanager
def _listening(
    host: str, port: int, store: Store, credentials: Credentials, options: Options | None
) -> Iterator[BaseWSGIServer]:
    app = create_app(store, credentials, options)
    connections: set[socket.socket] = set()
    handler = type("Handler", (KeepAliveHandler,), {"open_connections": connections})
    server = make_server(host, port, app, threaded=True, request_handler=handler)
    try:
        yield server
    finally:
        server.server_close()
        # A kept-alive connection would go on being answered by a server that is said to be down.
        for connection in list(connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
