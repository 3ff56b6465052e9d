"""Posts a request as its sender would: signed, or with the token in the URL."""

from __future__ import annotations

from collections.abc import Mapping

import click
import httpx

from mappings.source import Hmac, Source
from mappings.sources import SOURCES
from webhooks.signatures import digest
from worker.settings import Settings

_BY_ENDING = {".json": "application/json", ".txt": "application/x-www-form-urlencoded"}


def post_sample(
    settings: Settings,
    source: str,
    body: bytes,
    headers: Mapping[str, str],
    content_type: str | None,
    url: str,
    name: str = "",
) -> httpx.Response:
    """Post `body` to the receiver at `url` as the sender of `source` would; return its answer."""
    known = settings.sources.get(source)
    if known is None:
        raise click.ClickException(f"{settings.config_path} has no [sources.{source}]")
    kind = SOURCES[known.type]
    sent = {"content-type": content_type_of(kind, name, content_type), **headers}
    query: dict[str, str] = {}
    secret = known.secrets[0] if known.secrets else ""
    if isinstance(kind.protection, Hmac):
        sent[kind.protection.header] = kind.protection.prefix + digest(kind.protection, secret, body)
    elif secret:
        query[kind.protection.parameter] = secret
    try:
        return httpx.post(
            f"{url}/webhooks/{source}", content=body, headers=sent, params=query, timeout=30, trust_env=False
        )
    except httpx.HTTPError as error:
        raise click.ClickException(f"no receiver answers at {url}: {error}") from error


def content_type_of(kind: Source, name: str, given: str | None) -> str:
    """Return the content type to send: the one given, or what the file's ending and the source suggest."""
    if given:
        return given
    guess = next((media for ending, media in _BY_ENDING.items() if name.endswith(ending)), "")
    return guess if guess in kind.media_types else min(kind.media_types)
