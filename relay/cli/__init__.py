"""The commands, each a few lines: what they do is beside this folder or in the layers below."""

from __future__ import annotations

import click

from relay.cli import connections, events, forget, privacy, reconcile, running, vendors
from relay.options import OneLine


@click.group(cls=OneLine, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """CRM Relay: webhooks in, CRM records out, each exactly once.

    Begin with `relay up`, which runs everything here in this terminal, or with `relay demo`.
    """


for _command in (
    *(running.up, running.demo, running.migrate_ledger, running.run_sandbox),
    *(events.preview, events.send, events.list_events, events.list_deliveries, events.replay),
    *(connections.list_connections, forget.forget, privacy.purge, privacy.keys),
    *(vendors.check, vendors.list_operations, vendors.list_capabilities, vendors.call),
    reconcile.reconcile,
):
    main.add_command(_command)
