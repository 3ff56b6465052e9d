"""The commands about connections: how they stand, and closing or opening one by hand."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from relay import connections as standing
from relay.listing import as_json, as_table
from relay.names import connection_named
from relay.open_ledger import open_ledger
from relay.options import OneLine, as_json_option, env_file, environ_with
from relay.times import duration
from worker.ledger.database import Database
from worker.ledger.standing import hold, reset
from worker.settings import Settings
from worker.settings.configuration import load

#: Until somebody ends it.
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class Length(click.ParamType[timedelta]):
    """A length of time such as 2h."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return it; ends the command where it is none."""
        if isinstance(value, timedelta):
            return value
        try:
            found = duration(str(value))
        except ValueError as error:
            self.fail(f"{error}: write 90s, 30m, 2h or 1d", param, ctx)
        return found or self.fail("must be longer than 0 s", param, ctx)


def _opened(file: Path | None) -> tuple[Settings, Database]:
    settings = load(environ_with(file))
    return settings, open_ledger(settings)


@click.group(
    "connections",
    cls=OneLine,
    invoke_without_command=True,
    short_help="Show how each CRM stands and what waits for it.",
)
@as_json_option
@env_file
@click.pass_context
def list_connections(ctx: click.Context, json_: bool, env_file: Path | None) -> None:
    """Show how every connection stands: open or closed and why, what waits, when the backlog is gone."""
    ctx.obj = env_file
    if ctx.invoked_subcommand is None:
        settings, db = _opened(env_file)
        rows = standing.rows(settings, db, datetime.now(UTC))
        click.echo(as_json(rows) if json_ else as_table(rows, standing.COLUMNS))


@list_connections.command("reset", short_help="Use a connection again at once.")
@click.argument("name")
@env_file
@click.pass_context
def reset_connection(ctx: click.Context, name: str, env_file: Path | None) -> None:
    """Let NAME be used again at once: close its breaker, end its hold, make what is held due now."""
    settings, db = _opened(env_file or ctx.obj)
    before = reset(db, connection_named(settings, name).name, getpass.getuser(), datetime.now(UTC))
    click.echo(f"{name}: the breaker was {before} and is closed now; what was held is due")


@list_connections.command("hold", short_help="Send nothing over a connection for now.")
@click.argument("name")
@click.option("--for", "lasting", type=Length(), help="90s, 30m, 2h or 1d; without it until `reset`.")
@env_file
@click.pass_context
def hold_connection(ctx: click.Context, name: str, lasting: timedelta | None, env_file: Path | None) -> None:
    """Deliver nothing more over NAME for now; what comes is accepted and waits, and no attempt is spent."""
    settings, db = _opened(env_file or ctx.obj)
    now = datetime.now(UTC)
    until = now + lasting if lasting else FOR_EVER
    hold(db, connection_named(settings, name).name, getpass.getuser(), until, now)
    said = until.isoformat(timespec="seconds") if lasting else f"`relay connections reset {name}`"
    click.echo(f"{name} is held until {said}")
