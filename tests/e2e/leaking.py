"""The stage for the search for secrets: CRMs that echo what they are sent, a Sentry, and faults in our own code."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.running import EXAMPLE, ROOT

#: What the environment holds; recognisable, and with signs that URLs, JSON and base64 write otherwise.
SECRETS = {
    "SHOP_SECRET": "shop/K3y+Z&1 signs",
    "INBOX_TOKEN": "inb0x-T0ken%/+?",
    "OPLA_TOKEN": "0pla-bearer-7f3a9c",
    "OVERPLANE_TOKEN": "0verplane:k3y-5512",
    "CENTIA_PASSWORD": 'c3ntia"pa\\ss/word',
    "OFFICE_PASSWORD": "0ffice pass+phrase",
    "CRMTOP_CLIENT_SECRET": "crmt0p-cl1ent-s3cret",
    "FLOWER_PASSWORD": "fl0wer-passw0rd",
}
NO_SECRETS = {
    "CENTIA_EMAIL": "relay@example.com",
    "OFFICE_EMAIL": "relay@example.com",
    "CRMTOP_CLIENT_ID": "crmtop",
}
#: What every login of the echoing CRMs hands out, and the key in the address of Sentry.
HANDED_OUT = "handed-out-t0ken-91c2"

#: Loaded by every Python process of the run: one call in six fails with all that it knows, as a bug of ours would.
FAULTS = """
import itertools, os
if os.environ.get("RELAY_CONFIG"):
    import webhooks.receiver as receiver
    import worker.http as http
    import worker.steps as steps

    count = itertools.count(1)
    send, whole_body = http.Http.send, receiver.whole_body

    def bad_send(self, request, seconds):
        if next(count) % 6 == 0:
            raise RuntimeError(f"a bug: {request}")
        return send(self, request, seconds)

    def bad_body(limit):
        body = whole_body(limit)
        if b"crash-the-door" in body:
            asked = receiver.request
            raise RuntimeError(f"a bug: {asked.url} {dict(asked.headers)} {body!r}")
        return body

    http.Http.send, receiver.whole_body = bad_send, bad_body
"""


@dataclass
class Stage:
    """The servers of one run: what they were sent, and how the CRMs answer."""

    crm: str
    dsn: str
    envelopes: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def stage() -> Iterator[Stage]:
    """Run the CRMs and Sentry on loopback."""
    found = Stage("", "")

    class Crm(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
            found.asked.append(self.path)
            echo = f"{self.command} {self.path} {dict(self.headers)} {body}"
            status, content = reply(self.path, len(found.asked), echo)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Sentry(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            packed = self.headers.get("content-encoding") == "gzip"
            found.envelopes.append(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler) for handler in (Crm, Sentry)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    found.crm = f"http://127.0.0.1:{servers[0].server_port}"
    found.dsn = f"http://public@127.0.0.1:{servers[1].server_port}/1"
    try:
        yield found
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def reply(path: str, number: int, echo: str) -> tuple[int, bytes]:
    """Return what a CRM says: a token to who logs in, else a refusal that repeats the whole request."""
    if any(word in path.lower() for word in ("login", "authenticat", "token")):
        given = {"token": HANDED_OUT, "access_token": HANDED_OUT, "expires": "2099-01-01T00:00:00"}
        return 201, json.dumps({"success": True, "data": given, "response": given, **given}).encode()
    if number % 3 == 0:
        return 500, echo.encode()
    if number % 3 == 1:
        return 422, json.dumps({"success": False, "message": echo, "errors": {"name": [echo]}}).encode()
    return 200, f"<html>{echo}</html>".encode()


def configuration(folder: Path, crm: str) -> str:
    """Write the example configuration with all CRMs at the address `crm`; return its path."""
    text = (ROOT / "relay.toml").read_text("utf-8")
    for connection in EXAMPLE.connections.values():
        path = connection.base_url.partition("://")[2].partition("/")[2]
        text = text.replace(connection.base_url, f"{crm}/{connection.vendor}/{path}".rstrip("/"))
    own = folder / "own.toml"
    own.write_text(
        text.replace('secret_env = ["SHOP_SECRET", "SHOP_SECRET_OLD"]', 'secret_env = "SHOP_SECRET"')
    )
    return str(own)
