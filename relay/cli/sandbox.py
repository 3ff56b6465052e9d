"""The command that plays the CRMs."""

from __future__ import annotations

from pathlib import Path

import click

from relay.options import env_file, environ_with
from relay.ports import require_free
from sandbox.server import serve
from worker.settings.configuration import load


@click.command("sandbox", short_help="Run the sandbox that simulates the CRMs.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8900, show_default=True, help="Listens on loopback."
)
@click.option(
    "--search-lag",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Seconds by which searches lag behind.",
)
@env_file
def run_sandbox(port: int, search_lag: float, env_file: Path | None) -> None:
    """Run the CRMs' sandbox alone. It accepts the credentials that the connections of relay.toml have."""
    settings = load(environ_with(env_file))
    require_free(port, "--port")
    credentials: dict[str, list[dict[str, str]]] = {}
    for connection in settings.connections.values():
        credentials.setdefault(connection.vendor, []).append(dict(connection.secrets))
    settings.var.mkdir(parents=True, exist_ok=True)
    options = {"*": {"search_lag_ms": round(search_lag * 1000)}}
    serve("127.0.0.1", port, str(settings.var / "sandbox.sqlite"), credentials, options)
