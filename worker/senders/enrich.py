"""Thin events: what they lack is read at the sender's own interface, before anything is mapped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import simplejson

from mappings.source import Event, Fetch, SenderApi, Source
from worker.errors import (
    DeliveryError,
    Interrupted,
    OutcomeUnknown,
    PutBack,
    SenderDown,
    Unmappable,
    Unreachable,
)
from worker.http import Answer, Http, Request
from worker.http.retry_after import retry_after
from worker.ledger.database import Database
from worker.ledger.fetched import keep_fetched
from worker.masking import excerpt
from worker.settings import SourceSettings

#: Seconds for one answer of a sender's interface.
SECONDS = 20.0
#: What ids are made of, with all senders.
_SEGMENT = re.compile(r"[\w.~:=@+-]{1,200}", re.ASCII)


def fetch(
    http: Http,
    db: Database,
    sender: Source,
    source: SourceSettings,
    event: Event,
    renewed: Callable[[str], str] | None = None,
) -> str | None:
    """Read what a thin event lacks and keep it with the event, so that it is read once; return it as JSON.

    None where the event is whole, and where relay.toml names no token for an interface that is optional.
    `renewed` returns the token, another one than that which it is given. Raises what it raises, Unmappable for what
    is gone at the sender, SenderDown for everything else, a refused token, too: it is tried again, for as long as
    the connection's patience lasts.
    """
    if sender.fetches is None or sender.api is None or not source.api_url:
        return None
    found = {
        wanted.name: _read(http, sender.api, source, wanted, renewed or (lambda _: source.api_token))
        for wanted in sender.fetches(event)
    }
    if not found:
        return None
    written: str = simplejson.dumps(found, use_decimal=True)
    keep_fetched(db, event.id, written)
    return written


def _read(
    http: Http, api: SenderApi, source: SourceSettings, wanted: Fetch, renewed: Callable[[str], str]
) -> Any:
    token = renewed("")
    answer = _answer_to(http, api, source, wanted, token)
    if answer.status == 401 and source.renewal is not None:
        # Some end before their time: the seller has a new password, or the app a new secret.
        answer = _answer_to(http, api, source, wanted, renewed(token))
    if answer.status == 204:  # how some say that a list has nothing in it
        return []
    if answer.status != 200:
        raise _refusal(source, wanted, answer)
    try:
        return json.loads(answer.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise SenderDown(f"{source.name}: {wanted.name}: answered with no JSON") from None


def _answer_to(http: Http, api: SenderApi, source: SourceSettings, wanted: Fetch, token: str) -> Answer:
    query = dict(wanted.query)
    headers = {"accept": "application/json", **api.also}
    if api.parameter:
        query[api.parameter] = token
    else:
        headers[api.header] = api.scheme + token
    if api.user_agent:
        headers["user-agent"] = api.user_agent.format(**source.options)
    try:
        return http.send(Request("GET", f"{source.api_url}/{_below(wanted)}", headers, query), SECONDS)
    except Interrupted as error:
        raise PutBack(f"{source.name}: {wanted.name}: {error}", timedelta(0)) from error
    except (OutcomeUnknown, Unreachable) as error:
        raise SenderDown(f"{source.name}: {wanted.name}: {error}", error.retry_after) from error


def _below(wanted: Fetch) -> str:
    """Return the path below the address that relay.toml names: the payload has no say in where that leads."""
    for segment in wanted.path.split("/"):
        if not _SEGMENT.fullmatch(segment) or segment in (".", ".."):
            raise Unmappable(wanted.name, f"{segment[:40]!r} is no id that could stand in an address")
    return wanted.path


def _refusal(source: SourceSettings, wanted: Fetch, answer: Answer) -> DeliveryError:
    text = f"{source.name}: {wanted.name}: the sender's interface answered {answer.status}: {excerpt(answer.body)}"
    if answer.status in (404, 410):
        return Unmappable(wanted.name, f"is no longer at the sender ({answer.status})")
    see = "what the app may read" if source.renewal else "api_token_env of the source"
    remedy = f"; see {see}" if answer.status in (401, 403) else ""
    return SenderDown(text + remedy, retry_after(answer.headers))
