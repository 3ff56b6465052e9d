"""Genuine requests of every source: each fixture, proved as its sender would, and what the proof covers."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mappings.protection import BodyKey, Ecdsa, Hmac, SignedFields
from mappings.sources import SOURCES
from tests.conftest import NOON
from tests.engine.harness import ENVIRON, ROOT, SECRETS_OF_EVERY_SOURCE
from webhooks.signatures import signed_headers
from worker.settings import Settings, SourceSettings
from worker.settings.configuration import load

SAMPLES = ROOT / "tests" / "fixtures" / "sources"
SIDE_FILES = (".headers.json", ".commands.json", ".options.json", ".fetched.json")
BODIES = sorted(path for path in SAMPLES.glob("*/*") if not path.name.endswith(SIDE_FILES))
TOKEN = "token-of-every-source"
KEY = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Request:
    """A request as its sender makes it."""

    body: bytes
    headers: Mapping[str, str]
    token: str = ""


def beside(body: Path, what: str) -> Any:
    """Return what the file beside a fixture holds, an empty object where there is none."""
    path = body.with_suffix(f".{what}.json")
    return json.loads(path.read_text("utf-8"), parse_float=Decimal) if path.exists() else {}


@cache
def every_source() -> Settings:
    """Return docs/every-source.toml, as its readers take it over."""
    path = ROOT / "docs" / "every-source.toml"
    return load({**ENVIRON, **SECRETS_OF_EVERY_SOURCE, "RELAY_CONFIG": str(path)})


def configured(body: Path) -> Settings:
    """Return the settings with one source: that of the fixture, named after its kind, with its options."""
    kind = body.parent.name
    known = next(source for source in every_source().sources.values() if source.type == kind)
    secrets = (_secret_of(kind, body),) if known.secrets else ()
    options = beside(body, "options")
    source = replace(
        known,
        name=kind,
        secrets=secrets,
        tokens=(TOKEN,) if known.tokens else (),
        options=options,
        deliver_tests=options.get("deliver_tests", False),
    )
    return replace(every_source(), sources={kind: source})


def _secret_of(kind: str, body: Path) -> str:
    scheme = SOURCES[kind].signatures[0] if SOURCES[kind].signatures else None
    if isinstance(scheme, Ecdsa):
        der = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()
    if isinstance(scheme, BodyKey):
        return str(json.loads(body.read_bytes())[scheme.path])
    if isinstance(scheme, Hmac) and scheme.key_is == "base64":
        return scheme.secret_prefix + base64.b64encode(b"0123456789abcdef").decode()
    return "secret-of-every-source"


def genuine(body: Path, source: SourceSettings) -> Request:
    """Return the fixture as a request that proves what `source` asks for."""
    raw, headers = body.read_bytes(), dict(beside(body, "headers"))
    token = source.tokens[0] if source.tokens and not SOURCES[source.type].challenge else ""
    if not source.secrets:
        return Request(raw, headers, token)
    scheme, secret = source.signatures[0], source.secrets[0]
    if isinstance(scheme, Hmac):
        own = {name: headers[name] for name in (scheme.id_header,) if name in headers}
        proof = signed_headers(
            scheme, secret, raw, NOON, url=source.public_url, id_=next(iter(own.values()), "msg_1")
        )
        headers |= proof
    elif isinstance(scheme, Ecdsa):
        stamp = str(int(NOON.timestamp()))
        signature = KEY.sign(stamp.encode() + raw, ec.ECDSA(SHA256()))
        headers |= {scheme.timestamp_header: stamp, scheme.header: base64.b64encode(signature).decode()}
    elif isinstance(scheme, SignedFields):
        raw = _signed_inside(scheme, secret, raw, SOURCES[source.type].read(raw, headers["content-type"]))
    return Request(raw, headers, token)


def _signed_inside(scheme: SignedFields, secret: str, raw: bytes, content: Any) -> bytes:
    stamp, nonce, old = (last(content[name]) for name in (scheme.timestamp, scheme.nonce, scheme.signature))
    new = hmac.digest(secret.encode(), (stamp + nonce).encode(), "sha256").hex()
    assert raw.count(old.encode()) == 1
    return raw.replace(old.encode(), new.encode())


def last(value: Any) -> str:
    """Return a field of a form, the last of several of one name."""
    return str(value[-1] if isinstance(value, list) else value)


def covered(source: SourceSettings, request: Request) -> Iterator[range]:
    """Return the stretches of the body that the sender's proof covers: of most senders the whole."""
    scheme = source.signatures[0] if source.secrets and source.signatures else None
    if isinstance(scheme, Hmac | Ecdsa):
        yield range(len(request.body))
        return
    content = SOURCES[source.type].read(request.body, request.headers["content-type"])
    names = {BodyKey: ("path",), SignedFields: ("timestamp", "nonce", "signature")}.get(type(scheme), ())
    for name in names:
        value = last(content[getattr(scheme, name)]).encode()
        start = request.body.rindex(value)
        yield range(start, start + len(value))


def altered(body: bytes, place: int) -> bytes:
    """Return `body` with one bit of the byte at `place` turned over, a letter or digit another one."""
    return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
