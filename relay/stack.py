"""What `relay up` runs: the broker, the sandbox, the receiver, the workers and Flower, on this machine."""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from relay.broker import broker_answers, broker_command, broker_url
from relay.ports import HOST, CannotStart, port_of, require_different
from relay.supervisor import READY_SECONDS, Child, Supervisor
from worker.ledger.database import Database
from worker.ledger.migrate import migrate
from worker.ledger.version import require_current
from worker.settings import Settings
from worker.settings.configuration import THREADS, load

#: Seconds for which one look at a child may last.
LOOK_SECONDS = 5.0
#: Our own processes are never behind a proxy, whatever the environment says.
_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Ports:
    """Where this run listens, all on loopback."""

    receiver: int
    flower: int
    sandbox: int


@dataclass(frozen=True)
class Stack:
    """One run: its settings as the children will see them, and its addresses."""

    settings: Settings
    environ: Mapping[str, str]
    ports: Ports
    with_sandbox: bool
    with_broker: bool  # an embedded one, where RELAY_BROKER_URL names none
    workers: int
    flower_password_at: str  # where it is: what is printed ends in logs

    @property
    def receiver_url(self) -> str:
        """Where senders post."""
        return f"http://{HOST}:{self.ports.receiver}"

    @property
    def sandbox_url(self) -> str:
        """Where the CRMs' sandbox is."""
        return f"http://{HOST}:{self.ports.sandbox}"

    @property
    def flower_url(self) -> str:
        """Where Flower is."""
        return f"http://{HOST}:{self.ports.flower}"


def prepare(environ: Mapping[str, str], with_sandbox: bool, workers: int) -> Stack:
    """Return what will run, with ports that are free. Raises CannotStart and SettingsError; starts nothing."""
    require_different(environ, {"PORT": 8000, "FLOWER_PORT": 5555, "SANDBOX_PORT": 8900})
    ports = Ports(
        receiver=port_of(environ, "PORT", 8000, strict=True),
        flower=port_of(environ, "FLOWER_PORT", 5555, strict="FLOWER_PORT" in environ),
        sandbox=port_of(environ, "SANDBOX_PORT", 8900, strict="SANDBOX_PORT" in environ),
    )
    inside = {name: value for name, value in environ.items() if name != "RELAY_SANDBOX_URL"}
    if with_sandbox:
        inside["RELAY_SANDBOX_URL"] = f"http://{HOST}:{ports.sandbox}"
    settings = load(inside)
    inside |= {
        "RELAY_CONFIG": str(settings.config_path.absolute()),
        "RELAY_VAR": str(settings.var),
        "RELAY_DATABASE_URL": settings.database_url,
        "RELAY_BROKER_URL": environ.get("RELAY_BROKER_URL") or broker_url(settings.var),
    }
    _make_private(settings.var)
    password_file = settings.var / "flower-password"
    password = environ.get("FLOWER_PASSWORD") or _kept_password(password_file)
    password_at = "of FLOWER_PASSWORD" if environ.get("FLOWER_PASSWORD") else f"in {password_file}"
    inside["FLOWER_BASIC_AUTH"] = f"relay:{password}"  # not as an argument: those are for all to see
    settings = replace(settings, broker_url=inside["RELAY_BROKER_URL"])
    with_broker = not environ.get("RELAY_BROKER_URL")
    return Stack(settings, inside, ports, with_sandbox, with_broker, workers, password_at)


def _make_private(var: Path) -> None:
    try:
        var.mkdir(parents=True, exist_ok=True)
        var.chmod(0o700)
    except OSError as error:
        raise CannotStart(f"{var} cannot be used as a folder ({error.strerror}); set RELAY_VAR") from error


@contextlib.contextmanager
def only_one(var: Path) -> Iterator[None]:
    """Hold the folder `var` for this run. Raises CannotStart where another run holds it."""
    with (var / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(
                f"{var} is in use by another `relay up`; set RELAY_VAR to another folder"
            ) from error
        yield


def start(stack: Stack, supervisor: Supervisor) -> None:
    """Start everything in order and wait until it is ready. Raises StartFailed, CannotStart, LedgerUnavailable."""
    url = stack.settings.broker_url
    if stack.with_broker:
        (stack.settings.var / "broker").mkdir(exist_ok=True)
        broker = broker_command(stack.settings.var, url)
        supervisor.start(Child("broker", broker, lambda: broker_answers(url), needed_by_others=True))
    db = Database(stack.settings.database_url, 1, stack.settings.encryption_keys)
    migrate(db)
    require_current(db)
    db.close()
    if stack.with_sandbox:
        sandbox = [sys.executable, "-m", "relay", "sandbox", "--port", str(stack.ports.sandbox)]
        is_up = f"{stack.sandbox_url}/_sandbox/"
        supervisor.start(Child("sandbox", sandbox, lambda: _answers(is_up), needed_by_others=True))
    supervisor.start(Child("web", _web(stack), lambda: _answers(f"{stack.receiver_url}/healthz")))
    began = datetime.now(UTC)
    for number in range(1, stack.workers + 1):
        supervisor.start(Child(f"worker{number}", _worker(stack, number), lambda: True))
    supervisor.wait(lambda: _swept_since(stack.receiver_url, began), READY_SECONDS, "no worker is ready")
    supervisor.start(Child("flower", _flower(stack), lambda: _hears_workers(stack.flower_url)))


def _web(stack: Stack) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "--config", "python:webhooks.server"),
        *("--bind", f"{HOST}:{stack.ports.receiver}", "webhooks.app:from_environment()"),
    ]


def _worker(stack: Stack, number: int) -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "--quiet", "-A", "worker.main", "worker", "-P", "threads"),
        "-E",  # Flower switches task events on by itself, but misses those of the first seconds
        *("-c", stack.environ.get("RELAY_THREADS") or str(THREADS), "-n", f"worker{number}@%h"),
        *("--without-gossip", "--without-mingle", "--loglevel", "ERROR"),
    ]


def _flower(stack: Stack) -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-b", stack.settings.broker_url, "flower"),
        *(f"--address={HOST}", f"--port={stack.ports.flower}", "--read_only=True", "--logging=warning"),
    ]


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=LOOK_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _hears_workers(flower_url: str) -> bool:
    """Say whether Flower has had an event of a worker: it answers before it listens, and what it missed is lost."""
    try:
        with _OPENER.open(f"{flower_url}/metrics", timeout=LOOK_SECONDS) as answer:
            return b"\nflower_worker_online{" in answer.read()
    except OSError:
        return False


def _swept_since(receiver_url: str, began: datetime) -> bool:
    try:
        with _OPENER.open(f"{receiver_url}/readyz", timeout=LOOK_SECONDS) as answer:
            swept = json.loads(answer.read())["last_sweep"]
    except (OSError, ValueError):
        return False
    return swept is not None and datetime.fromisoformat(swept) >= began.replace(microsecond=0)


def _kept_password(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12), "utf-8")
    return path.read_text("utf-8").strip()
