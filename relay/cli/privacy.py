"""The commands about what is kept: purge by age, keys of what is encrypted."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from relay.errors import WrongInput
from relay.listing import as_json
from relay.open_ledger import open_ledger
from relay.options import as_json_option, env_file, environ_with, progress
from relay.times import duration
from worker.ledger import purging, sealing
from worker.ledger.audits import note
from worker.ledger.database import Database
from worker.ledger.purging import ENDED, Ages, Slice
from worker.ledger.tables import State
from worker.ledger.traces import sweep_traces
from worker.privacy.retention import ages as configured_ages
from worker.settings import Retention
from worker.settings.configuration import load
from worker.settings.encryption_keys import new_key

NOT_SWEPT = "SQLite's write-ahead log is in use and still holds traces: they go when it is next emptied"


def an_age(text: str | None) -> timedelta | None:
    """Return `90d`, `12h` or `8w` as a duration. Raises WrongInput for anything else."""
    try:
        # No minutes: whoever writes 3m before a purge may mean months.
        return None if text is None else duration(text, units="hdw")
    except ValueError as error:
        raise WrongInput(f"{text!r} is not an age: write 90d, 12h or 8w") from error


@click.command(short_help="Empty the payloads of events that ended long ago.")
@click.option("--older-than", "age", help="What ended before this: 90d, 12h, 8w. Default: relay.toml.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([str(state) for state in ENDED]),
    help="Only what ended so; may be repeated. Default: all but failed. Events without a route count as skipped.",
)
@click.option("--rows-older-than", help="Also delete what was emptied and is older than this.")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
@env_file
def purge(
    age: str | None,
    states: Sequence[str],
    rows_older_than: str | None,
    dry_run: bool,
    yes: bool,
    json_: bool,
    env_file: Path | None,
) -> None:
    """Empty the payloads of events that were finished long ago; counts first, then asks.

    Body, headers, excerpts and field ledgers are emptied; the event's row stays, so that a late repetition of it is
    recognised, until --rows-older-than. Without an age it does what [retention] in relay.toml says. An event that
    is not finished is never touched. Senders are answered and deliveries made meanwhile.
    """
    settings = load(environ_with(env_file))
    now = datetime.now(UTC)
    wanted = _ages(settings.retention, an_age(age), states, an_age(rows_older_than), now)
    db = open_ledger(settings)
    length = purging.size(db, wanted)
    found = _summed(purging.count(db, wanted), length, "counting")
    if dry_run or not (found.emptied or found.deleted):
        _tell(found, json_, "to empty", "to delete")
        return
    if not yes:
        question = f"empty {found.emptied} events and delete {found.deleted} rows, for good?"
        click.confirm(question, abort=True, err=True)
    done = _summed(_unhurried(purging.purge(db, wanted, now)), length, "purging")
    with db.write() as c:
        note(c, now, getpass.getuser(), "purge", f"{done.emptied} emptied, {done.deleted} deleted")
    _tell(done, json_, "emptied", "deleted")
    if not sweep_traces(db):
        click.echo(NOT_SWEPT, err=True)


def _ages(
    retention: Retention,
    age: timedelta | None,
    states: Sequence[str],
    rows: timedelta | None,
    now: datetime,
) -> Ages:
    if age is None and rows is None:
        if states:
            raise WrongInput("--state needs --older-than")
        if retention == Retention():
            raise WrongInput("no age is given: add --older-than 90d, or set [retention] in relay.toml")
        return configured_ages(retention, now)
    chosen = [State(state) for state in states] or [state for state in ENDED if state != State.FAILED]
    before = None if age is None else now - age
    ended = {} if before is None else dict.fromkeys(chosen, before)
    return Ages(ended, ended.get(State.SKIPPED), None if rows is None else now - rows)


def _summed(slices: Iterable[Slice], length: int, label: str) -> Slice:
    done = Slice()
    with progress(length, label) as bar:
        for part in slices:
            done += part
            bar.update(part.looked_at)
    return done


def _unhurried(slices: Iterable[Slice]) -> Iterable[Slice]:
    """Leave half of the time to those who want to write, too: senders wait for them."""
    began = time.monotonic()
    for part in slices:
        yield part
        time.sleep(min(time.monotonic() - began, 0.5))
        began = time.monotonic()


def _tell(found: Slice, json_: bool, emptied: str, deleted: str) -> None:
    if json_:
        told = {"looked_at": found.looked_at, "emptied": found.emptied, "deleted": found.deleted}
        click.echo(as_json(told | {"done": emptied == "emptied"}))
    else:
        click.echo(
            f"{found.looked_at} events looked at, {found.emptied} {emptied}, {found.deleted} {deleted}"
        )


@click.group("keys", short_help="Make and replace the keys that encrypt payloads.")
def keys() -> None:
    """Make and replace the keys with which payloads are encrypted (RELAY_ENCRYPTION_KEY)."""


@keys.command("new")
def print_new_key() -> None:
    """Print a fresh key; it is kept nowhere."""
    click.echo(new_key())


@keys.command("rotate", short_help="Encrypt everything anew with the first key.")
@env_file
def rotate(env_file: Path | None) -> None:
    """Encrypt everything anew with the first key of RELAY_ENCRYPTION_KEY.

    First set it to "new,old" and restart all processes; then run this; then the old key can go. It may be
    interrupted: the next run goes on. Also encrypts what was stored before there was a key.
    """
    db = open_ledger(load(environ_with(env_file)))
    if not db.keys.ids:
        raise WrongInput("RELAY_ENCRYPTION_KEY is not set: `relay keys new` makes a key")
    sealed = _rotated(db)
    old = sealing.forget_old_keys(db)
    click.echo(f"{sealed} rows encrypted anew; all are encrypted with key {db.keys.ids[0]}")
    if old:
        click.echo(f"not needed any more: key {', '.join(old)}")
    if not sweep_traces(db):
        click.echo(NOT_SWEPT, err=True)


def _rotated(db: Database) -> int:
    sealed = 0
    with progress(sealing.count_rows(db), "encrypting") as bar:

        def told(page: sealing.Page) -> None:
            nonlocal sealed
            sealed += page.sealed
            bar.update(page.looked_at)
            time.sleep(0.002)  # senders want to write, too

        sealing.rotate(db, told)
    return sealed
