"""One request to a vendor: bounded in time and in size, and every failure sorted by whether it left us."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, cast

import httpcore
import httpx

from worker.errors import Interrupted, OutcomeUnknown, PutBack, Unreachable

#: Bytes of an answer that we read. The longest documented list holds 500 records.
ANSWER_LIMIT = 8 * 1024 * 1024
CONNECT_SECONDS = 5.0
WRITE_SLICE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `body` is ready bytes."""

    verb: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


#: What is raised before the first byte of a request leaves; the last three mean a wrong address or credential.
_NOTHING_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
    UnicodeEncodeError,
)


class Http:
    """Sends requests with a transport of its own for every thread.

    A shared one costs time in proportion to its pool on every request, and one made before a fork shares sockets
    with its parent; so each thread makes its own when it first needs one.
    """

    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        self._given = transport
        self._local = threading.local()
        self._transports: list[httpx.BaseTransport] = []
        self._deadlines: list[Deadline] = []
        self._cut = threading.Event()
        self._tls = _trusted() if transport is None else None

    def send(self, request: Request, seconds: float) -> Answer:
        """Return the answer to `request`, whatever its status, within `seconds` in all.

        Raises Unreachable where nothing left us, OutcomeUnknown where it may have: the caller knows whether
        the request changes anything. After `cut`: PutBack and Interrupted.
        """
        if self._cut.is_set():
            raise _stopping()
        transport, limits = self._transport(seconds)
        # Unpacked by us a few kilobytes may become gigabytes, so we ask for an answer as it is.
        headers = {"user-agent": "crm-relay", **request.headers, "accept-encoding": "identity"}
        try:
            # The transport and not a Client: what that adds (cookies, redirects, auth, events) we want none of, and
            # it costs as much as the call.
            address = _address(request.url)
            if request.query:
                address = address.copy_merge_params(request.query)
            wanted = httpx.Request(
                request.verb, address, headers=headers, content=request.body, extensions={"timeout": limits}
            )
            response = transport.handle_request(wanted)
            try:
                return Answer(response.status_code, response.headers, _bounded(response))
            finally:
                response.close()
        except _NOTHING_LEFT as error:
            if self._cut.is_set():
                raise _stopping() from error
            raise Unreachable(f"not sent: {_said(error)}") from error
        except httpx.HTTPError as error:
            if self._cut.is_set():
                raise Interrupted("no answer until the worker had to stop") from error
            raise OutcomeUnknown(f"no whole answer: {_said(error)}") from error

    def cut(self) -> None:
        """End the calls that are under way, in whichever threads, and begin no other."""
        self._cut.set()
        for deadline in self._deadlines:
            deadline.cut()

    def close(self) -> None:
        """Close the connections of all threads."""
        for transport in self._transports:
            transport.close()

    def _transport(self, seconds: float) -> tuple[httpx.BaseTransport, dict[str, float]]:
        local = self._local
        if not hasattr(local, "transport"):
            local.deadline = Deadline()
            local.transport = self._given or _new_transport(self._tls, local.deadline)
            self._transports.append(local.transport)
            self._deadlines.append(local.deadline)
        local.deadline.set(seconds)
        connect = min(CONNECT_SECONDS, seconds)
        limits = {"connect": connect, "read": seconds, "write": seconds, "pool": seconds}
        return local.transport, limits


@lru_cache(256)
def _address(url: str) -> httpx.URL:
    # Parsing one takes a tenth of a call, and most calls go to a handful of addresses.
    return httpx.URL(url)


def _stopping() -> PutBack:
    return PutBack("the worker is stopping", timedelta(0))


class Deadline:
    """When the exchange must be over, on the monotonic clock, and the connection that it goes over."""

    def __init__(self) -> None:
        self._at = 0.0
        self.stream: httpcore.NetworkStream | None = None

    def set(self, seconds: float) -> None:
        """Let it be `seconds` from now."""
        self._at = time.monotonic() + seconds

    def cut(self) -> None:
        """Let it be now, also for a thread that waits for the other side."""
        sock: socket.socket | None = self.stream.get_extra_info("socket") if self.stream else None
        if sock is not None:
            # That of socket.socket, for TLS too: the TLS one would change the connection under its reader.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def left(self, timeout: float | None) -> float:
        """Return `timeout`, or less where less is left. Raises httpcore.ReadTimeout when nothing is."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the total deadline of the call has passed")
        return left if timeout is None else min(left, timeout)


# Once for the process: to read the certificates of a machine takes a tenth of a second.
@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _new_transport(tls: ssl.SSLContext | None, deadline: Deadline) -> httpx.HTTPTransport:
    # httpx bounds each read but not their sum: a host that drips a byte a second would hold a thread for ever.
    # httpcore takes a network backend for that; httpx has no argument for it, hence the private attribute.
    transport = httpx.HTTPTransport(verify=tls or True, limits=httpx.Limits(max_connections=2))
    transport._pool = httpcore.ConnectionPool(
        ssl_context=tls, max_connections=2, keepalive_expiry=5.0, network_backend=_Backend(deadline)
    )
    return transport


class _Backend(httpcore.SyncBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*args, **kwargs), self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline
        deadline.stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._deadline.stream = self._stream
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In slices: one write may be many sends, each with the whole time-out, to a host that reads slowly.
        for start in range(0, len(buffer), WRITE_SLICE):
            self._stream.write(buffer[start : start + WRITE_SLICE], self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _bounded(response: httpx.Response) -> bytes:
    packed = response.headers.get("content-encoding", "identity").lower()
    if packed != "identity":
        raise httpx.DecodingError(f"the answer is compressed as {packed[:40]!r}, which was not asked for")
    parts, size = [], 0
    for chunk in cast(httpx.SyncByteStream, response.stream):
        size += len(chunk)
        if size > ANSWER_LIMIT:
            raise httpx.ReadError(f"the answer is longer than {ANSWER_LIMIT} bytes")
        parts.append(chunk)
    return b"".join(parts)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
