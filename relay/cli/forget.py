"""The command that forgets a person."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mappings.reading.person_search import Sought, sought
from relay.cli.privacy import NOT_SWEPT
from relay.errors import WrongInput
from relay.listing import as_json, as_table
from relay.open_ledger import open_ledger
from relay.options import as_json_option, env_file, environ_with, progress
from worker.ledger.database import Database
from worker.ledger.persons import count_events
from worker.ledger.traces import sweep_traces
from worker.privacy.forgetting import Erased, Found, erase, find
from worker.settings import Settings
from worker.settings.configuration import load

IN_FLIGHT = "a worker is delivering it now: run this again in a minute"


@click.command(short_help="Erase a person from the ledger.")
@click.option(
    "--phone", "phones", multiple=True, help="A phone number with its country code; may be repeated."
)
@click.option("--dry-run", is_flag=True, help="Only show what there is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
@click.argument("emails", nargs=-1)
@env_file
def forget(
    emails: Sequence[str],
    phones: Sequence[str],
    dry_run: bool,
    yes: bool,
    json_: bool,
    env_file: Path | None,
) -> None:
    """Erase a person from the ledger: shows what there is of EMAILS and phones, asks, then erases it.

    Every payload is searched, as its source reads it. What was not delivered yet never will be. Keys that hold
    an address become digests, so that a repetition still makes nothing twice. The records in the CRMs stay there:
    they are listed, so that you can erase them by hand. The exit code is 1 if the command has to be run again.
    """
    who = _whom(emails, phones)
    settings = load(environ_with(env_file))
    db = open_ledger(settings)
    found = _found(settings, db, who)
    if dry_run or found.is_empty:
        click.echo(as_json(_as_data(found, None)) if json_ else _as_text(found))
        return
    if not json_ or not yes:
        click.echo(_as_text(found), err=json_)
    if not yes:
        click.confirm("erase all this from the ledger, for good?", abort=True, err=True)
    done = erase(db, found, lambda: datetime.now(UTC), getpass.getuser())
    click.echo(as_json(_as_data(found, done)) if json_ else _as_done(done))
    if not sweep_traces(db):
        click.echo(NOT_SWEPT, err=True)
    sys.exit(1 if done.in_flight or done.links_left else 0)


def _whom(emails: Sequence[str], phones: Sequence[str]) -> Sought:
    if not (emails or phones):
        raise WrongInput("nobody is named: give an e-mail address, or --phone with a number")
    try:
        return sought(emails, phones)
    except ValueError as error:
        raise WrongInput(str(error)) from error


def _found(settings: Settings, db: Database, who: Sought) -> Found:
    with progress(count_events(db), "looking") as bar:
        return find(settings, db, who, bar.update)


def _as_text(found: Found) -> str:
    if found.is_empty:
        return "the ledger holds nothing of this person"
    rows: list[dict[str, Any]] = [
        {
            "event": event.id,
            "source": event.source,
            "type": event.type,
            "received_at": event.received_at,
            "unfinished": event.unfinished,
            "where": ", ".join(event.where),
        }
        for event in found.events
    ]
    counts = (
        f"{len(found.events)} events, {found.deliveries} deliveries, {found.attempts} attempts, "
        f"{found.steps} steps, {len(found.links)} links, {len(found.audits)} audit entries"
    )
    lines = [as_table(rows, list(rows[0])), counts] if rows else [counts]
    if any(event.unfinished for event in found.events):
        lines.append("what is unfinished will not be delivered any more")
    if found.records:
        there = [{"connection": c, "kind": k, "record": r or "may exist"} for c, k, r in found.records]
        lines += ["in the CRMs, where it stays until somebody erases it there:"]
        lines += [as_table(there, ["connection", "kind", "record"])]
    return "\n".join(lines)


def _as_done(done: Erased) -> str:
    lines = [f"erased {done.events} events and {done.links} links"]
    lines += [f"not erased: event {event}: {IN_FLIGHT}" for event in done.in_flight]
    if done.links_left:
        lines.append(f"not erased: {done.links_left} links: {IN_FLIGHT}")
    return "\n".join(lines)


def _as_data(found: Found, done: Erased | None) -> dict[str, Any]:
    return {
        "events": [
            {"id": e.id, "source": e.source, "type": e.type, "where": e.where, "unfinished": e.unfinished}
            for e in found.events
        ],
        "deliveries": found.deliveries,
        "attempts": found.attempts,
        "steps": found.steps,
        "links": len(found.links),
        "audit_entries": len(found.audits),
        "records": [{"connection": c, "kind": k, "id": r} for c, k, r in found.records],
        "erased": None if done is None else {"events": done.events, "links": done.links},
        "in_flight": [] if done is None else done.in_flight,
    }
