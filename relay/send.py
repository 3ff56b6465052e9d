"""Posts a request as its sender would: signed, or with the token in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

import click
import httpx

from mappings.protection import Hmac
from mappings.source import Source
from mappings.sources import SOURCES
from relay.inputs import known as known_name
from webhooks.signatures import signed_headers
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
    """Post `body` to the receiver at `url` as the sender of `source` would; return its answer.

    Raises WrongInput where there is no such source, and click.ClickException where nobody answers.
    """
    known = settings.sources[known_name("source", source, settings.sources, f"in {settings.config_path}")]
    kind = SOURCES[known.type]
    address = known.public_url or f"{url}/webhooks/{source}"
    sent = {"content-type": content_type_of(kind, name, content_type), **headers}
    scheme = next((s for s in known.signatures if isinstance(s, Hmac)), None)
    if known.secrets and scheme:
        sent |= signed_headers(
            scheme, known.secrets[0], body, datetime.now(UTC), url=address, id_=f"msg_{uuid4().hex}"
        )
    query = {"token": known.tokens[0]} if known.tokens and not kind.challenge else {}
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
