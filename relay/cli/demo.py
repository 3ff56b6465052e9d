"""The command that shows a newcomer what CRM Relay does."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from relay.demo import run_demo
from relay.options import env_file, environ_with, workers_option
from relay.stack import only_one, prepare, start
from relay.supervisor import Supervisor


@click.command(short_help="Run everything and send three sample events.")
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
