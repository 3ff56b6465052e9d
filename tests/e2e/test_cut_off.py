"""A host that vanishes: its cable is pulled while it works on the ledger. Needs root and network namespaces."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest
from sqlalchemy import text

from chaos.namespace import Host, why_not
from chaos.postgres import Postgres, url_at
from chaos.processes import ROOT, DidNotRun
from worker.errors import LedgerUnavailable
from worker.ledger.database import Database

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can be run")

#: Seconds within which both ends must have noticed: the line's own ten, and a busy machine. Else it is two hours.
NOTICED = 100.0
#: Holds a row's lock, says so, and goes on when its standard input ends: with a statement that nobody will hear.
HOLDER = """
import sys, time
from sqlalchemy import text
from worker.errors import LedgerUnavailable
from worker.ledger.database import Database

db = Database(sys.argv[1])
try:
    with db.write() as c:
        c.execute(text("SELECT name FROM thing WHERE name = 'x' FOR UPDATE"))
        print("held", flush=True)
        sys.stdin.read()
        c.execute(text("SELECT 1"))
except LedgerUnavailable as error:
    print(f"unavailable: {error}", flush=True)
"""


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    made.open()
    yield made
    made.close()


@pytest.fixture
def postgres(tmp_path: Path, host: Host) -> Iterator[Postgres]:
    try:
        server = Postgres(tmp_path, (host.inner.address, host.inner.net))
    except DidNotRun as error:
        pytest.skip(str(error))
    yield server
    server.close()


def locked(db: Database) -> bool:
    """Say whether the row is locked; a look takes up to the lock's own time."""
    try:
        with db.write() as c:
            c.execute(text("SELECT name FROM thing WHERE name = 'x' FOR UPDATE"))
    except LedgerUnavailable:
        return True
    return False


@pytest.mark.timeout(400)
def test_both_ends_notice_a_pulled_cable(host: Host, postgres: Postgres) -> None:
    """If this fails, a vanished host's locks stop all workers for 2 hours, and its own threads hang for minutes."""
    db = Database(postgres.url, threads=2)
    with db.write() as c:
        c.execute(text("CREATE TABLE thing (name text)"))
        c.execute(text("INSERT INTO thing VALUES ('x')"))
    argv = [sys.executable, "-c", HOLDER, url_at(postgres.port, host.inner.address)]
    with subprocess.Popen(host.inside(argv), stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        try:
            assert holder.stdout.readline() == "held\n"
            assert locked(db)
            host.inner.cut()
            cut = time.monotonic()
            holder.stdin.close()
            while locked(db):
                assert time.monotonic() - cut < NOTICED, "the lock of a host that is gone still stands"
            assert holder.wait(max(1.0, NOTICED - (time.monotonic() - cut))) == 0
            assert holder.stdout.readline().startswith("unavailable: ")
        finally:
            holder.kill()
            db.close()
