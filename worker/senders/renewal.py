"""Tokens of senders that end: renewed in time by one of all workers, and never lost where that can be helped.

A refresh token is good for one use, so the ledger says who may use it, and holds what came of it. Between the
sender's answer and our commit nothing can be done for a worker that is killed: the next renewal is refused then,
what waits is held, and a person is told what to do.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from worker.errors import (
    Interrupted,
    LedgerUnavailable,
    OutcomeUnknown,
    PutBack,
    SenderDown,
    SenderRefused,
    Unreachable,
)
from worker.http import Answer, Http, Request
from worker.http.retry_after import retry_after
from worker.ledger import sender_tokens
from worker.ledger.database import Database
from worker.ledger.sender_tokens import Given, Roots, SenderToken
from worker.masking import excerpt, learn_token, masked
from worker.settings import SourceSettings, TokenRenewal
from worker.telemetry import alert, log

#: Seconds for the sender's answer, and how long nobody else may renew.
SECONDS = 20.0
RESERVED = timedelta(seconds=30)
#: A token is renewed this long before its end, or in its last tenth: so long the sender may be away, or refuse.
EARLY = timedelta(minutes=30)
#: A token that is refused so soon after it was renewed is not what is wrong.
YOUNG = timedelta(minutes=5)
#: What is left of a token must be enough for the call that it is for.
LEAST = timedelta(seconds=30)
#: The least that a delivery waits for a renewal which another worker has begun.
SOON = timedelta(seconds=1)
#: When a renewal is tried again that came to nothing, and one that was refused: the sender may have erred.
PAUSE = timedelta(seconds=15)
REFUSED = timedelta(hours=1)
#: Seconds before each try to commit what the sender gave: there is no second copy of it.
COMMITS = (0.0, 0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Renewing:
    """What a renewal needs. `may_begin` raises PutBack in a process that is about to end."""

    http: Http
    db: Database
    clock: Callable[[], datetime]
    may_begin: Callable[[], None]


def current(renewing: Renewing, source: SourceSettings, refused: str = "") -> str:
    """Return the token of the source's interface, another one than the `refused` where it can be renewed.

    Raises PutBack while another worker renews it, SenderDown where that did not work, SenderRefused where the
    sender does not renew it any more.
    """
    if source.renewal is None:
        return source.api_token
    roots = _roots(source.name, source.renewal)
    now = renewing.clock()
    held = sender_tokens.standing(renewing.db, roots)
    if held is None or _is_due(held, refused, now):
        renewing.may_begin()
        held = sender_tokens.reserve(
            renewing.db, roots, lambda found: _is_due(found, refused, now), now, RESERVED
        )
    if held.begun_at is None:
        return _as_it_stands(source, held, refused, now)
    _learn(held)
    try:
        return _renewed(renewing, source, source.renewal, roots, held)
    except (SenderDown, SenderRefused, PutBack):
        if _lasts(held, refused, now):
            return str(held.access)
        raise


def _is_due(held: SenderToken, refused: str, now: datetime) -> bool:
    if held.access is None or held.ends_at is None or held.renewed_at is None:
        return True
    if held.access == refused:
        return held.renewed_at + YOUNG <= now
    return held.ends_at - min(EARLY, (held.ends_at - held.renewed_at) / 10) <= now


def _lasts(held: SenderToken, refused: str, now: datetime) -> bool:
    is_whole = held.access is not None and held.access != refused
    return is_whole and held.ends_at is not None and held.ends_at - LEAST > now


def _as_it_stands(source: SourceSettings, held: SenderToken, refused: str, now: datetime) -> str:
    _learn(held)
    if _lasts(held, refused, now):
        return str(held.access)
    if held.refused is not None:
        raise SenderRefused(held.refused)
    if held.access == refused and not _is_due(held, refused, now):
        raise SenderDown(
            f"{source.name}: the sender refuses a token that it has just given; see what the app may read"
        )
    left = held.busy_until - now if held.busy_until else timedelta()
    raise PutBack(f"{source.name}: its token is being renewed", min(max(left / 3, SOON), RESERVED))


def _renewed(
    renewing: Renewing, source: SourceSettings, renewal: TokenRenewal, roots: Roots, held: SenderToken
) -> str:
    began = renewing.clock()
    try:
        answer = renewing.http.send(_request(renewal, held), SECONDS)
    except (Unreachable, PutBack, OutcomeUnknown) as error:
        has_left = isinstance(error, OutcomeUnknown)
        sender_tokens.let_go(renewing.db, roots, held, _after(renewing, None), has_left)
        if isinstance(error, PutBack | Interrupted):
            raise PutBack(f"{source.name}: {error}", timedelta(0)) from error
        raise SenderDown(f"{source.name}: its token was not renewed: {error}") from error
    given = _given(answer, renewal, held, began)
    if given is None:
        raise _failure(renewing, source, roots, held, answer)
    _commit(renewing, source, roots, held, given)
    return given.access


def _request(renewal: TokenRenewal, held: SenderToken) -> Request:
    form = {
        "grant_type": "refresh_token" if renewal.first else "client_credentials",
        "client_id": renewal.client_id,
        "client_secret": renewal.client_secret,
        **({"refresh_token": held.refresh or ""} if renewal.first else {}),
    }
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    return Request("POST", renewal.url, headers, {}, urlencode(form).encode())


def _given(answer: Answer, renewal: TokenRenewal, held: SenderToken, now: datetime) -> Given | None:
    """Return what the answer gives (RFC 6749, section 5.1), None where it gives nothing that can be used."""
    try:
        said = json.loads(answer.body) if answer.status in (200, 201) else None
    except (ValueError, RecursionError):
        return None
    access, refresh, seconds = (
        _field(said, name) for name in ("access_token", "refresh_token", "expires_in")
    )
    if not isinstance(access, str) or not access:
        return None
    is_number = isinstance(seconds, int) and 0 < seconds < 10**9
    lasts = timedelta(seconds=seconds) if is_number else renewal.lasts
    # Who gives no new refresh token means the old one to go on (section 6).
    following = refresh if isinstance(refresh, str) and refresh else held.refresh
    for token in (access, following or ""):
        learn_token(token)
    return Given(access, following if renewal.first else None, now + lasts)


def _field(said: Any, name: str) -> Any:
    return said.get(name) if isinstance(said, dict) else None


def _failure(
    renewing: Renewing, source: SourceSettings, roots: Roots, held: SenderToken, answer: Answer
) -> SenderDown | SenderRefused:
    """Note that an answer gave nothing, and return what to raise for it."""
    if answer.status in (200, 201) or answer.status == 429 or answer.status >= 500:
        pause = retry_after(answer.headers)
        is_certain = answer.status == 429
        sender_tokens.let_go(renewing.db, roots, held, _after(renewing, pause), has_left=not is_certain)
        # Not a word of an answer that may hold a token which nobody could take out of it.
        said = excerpt(answer.body) if answer.status >= 400 else "no token"
        return SenderDown(f"{source.name}: its token was not renewed ({answer.status}): {said}", pause)
    reason = masked(_refusal(source, roots, held, answer))
    if sender_tokens.refuse(renewing.db, roots, held, reason, renewing.clock() + REFUSED):
        alert("token.refused", source=source.name, reason=reason)
    return SenderRefused(reason)


def _refusal(source: SourceSettings, roots: Roots, held: SenderToken, answer: Answer) -> str:
    said = f"{source.name}: the sender does not renew the token ({answer.status}): {excerpt(answer.body)}"
    if not roots.first:
        return (
            f"{said}; correct what api_client_id_env and api_client_secret_env name, and restart the workers"
        )
    # As one word: with a space in it a date is masked like a telephone number.
    when = held.lost_at.isoformat(timespec="minutes") if held.lost_at else ""
    lost = f"; the renewal at {when} ended without an answer that could be kept" if when else ""
    return (
        f"{said}{lost}; let the seller allow the app once more, put the new first token into the variable that "
        "api_refresh_token_env names, and restart the workers"
    )


def _commit(
    renewing: Renewing, source: SourceSettings, roots: Roots, held: SenderToken, given: Given
) -> None:
    for pause in COMMITS:
        time.sleep(pause)
        try:
            sender_tokens.keep(renewing.db, roots, held, given, renewing.clock())
        except LedgerUnavailable as error:
            failure = error
            continue
        if held.refused is not None:
            alert("token.renewed", is_over=True, source=source.name)
        else:
            log().info(
                "token.renewed", source=source.name, ends_at=given.ends_at.isoformat(timespec="seconds")
            )
        return
    alert("token.not_kept", source=source.name, reason=str(failure))
    raise failure


def _after(renewing: Renewing, pause: timedelta | None) -> datetime:
    return renewing.clock() + max(pause or PAUSE, PAUSE)


def _learn(held: SenderToken) -> None:
    for token in filter(None, (held.access, held.refresh)):
        learn_token(token)


def _roots(source: str, renewal: TokenRenewal) -> Roots:
    app = _digest(renewal.client_id, renewal.client_secret)
    return Roots(source, _digest(renewal.first) if renewal.first else app, app, renewal.first)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
