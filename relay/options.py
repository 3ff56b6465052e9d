"""What the commands share: their options, and how they end."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import click
from dotenv import dotenv_values
from dotenv.parser import parse_stream

from relay.errors import NoAnswer, WrongInput
from relay.ports import CannotStart
from relay.supervisor import StartFailed
from worker.errors import LedgerUnavailable
from worker.settings import SettingsError

#: Exit code 1 means that it did not work, this one that the command or the configuration is wrong.
WRONG_SET_UP = 2

env_file = click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read variables from this file; those that are set already win.",
)
as_json_option = click.option("--json", "json_", is_flag=True, help="Print JSON instead of a table.")
workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="How many worker processes to run.",
)
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many rows at most."
)


class OneLine(click.Group):
    """A group whose commands end with one clear line, and no traceback, where the cause lies outside."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what users can mend into a line and an exit code."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            for fault in error.faults:
                click.echo(f"relay: {fault}", err=True)
            sys.exit(WRONG_SET_UP)
        except WrongInput as error:
            for line in error.faults:
                click.echo(f"relay: {line}", err=True)
            sys.exit(WRONG_SET_UP)
        except CannotStart as error:
            click.echo(f"relay: {error}", err=True)
            sys.exit(WRONG_SET_UP)
        except LedgerUnavailable as error:
            # The server's own words say which host and port, not which variable named them.
            named = "RELAY_DATABASE_URL: " if str(error).startswith("connection ") else ""
            click.echo(f"relay: {named}{error}", err=True)
            sys.exit(1)
        except (StartFailed, NoAnswer) as error:
            click.echo(f"relay: {error}", err=True)
            sys.exit(1)


def environ_with(file: Path | None) -> Mapping[str, str]:
    """Complete this process's environment from `file`, and return it; what is set already wins.

    Raises WrongInput where the file cannot be read as lines of NAME=value.
    """
    if file is not None:
        for name, value in dotenv_values(stream=StringIO(_lines_of(file))).items():
            os.environ.setdefault(name, value or "")
    return os.environ


def _lines_of(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{file}: cannot be read: {error}") from error
    # The library skips what it cannot read: a secret would be missing, and nobody told why.
    wrong = [binding.original.line for binding in parse_stream(StringIO(text)) if binding.error]
    if wrong:
        raise WrongInput(*(f"{file}: line {line} is not NAME=value" for line in wrong))
    return text


def progress(length: int, label: str) -> Any:
    """Return a progress bar for the people at a terminal; where there is none, nothing is shown."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def headers_of(texts: Sequence[str]) -> dict[str, str]:
    """Return `Name: value` texts as headers. Raises WrongInput."""
    for text in texts:
        if not text.partition(":")[1]:
            raise WrongInput(f"--header {text!r}: write it as 'Name: value'")
    pairs = [text.partition(":") for text in texts]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
