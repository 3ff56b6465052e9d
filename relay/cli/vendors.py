"""The commands about the CRMs: what they can do, one call by hand, and whether the configuration fits them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import simplejson

from relay.capabilities import as_tables, capabilities
from relay.check_offline import warnings
from relay.check_online import check_online
from relay.error_lines import error_line, is_set_up
from relay.errors import WrongInput
from relay.inputs import check as check_input
from relay.inputs import parsed
from relay.names import connection_named, require_known
from relay.open_connection import open_connection
from relay.operations import as_description, as_list, operations
from relay.options import WRONG_SET_UP, as_json_option, env_file, environ_with
from relay.redaction import without_secrets
from worker.errors import DeliveryError
from worker.settings import ConnectionSettings
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.api import Api
from worker.vendors.vendor import Operation


@click.command(short_help="Name all faults of relay.toml and the environment.")
@click.option(
    "--online",
    is_flag=True,
    help="Also ask every CRM: does it answer, accept our credentials and know our names?",
)
@env_file
def check(online: bool, env_file: Path | None) -> None:
    """Say what is wrong with relay.toml and the environment, all of it at once.

    Warnings name what is valid and will still go wrong; they do not change the exit code. With --online each
    CRM is called: a login or a short list, and a list for each kind of name in [connections.X.values].
    """
    settings = load(environ_with(env_file))
    for warning in warnings(settings):
        click.echo(f"warning: {warning}", err=True)
    faults = check_online(settings, lambda line: click.echo(line, err=True)) if online else []
    for fault in faults:
        click.echo(f"relay: {fault}", err=True)
    if faults:
        sys.exit(1)
    click.echo(
        f"{settings.config_path}: {len(settings.sources)} sources, {len(settings.connections)} connections, "
        f"{len(settings.routes)} routes, no faults"
    )


@click.command("operations", short_help="List what each CRM can be asked, or describe one operation.")
@click.option("--vendor", type=click.Choice(sorted(VENDORS)), help="Only those of this CRM.")
@click.option("--changes-only", is_flag=True, help="Only those that change something.")
@as_json_option
@click.argument("operation", required=False)
def list_operations(vendor: str | None, changes_only: bool, json_: bool, operation: str | None) -> None:
    """List the operations of every CRM; with OPERATION, describe that one and its input.

    Needs no relay.toml. `configurable` means that the CRM's document does not state path and verb: you can set
    them as paths.OPERATION and verbs.OPERATION of a connection. For an operation that is `unclear` you must.
    """
    rows = operations(vendor, changes_only)
    if operation:
        require_known("operation", operation, [row["operation"] for row in rows], "here")
        rows = [row for row in rows if row["operation"] == operation]
    if json_:
        click.echo(simplejson.dumps(rows, indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(map(as_description, rows)) if operation else as_list(rows))


@click.command("capabilities", short_help="Show what a lead, an order and a ticket become at each CRM.")
@as_json_option
def list_capabilities(json_: bool) -> None:
    """Show which records a lead, an order and a ticket become at every CRM, and what makes each only once.

    Needs no relay.toml: it is worked out from the code that makes the records.
    """
    rows = capabilities()
    click.echo(simplejson.dumps(rows, indent=2, ensure_ascii=False) if json_ else as_tables(rows))


@click.command(short_help="Call one operation of a CRM by hand.")
@click.option(
    "--json", "json_", default="{}", help="The input: a JSON object, @FILE, or - for standard input."
)
@click.option("--yes", is_flag=True, help="Do not ask before an operation that changes something.")
@click.option("--all", "all_", is_flag=True, help="Follow a list to its end: one JSON object per line.")
@click.argument("connection")
@click.argument("operation")
@env_file
def call(connection: str, operation: str, json_: str, yes: bool, all_: bool, env_file: Path | None) -> None:
    """Call one OPERATION of the CRM behind CONNECTION, and print its answer as JSON.

    `relay operations` lists the operations, `relay operations OPERATION` their input, whose names are the
    CRM's own. The input is checked before anything is sent. The exit code is 0 if the call worked, 1 if the CRM or
    the network failed, and 2 if the input or the configuration is wrong.

    \b
    relay call opla lead_list --all
    relay call opla lead_create --json @lead.json
    """  # noqa: D301
    settings = load(environ_with(env_file))
    target = connection_named(settings, connection)
    offered = VENDORS[target.vendor].operations
    found = offered[require_known("operation", operation, offered, f"at {target.vendor}")]
    with open_connection(settings, target) as api:
        try:
            found = api.configured(operation)
            values = parsed(_text(json_))
            check_input(found, values)
            if all_:
                _refuse_to_follow(found)
            if found.changes and not yes:
                _ask(target, found)
            _carry_out(api, found, values, all_)
        except DeliveryError as error:
            click.echo(f"relay: {error_line(error, target, found)}", err=True)
            sys.exit(WRONG_SET_UP if is_set_up(error) else 1)


def _text(given: str) -> str:
    if given != "-" and not given.startswith("@"):
        return given
    try:
        content = sys.stdin.buffer.read() if given == "-" else Path(given[1:]).read_bytes()
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{given.removeprefix('@')}: cannot be read: {error}") from error


def _refuse_to_follow(operation: Operation) -> None:
    if operation.changes:
        raise WrongInput(f"--all is for lists, and {operation.name} changes something")


def _ask(connection: ConnectionSettings, operation: Operation) -> None:
    what = f"{operation.name} changes what {connection.name} holds"
    if not sys.stdin.isatty():
        raise WrongInput(f"{what}, and there is no terminal to ask at: add --yes")
    if not click.confirm(f"{what} ({connection.base_url}). Go on?", err=True):
        raise WrongInput("nothing was sent")


def _carry_out(api: Api, operation: Operation, values: Mapping[str, Any], all_: bool) -> None:
    # A line for each record as it comes, so that a list of a million takes no more memory than a page.
    for item in api.each(operation.name, values) if all_ else ():
        click.echo(_json(item, api.connection))
    if not all_:
        click.echo(_json(api.call(operation.name, values), api.connection, indent=2))


def _json(answer: Any, connection: ConnectionSettings, indent: int | None = None) -> str:
    shown = without_secrets(answer, connection)
    text: str = simplejson.dumps(shown, indent=indent, ensure_ascii=False, use_decimal=True, default=str)
    return text
