"""The commands about events: what one would become, sending one, and what became of those in the ledger."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import click
import simplejson

from mappings.sources import SOURCES
from relay.errors import WrongInput
from relay.inputs import parsed
from relay.listing import as_json, as_table
from relay.names import connection_named, source_named
from relay.open_ledger import open_ledger
from relay.options import as_json_option, env_file, environ_with, headers_of, limit_option
from relay.preview import has_errors, preview_file
from relay.releasing import Releasable, releasable, release, told
from relay.send import content_type_of, post_sample
from worker.ledger import by_state, search
from worker.ledger.database import Database
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict
from worker.settings.configuration import load


@click.command(short_help="Show what a request would become; calls nothing.")
@click.option("--source", required=True, help="The source in relay.toml that the file is a request of.")
@click.option("--event", "event_type", help="The event's type, for senders that put it into a header.")
@click.option(
    "--header", "headers", multiple=True, help="A request header, as 'Name: value'; may be repeated."
)
@click.option("--content-type", help="Guessed from the file's ending where it is not given.")
@click.option("--fetched", type=click.File(), help="JSON by name: what the sender's API would answer.")
@click.option("--json", "json_", is_flag=True, help="The default; other commands have it, too.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@env_file
def preview(
    source: str,
    event_type: str | None,
    headers: Sequence[str],
    content_type: str | None,
    fetched: TextIO | None,
    json_: bool,
    file: Path,
    env_file: Path | None,
) -> None:
    """Show what the request body in FILE would become at each CRM; calls nothing.

    The exit code is 1 where the event, or a delivery of it, has an `error`.
    """
    settings = load(environ_with(env_file))
    lacking = _json_object(fetched) if fetched else None
    chosen = source_named(settings, source)
    found = preview_file(settings, chosen, file, event_type, headers_of(headers), content_type, lacking)
    click.echo(simplejson.dumps(found, indent=2, ensure_ascii=False, use_decimal=True))
    sys.exit(1 if has_errors(found) else 0)


def _json_object(file: TextIO) -> str:
    try:
        text = file.read()
        is_object = isinstance(parsed(text), dict)
    except (UnicodeDecodeError, WrongInput) as error:
        raise WrongInput(f"--fetched {file.name}: {error}") from error
    if not is_object:
        raise WrongInput(f"--fetched {file.name}: must be a JSON object: what was fetched, by name")
    return text


@click.command(short_help="Sign a request as its sender would, and post it.")
@click.option("--source", required=True, help="The source in relay.toml whose secret signs the request.")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the receiver is.")
@click.option(
    "--header", "headers", multiple=True, help="A request header, as 'Name: value'; may be repeated."
)
@click.option("--content-type", help="Guessed from the file's ending where it is not given.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@env_file
def send(
    source: str, url: str, headers: Sequence[str], content_type: str | None, file: Path, env_file: Path | None
) -> None:
    """Sign the request body in FILE as its sender would, and post it to a running receiver."""
    chosen = source_named(load(environ_with(env_file)), source)
    media = content_type_of(SOURCES[chosen.type], file.name, content_type)
    answer = post_sample(chosen, file.read_bytes(), headers_of(headers), media, url)
    click.echo(f"{answer.status_code} {answer.text.strip()}")
    sys.exit(0 if answer.status_code == 200 else 1)


@click.command("events", short_help="List and filter what was received, or show one event.")
@click.option("--source", help="Only those of this source.")
@click.option("--verdict", type=click.Choice([str(v) for v in Verdict]), help="Only those judged so.")
@limit_option
@as_json_option
@click.argument("event_id", required=False)
@env_file
def list_events(
    event_id: str | None,
    source: str | None,
    verdict: str | None,
    limit: int,
    json_: bool,
    env_file: Path | None,
) -> None:
    """List what was received, the newest first; with EVENT_ID, show one with its body and its duplicates.

    A post of a known event whose body says something else is kept as a duplicate of that event and not
    delivered. If it should be delivered, run `relay replay EVENT_ID`.
    """
    settings = load(environ_with(env_file))
    db = open_ledger(settings)
    if event_id:
        found = search.show_event(db, event_id)
        if found is None:
            raise WrongInput(f"there is no event {event_id}")
        click.echo(as_json(found))
        return
    rows = search.list_events(db, source, limit, verdict)
    if source and not rows:
        source_named(settings, source)  # a name that is none is a mistake, not an empty list
    columns = ("id", "source", "type", "verdict", "duplicate_of", "received_at", "repeats")
    click.echo(as_json(rows) if json_ else as_table(rows, columns))


@click.command("deliveries", short_help="List and filter deliveries, or show one.")
@click.option("--state", type=click.Choice([str(s) for s in State]), help="Only those in this state.")
@click.option("--connection", help="Only those over this connection.")
@click.option("--event", "event_id", help="Only those of this event.")
@limit_option
@as_json_option
@click.argument("delivery_id", required=False)
@env_file
def list_deliveries(delivery_id: str | None, json_: bool, env_file: Path | None, **filters: Any) -> None:
    """List deliveries, the newest first; with DELIVERY_ID, show one with its steps and attempts."""
    settings = load(environ_with(env_file))
    db = open_ledger(settings)
    if delivery_id:
        found = search.show_delivery(db, delivery_id)
        if found is None:
            raise WrongInput(f"there is no delivery {delivery_id}")
        click.echo(as_json(found))
        return
    rows = search.list_deliveries(db, **filters)
    if filters["connection"] and not rows:
        connection_named(settings, filters["connection"])
    columns = ("id", "source", "type", "connection", "state", "attempts", "record_id", "reason")
    click.echo(as_json(rows) if json_ else as_table(rows, columns))


@click.command(short_help="Make deliveries due again.")
@click.option("--state", type=click.Choice([str(s) for s in search.RELEASABLE]), help="All in this state.")
@click.option("--connection", help="With --state: only those over this connection.")
@click.option(
    "--not-made",
    is_flag=True,
    help="You have checked that the CRM does not have the record in doubt.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.argument("ids", nargs=-1)
@env_file
def replay(
    ids: Sequence[str],
    state: str | None,
    connection: str | None,
    not_made: bool,
    yes: bool,
    env_file: Path | None,
) -> None:
    """Make deliveries due again: those named, or all in a state. Steps that are done are not repeated.

    IDS are ids of deliveries or of events. Of an event that was judged spam the deliveries are released; a
    duplicate becomes an event of its own.
    """
    settings = load(environ_with(env_file))
    if connection:
        if not state:
            raise WrongInput("--connection narrows --state: give both, or name the ids")
        connection_named(settings, connection)
    db = open_ledger(settings)
    wanted = releasable(settings, db, ids, datetime.now(UTC))
    in_state = by_state.count(db, state, connection) if state else 0
    if not wanted and not in_state:
        raise WrongInput(
            f"nothing is {state}" if state else "nothing to release: name deliveries or events, or a --state"
        )
    if not yes:
        click.confirm(f"release {told(wanted, in_state)}?", abort=True)
    now, done, number = datetime.now(UTC), 0, 0
    for one in chain(wanted, _in_state(db, state, connection, now)):
        number += 1
        done += release(settings, db, one, getpass.getuser(), now, not_made)
    click.echo(f"{done} of {number} released")
    if done < number:
        click.echo(
            "relay: the others are under way or done: `relay deliveries ID` shows one's state", err=True
        )
    sys.exit(0 if done == number else 1)


def _in_state(db: Database, state: str | None, connection: str | None, now: datetime) -> Iterator[Releasable]:
    for page in by_state.pages(db, state, connection, now) if state else ():
        yield from (Releasable("delivery", delivery_id) for delivery_id in page)
