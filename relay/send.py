"""Posts a request as its sender would: signed, or with the token in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

import httpx

from mappings.protection import Hmac
from mappings.source import Source
from mappings.sources import SOURCES
from relay.errors import NoAnswer
from webhooks.signatures import signed_headers
from worker.settings import SourceSettings

_BY_ENDING = {".json": "application/json", ".txt": "application/x-www-form-urlencoded"}


def post_sample(
    source: SourceSettings, body: bytes, headers: Mapping[str, str], content_type: str, url: str
) -> httpx.Response:
    """Post `body` to the receiver at `url` as the sender of `source` would; return its answer.

    Raises NoAnswer where there is no receiver.
    """
    sender = SOURCES[source.type]
    address = source.public_url or f"{url}/webhooks/{source.name}"
    sent = {"content-type": content_type, **headers}
    scheme = next((s for s in source.signatures if isinstance(s, Hmac)), None)
    if source.secrets and scheme:
        sent |= signed_headers(
            scheme, source.secrets[0], body, datetime.now(UTC), url=address, id_=f"msg_{uuid4().hex}"
        )
    query = {"token": source.tokens[0]} if source.tokens and not sender.challenge else {}
    try:
        return httpx.post(
            f"{url}/webhooks/{source.name}",
            content=body,
            headers=sent,
            params=query,
            timeout=30,
            trust_env=False,
        )
    except httpx.HTTPError as error:
        raise NoAnswer(f"no receiver answers at {url}: {error}") from error


def content_type_of(sender: Source, file_name: str, given: str | None) -> str:
    """Return the content type to send: the one given, or what the file's ending and the sender suggest."""
    if given:
        return given
    guess = next((media for ending, media in _BY_ENDING.items() if file_name.endswith(ending)), "")
    return guess if guess in sender.media_types else min(sender.media_types)
