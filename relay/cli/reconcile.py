"""`relay reconcile`: what was delivered against what the CRM holds, and what can be mended of it."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from relay.error_lines import error_line
from relay.errors import WrongInput
from relay.names import connection_named
from relay.open_ledger import open_ledger
from relay.options import env_file, environ_with, progress
from relay.patient_api import open_patiently
from relay.reconcile_output import as_line, as_object, as_report, as_summary
from relay.times import moment, written
from worker.errors import DeliveryError
from worker.ledger.database import Database
from worker.ledger.reconciling import Period, count, count_recent
from worker.reconcile import reconcile as compare
from worker.reconcile.findings import Finding, Tally
from worker.reconcile.repair import MadeAgain, delete_double, make_again, may_delete
from worker.settings import ConnectionSettings, Settings
from worker.settings.configuration import load
from worker.vendors.api import Api

#: Findings that one run remembers for a repair; with more, it is run again.
MOST_REPAIRS = 10_000
INTERRUPTED = "interrupted"
#: The exit code of a command that Ctrl-C has ended, as shells know it: 128 and the number of SIGINT.
ENDED_BY_HAND = 130


@click.command(short_help="Compare what was delivered with what a CRM holds.")
@click.option("--since", default="7d", show_default=True, help="From when: 7d, 36h, 90m, or a time.")
@click.option("--until", default="0m", help="Until when; default now.")
@click.option("--json", "json_", is_flag=True, help="One JSON object per finding, then a summary.")
@click.option("--repair", is_flag=True, help="Offer to repair what can be repaired; asks first.")
@click.option("--yes", is_flag=True, help="With --repair: do not ask.")
@click.argument("connection")
@env_file
def reconcile(
    connection: str, since: str, until: str, json_: bool, repair: bool, yes: bool, env_file: Path | None
) -> None:
    """Compare what was delivered over CONNECTION with what its CRM holds.

    Each record of each delivery is read back. It is missing if the CRM itself says that it is not there; doubled
    if there is another record with our key; changed if a field holds something else than was sent last, which is
    information and no fault; not known if it could not be read.

    With --repair a missing record is made again by the newest delivery that wants it, which looks it up once
    more before. Of two doubles the younger is deleted, if nothing of ours refers to it and the CRM documents how;
    otherwise merge the two by hand. What people have changed is never overwritten.

    The exit code is 0 if all is as it should be, 1 if something was found or is not known, 2 if the command or the
    configuration is wrong, 130 after Ctrl-C; then the last line says how to continue.
    """
    if yes and not repair:
        raise WrongInput("--yes goes with --repair: without it nothing is changed")
    if repair and not yes and not sys.stdin.isatty():
        raise WrongInput("--repair asks, and there is no terminal to ask at: add --yes")
    settings = load(environ_with(env_file))
    target = connection_named(settings, connection)
    now = datetime.now(UTC)
    period = _period(target, moment(since, now), moment(until, now), now)
    db = open_ledger(settings)
    tally, kept = Tally(recent=count_recent(db, period)), list[Finding]()
    with closing(db), open_patiently(settings, target, db) as api:
        _compare(settings, db, api, period, tally, kept, json_)
        click.echo(as_summary(tally, connection, period.since, period.until) if json_ else as_report(tally))
        _tell_rest(tally, kept, repair)
        if repair and tally.stopped != INTERRUPTED:
            _repair(db, api, kept, yes)
    sys.exit(0 if tally.is_clean else ENDED_BY_HAND if tally.stopped == INTERRUPTED else 1)


def _period(target: ConnectionSettings, since: datetime, until: datetime, now: datetime) -> Period:
    if since > until:
        raise WrongInput(f"--since {written(since)} is after --until {written(until)}")
    # What was made a moment ago, the CRM's search may not show yet.
    return Period(target.name, since, until, now - target.search_lag)


def _compare(
    settings: Settings, db: Database, api: Api, period: Period, tally: Tally, kept: list[Finding], json_: bool
) -> None:
    show = as_object if json_ else as_line
    try:
        with progress(count(db, period), "deliveries") as bar:
            for page in compare(settings, db, api, period, tally):
                for found in page.findings:
                    click.echo(show(found, api.connection))
                room = MOST_REPAIRS - len(kept)
                kept += [found for found in page.findings if found.verdict in ("missing", "doubled")][:room]
                bar.update(page.deliveries)
    except KeyboardInterrupt:
        tally.stopped = INTERRUPTED


def _tell_rest(tally: Tally, kept: Sequence[Finding], repair: bool) -> None:
    if tally.stopped:
        mark = f"; go on with --since {written(tally.mark)}" if tally.mark else ""
        click.echo(f"relay: stopped after {tally.deliveries} deliveries: {tally.stopped}{mark}", err=True)
    if kept and not repair:
        click.echo("relay: --repair offers to repair what is missing or doubled", err=True)


def _repair(db: Database, api: Api, kept: Sequence[Finding], yes: bool) -> None:
    try:
        _make_again(db, [found for found in kept if found.verdict == "missing"], yes)
        _delete_doubles(db, api, [found for found in kept if found.verdict == "doubled"], yes)
    except (KeyboardInterrupt, click.Abort):
        # Each record is mended in one transaction, or by one call: what was not told of is as it was found.
        click.echo("relay: interrupted; what is not named above is as it was; run it again", err=True)
        sys.exit(ENDED_BY_HAND)


def _make_again(db: Database, missing: Sequence[Finding], yes: bool) -> None:
    if not missing or not _agreed(f"make {len(missing)} missing records again?", yes):
        return
    made = MadeAgain()
    try:
        make_again(db, missing, getpass.getuser(), datetime.now(UTC), made)
    finally:
        click.echo(f"relay: {len(made.deliveries)} deliveries are due again", err=True)
    for found in made.left:
        text = "the newest delivery of its entity does not want it, has lost its payload, or is under way"
        click.echo(f"relay: not made again: {found.kind} {found.record_id}: {text}", err=True)


def _delete_doubles(db: Database, api: Api, doubled: Sequence[Finding], yes: bool) -> None:
    sure = [found for found in doubled if may_delete(db, api, found)]
    if sure and _agreed(f"delete {len(sure)} doubles, of each pair the younger, which is not linked?", yes):
        for found in sure:
            _delete(db, api, found)
    for found in doubled:
        if found not in sure:
            ids = ", ".join(found.others)
            text = f"merge by hand: {found.kind} {ids} into {found.record_id}, which is linked"
            click.echo(f"relay: {text}", err=True)


def _agreed(question: str, yes: bool) -> bool:
    return yes or click.confirm(question, err=True)


def _delete(db: Database, api: Api, found: Finding) -> None:
    try:
        delete_double(db, api, found, getpass.getuser(), datetime.now(UTC))
        click.echo(f"relay: deleted {found.kind} {found.younger}", err=True)
    except KeyboardInterrupt:
        click.echo(f"relay: {found.kind} {found.younger} may be deleted, or not yet", err=True)
        raise
    except DeliveryError as error:
        click.echo(
            f"relay: {found.kind} {found.younger} is not deleted: {error_line(error, api.connection)}",
            err=True,
        )
