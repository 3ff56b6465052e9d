"""How a row wants its stand, and the configuration that comes of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from chaos.namespace import Host
from chaos.processes import ROOT
from chaos.senders import SECRETS
from relay.ports import HOST, free_port

#: What the example configuration has not: a second shop, and a form whose leads go to one CRM alone.
_MORE = """
[sources.woo]
type = "woocommerce"
secret_env = "WOO_SECRET"

[sources.campaign]
type = "form"

[[routes]]
source = "woo"
to = ["opla", "centia", "office", "overplane", "crmtop"]

[[routes]]
source = "campaign"
to = ["opla"]
"""
#: Threads of each of the two workers: enough for all CRMs at once, little enough for two cores.
THREADS = 16


@dataclass(frozen=True, slots=True)
class Build:
    """How a row wants its stand.

    `host` is where worker 2 runs, if not here. `swallowed` puts the ledger and the broker of worker 2 behind
    proxies, `proxied_broker` that of everybody. `ledger_folder` is where the SQLite ledger lies, if not in the
    row's own folder; `worker_1` goes into the environment of worker 1. `search_lag`, and the `timeout` of a call to
    a CRM, are in seconds; a dead worker's deliveries are taken over 10 s after the timeout.
    """

    postgresql: bool = False
    proxied_broker: bool = False
    swallowed: bool = False
    host: Host | None = None
    ledger_folder: Path | None = None
    worker_1: Mapping[str, str] = field(default_factory=dict)
    search_lag: float = 0.0
    timeout: float = 10.0


def environment(folder: Path, build: Build) -> dict[str, str]:
    """Write the configuration of a stand into `folder` and return what its processes have in their environment."""
    config = folder / "relay.toml"
    example = (ROOT / "relay.toml").read_text("utf-8")
    timed = re.sub(r'^vendor = "\w+"$', rf"\g<0>\ntimeout_seconds = {build.timeout}", example, flags=re.M)
    config.write_text(timed + _MORE, "utf-8")
    (folder / "broker").mkdir(exist_ok=True)
    broker = free_port()
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    env |= {name: value or "" for name, value in dotenv_values(ROOT / "demo.env").items()}
    return env | {
        "HOME": str(folder),
        **SECRETS,
        "RELAY_CONFIG": str(config),
        "RELAY_VAR": str(folder),
        "RELAY_THREADS": str(THREADS),
        "RELAY_SANDBOX_URL": f"http://{HOST}:{free_port()}",
        "PORT": str(free_port()),
        "BROKER_PORT": str(broker),
        "RELAY_BROKER_URL": f"redis://{HOST}:{broker}/0",
        "RELAY_DATABASE_URL": f"sqlite:///{(build.ledger_folder or folder) / 'ledger.sqlite'}",
    }
