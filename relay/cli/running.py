"""`relay up`, which runs everything, and `relay migrate`, which must run before a new release."""

from __future__ import annotations

from pathlib import Path

import click

from relay.options import env_file, environ_with, workers_option
from relay.stack import only_one, prepare, start
from relay.supervisor import Supervisor
from relay.welcome import welcome
from worker.ledger.database import Database
from worker.ledger.migrate import migrate
from worker.settings.configuration import load


@click.command(short_help="Run everything in this terminal.")
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


@click.command("migrate", short_help="Bring the ledger's tables to this version.")
@env_file
def migrate_ledger(env_file: Path | None) -> None:
    """Bring the ledger's tables to this version; run it before the processes of a new release."""
    db = Database(load(environ_with(env_file)).database_url, threads=1)
    migrate(db)
    click.echo("the ledger is current")
