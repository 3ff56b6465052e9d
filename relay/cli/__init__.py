"""The commands, each a few lines: what they do is beside this folder or in the layers below."""

from __future__ import annotations

from importlib import import_module

import click

from relay.options import OneLine

#: Where each command is. Only the one that is named is loaded: all together take longer than most of them run.
COMMANDS = {
    "call": "vendors:call",
    "capabilities": "vendors:list_capabilities",
    "check": "vendors:check",
    "connections": "connections:list_connections",
    "deliveries": "events:list_deliveries",
    "demo": "demo:demo",
    "events": "events:list_events",
    "forget": "forget:forget",
    "keys": "privacy:keys",
    "migrate": "running:migrate_ledger",
    "operations": "vendors:list_operations",
    "preview": "events:preview",
    "purge": "privacy:purge",
    "reconcile": "reconcile:reconcile",
    "replay": "events:replay",
    "sandbox": "sandbox:run_sandbox",
    "send": "events:send",
    "up": "running:up",
}


class Commands(OneLine):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"relay.cli.{module}"), name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """CRM Relay: webhooks in, CRM records out, each exactly once.

    Begin with `relay up`, which runs everything here in this terminal, or with `relay demo`.
    """
