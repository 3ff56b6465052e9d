"""Plays Mercado Libre on a real socket: tokens of six hours, and refresh tokens that are good for one use."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.conftest import Clock
from worker.settings import SourceSettings, TokenRenewal

APP, SECRET, FIRST = "5503910054141466", "app-secret-of-the-seller", "TG-first-468424240"
USED = {
    "error": "invalid_grant",
    "error_description": "Error validating grant. Your refresh token may be expired or it was already used.",
}
QUESTION = {
    "id": 5036111111,
    "item_id": "MLA1101",
    "status": "UNANSWERED",
    "text": "¿Tienen en talle L?",
    "date_created": "2026-03-02T09:51:05.000-04:00",
    "from": {"id": 98765432},
}


class Seller:
    """What is allowed now, and what was asked for. `faults` are answers that are given instead, in turn."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.refresh = {FIRST}
        self.secret = SECRET
        self.access: dict[str, datetime] = {}
        self.grants = 0
        self.posts: list[dict[str, str]] = []
        self.reads: list[str] = []
        self.faults: list[tuple[int, Any]] = []
        self.seconds = 0.0
        self.url = ""
        self._lock = threading.Lock()

    def renew(self, form: dict[str, str]) -> tuple[int, Any]:
        """Return what a post to /oauth/token is answered with."""
        with self._lock:
            self.posts.append(form)
            time.sleep(self.seconds)
            if self.faults:
                return self.faults.pop(0)
            if (form["client_id"], form["client_secret"]) != (APP, self.secret):
                return 400, {"error": "invalid_client"}
            kind, spent = form["grant_type"], form.get("refresh_token", "")
            if kind == "refresh_token" and spent not in self.refresh:
                return 400, USED
            self.refresh.discard(spent)
            self.grants += 1
            access, following = f"APP_USR-access-{self.grants}", f"TG-following-{self.grants}"
            self.access[access] = self.clock() + timedelta(hours=6)
            given = {"access_token": access, "token_type": "Bearer", "expires_in": 21600}
            if kind == "refresh_token":
                self.refresh.add(following)
                given["refresh_token"] = following
            return 200, given

    def read(self, proof: str) -> tuple[int, Any]:
        """Return what a read is answered with."""
        self.reads.append(proof)
        until = self.access.get(proof.removeprefix("Bearer "))
        return (
            (200, QUESTION) if until and until > self.clock() else (401, {"message": "invalid access token"})
        )

    def source(self, name: str = "market", first: str = FIRST, secret: str = SECRET) -> SourceSettings:
        """Return the source of its notifications, as relay.toml and the environment would describe it."""
        url = f"{self.url}/oauth/token"
        renewal = TokenRenewal(url, APP, timedelta(hours=6), client_secret=secret, first=first)
        return SourceSettings(name, "mercado_libre", (), {}, api_url=self.url, renewal=renewal)


@contextmanager
def selling(clock: Clock) -> Iterator[Seller]:
    """Serve a seller until the end of the block."""
    seller = Seller(clock)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer(*seller.renew({name: values[0] for name, values in parse_qs(body).items()}))

        def do_GET(self) -> None:
            self._answer(*seller.read(self.headers["authorization"]))

        def _answer(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seller.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield seller
    server.shutdown()
    server.server_close()
