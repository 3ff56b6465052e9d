"""Numbers on their way through `relay call`, the question at a terminal, and what workers share."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.cli.conftest import Change, Crm, Relay
from tests.cli.test_call import opla, product
from tests.e2e.running import RELAY
from tests.engine.harness import ROOT
from worker.ledger.database import Database
from worker.ledger.limits import used
from worker.ledger.migrate import migrate

ANSWER = b'{"id": "p1", "price": 19.90, "total": 12345678901234567.89, "note": "19.90 \xe2\x82\xac"}'


class Wire(BaseHTTPRequestHandler):
    """A CRM that remembers the bytes it got and answers with bytes of ours."""

    got: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.got.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(201)
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def wire() -> Iterator[str]:
    Wire.got.clear()
    with HTTPServer(("127.0.0.1", 0), Wire) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_number_leaves_and_comes_back_digit_for_digit(relay: Relay, wire: str, registry: Change) -> None:
    """Otherwise 19.90 becomes 19.9 or 19.899999999999999, and a script books the difference."""
    registry("oplacrm", opla("lead_create"))
    given = '{"price": 19.90, "total": 12345678901234567.89, "pieces": 3, "name": "€"}'
    done = relay("call", "opla", "lead_create", "--yes", "--json", given, RELAY_SANDBOX_URL=wire)
    assert done.exit_code == 0, done.stderr
    assert [body.decode() for body in Wire.got] == [given]
    assert done.stdout == (
        '{\n  "id": "p1",\n  "price": 19.90,\n  "total": 12345678901234567.89,\n  "note": "19.90 €"\n}\n'
    )


@pytest.mark.parametrize(("typed", "code", "calls"), [("y\n", 0, ["product_upsert"]), ("n\n", 2, [])])
def test_at_a_terminal_a_change_is_asked_for(
    environ: dict[str, str], crm: Crm, typed: str, code: int, calls: list[str]
) -> None:
    """Otherwise a command from the shell's history changes the CRM at one key."""
    ours, theirs = pty.openpty()
    env = {**environ, "PATH": os.environ["PATH"]}
    argv = [*RELAY, "call", "opla", "product_upsert", "--json", product(1)]
    with subprocess.Popen(argv, env=env, stdin=theirs, stdout=-1, stderr=-1, cwd=ROOT, text=True) as process:
        os.write(ours, typed.encode())
        out, err = process.communicate(timeout=200)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, bool(out)) == (code, not code), err
    assert f"product_upsert changes what opla holds ({crm.url}/oplacrm/api). Go on? [y/N]: " in err
    assert ("relay: nothing was sent" in err) == (not calls)
    assert crm.calls() == calls


def test_the_budget_is_the_one_that_the_workers_share(relay: Relay, tmp_path: Path) -> None:
    """Otherwise workers and an operator together call twice as often as the CRM allows."""
    text = (ROOT / "relay.toml").read_text("utf-8")
    config = tmp_path / "own.toml"
    config.write_text(text.replace('vendor = "oplacrm"', 'vendor = "oplacrm"\nrequests_per_second = 0.1'))
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    db = Database(url, threads=1)
    migrate(db)
    began = datetime.now(UTC)
    done = relay("call", "opla", "lead_list", RELAY_CONFIG=str(config), RELAY_DATABASE_URL=url)
    assert done.exit_code == 0, done.stderr
    next_at = used(db, "opla").next_at
    assert next_at is not None
    assert next_at - began >= timedelta(seconds=10), "the workers do not wait for what the command has used"
    db.close()


def test_the_token_is_the_one_that_the_workers_share(relay: Relay, crm: Crm, broker_url: str) -> None:
    """Otherwise each call logs in, and at some CRMs that ends the workers' session."""
    ask = ("call", "centia", "products_get_products", "--json", '{"profile_id": 1}')
    for _ in range(2):
        done = relay(*ask, RELAY_BROKER_URL=broker_url)
        assert (done.exit_code, done.stderr) == (0, "")
    assert crm.calls() == ["auth_login", "products_get_products", "products_get_products"]
