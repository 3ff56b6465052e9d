"""The commands that run something: everything, the demo, the sandbox alone, and what must run before."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from relay.demo import run_demo
from relay.options import env_file, environ_with, workers_option
from relay.stack import only_one, prepare, start
from relay.supervisor import Supervisor
from relay.welcome import welcome
from sandbox.server import serve
from worker.configuration import load
from worker.ledger.database import Database
from worker.ledger.migrate import migrate


@click.command()
@click.option(
    "--no-sandbox", is_flag=True, help="Deliver to the CRMs of relay.toml, not to the local sandbox."
)
@workers_option
@env_file
def up(no_sandbox: bool, workers: int, env_file: Path | None) -> None:
    """Run everything in this terminal: receiver, workers, Flower, broker, ledger and the CRM sandbox."""
    stack = prepare(environ_with(env_file), with_sandbox=not no_sandbox, workers=workers)
    supervisor = Supervisor(stack.environ)
    with only_one(stack.settings.var), supervisor.signals():
        try:
            start(stack, supervisor)
        except KeyboardInterrupt:
            return
        click.echo(welcome(stack))
        supervisor.watch()


@click.command()
@workers_option
@env_file
def demo(workers: int, env_file: Path | None) -> None:
    """Run everything, send a lead, an order and a support e-mail twice each, and show where they went."""
    stack = prepare(environ_with(env_file), with_sandbox=True, workers=workers)
    supervisor = Supervisor(stack.environ, quiet=True)
    with only_one(stack.settings.var), supervisor.signals():
        start(stack, supervisor)
        worked = run_demo(stack, supervisor)
    sys.exit(0 if worked else 1)


@click.command("migrate")
@env_file
def migrate_ledger(env_file: Path | None) -> None:
    """Bring the ledger's tables to this version; run it before the processes of a new release."""
    db = Database(load(environ_with(env_file)).database_url, threads=1)
    migrate(db)
    click.echo("the ledger is current")


@click.command("sandbox")
@click.option("--port", default=8900, show_default=True)
@click.option("--search-lag", default=0.0, show_default=True, help="Seconds by which searches lag behind.")
@env_file
def run_sandbox(port: int, search_lag: float, env_file: Path | None) -> None:
    """Run the CRMs' sandbox alone. It takes the credentials that the connections of relay.toml have."""
    settings = load(environ_with(env_file))
    credentials: dict[str, list[dict[str, str]]] = {}
    for connection in settings.connections.values():
        credentials.setdefault(connection.vendor, []).append(dict(connection.secrets))
    settings.var.mkdir(parents=True, exist_ok=True)
    options = {"*": {"search_lag_ms": round(search_lag * 1000)}}
    serve("127.0.0.1", port, str(settings.var / "sandbox.sqlite"), credentials, options)
