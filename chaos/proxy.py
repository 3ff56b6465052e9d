"""A TCP proxy on loopback that can swallow what passes: connections stay open and nothing ever arrives."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

HOST = "127.0.0.1"
_PIECE = 65536


class _Link:
    """One connection through the proxy: both of its ends, and whether it still passes anything on."""

    def __init__(self, near: socket.socket, far: socket.socket | None) -> None:
        self.near = near
        self.far = far
        self.is_dead = far is None

    def close(self) -> None:
        for end in (self.near, self.far):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()


class Proxy:
    """Passes connections to its port on to what `connect` opens.

    `swallow` makes all connections of now half open for ever: what is sent on them is taken and nothing comes back,
    as after a firewall has forgotten them. While the line is `cut`, new ones are so, too; `mend` lets new ones pass
    and closes those that were cut, as a host does that is reached again.
    """

    def __init__(self, connect: Callable[[], socket.socket], address: str = HOST) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._links: list[_Link] = []
        self._is_cut = False
        self._listener = socket.create_server((address, 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, name=f"proxy {self.port}", daemon=True).start()

    def swallow(self) -> int:
        """Make every connection of now half open; return how many those are."""
        with self._lock:
            alive = [link for link in self._links if not link.is_dead]
            for link in alive:
                link.is_dead = True
        return len(alive)

    def cut(self) -> int:
        """Swallow everything, also what is connected from now on; return how many connections there were."""
        self._is_cut = True
        return self.swallow()

    def mend(self) -> None:
        """Let new connections pass again, and close the dead ones."""
        self._is_cut = False
        with self._lock:
            dead = [link for link in self._links if link.is_dead]
        for link in dead:
            link.close()

    def close(self) -> None:
        """Close the port and all connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                far = None if self._is_cut else self._connect()
            except OSError:
                near.close()
                continue
            link = _Link(near, far)
            with self._lock:
                self._links.append(link)
            self._pump(link, near, far)
            if far is not None:
                self._pump(link, far, near)

    def _pump(self, link: _Link, source: socket.socket, target: socket.socket | None) -> None:
        threading.Thread(target=self._pass, args=(link, source, target), daemon=True).start()

    def _pass(self, link: _Link, source: socket.socket, target: socket.socket | None) -> None:
        """Pass on what comes from `source`; what comes on a dead link is read and forgotten."""
        while True:
            try:
                data = source.recv(_PIECE)
                if data and not link.is_dead and target is not None:
                    target.sendall(data)
            except OSError:
                data = b""
            if data:
                continue
            # The near side has gone: nobody waits any more. The far side of a dead link may go unnoticed.
            if not link.is_dead or source is link.near:
                link.close()
                with self._lock, contextlib.suppress(ValueError):
                    self._links.remove(link)
            return


def to_port(port: int) -> Callable[[], socket.socket]:
    """Return what connects to `port` of this machine."""
    return lambda: socket.create_connection((HOST, port), timeout=5)
