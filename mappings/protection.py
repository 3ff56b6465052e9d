"""How a sender proves that a request is its own, as data; webhooks/signatures.py checks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

#: How old a signed time may be, and how far in the future, where a sender's document names five minutes.
FIVE_MINUTES = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Hmac:
    """A digest over the raw body and what goes with it, sent in a header.

    `algorithm` is a name of hashlib, `encoding` says how the digest is written and `prefix` what stands before
    it. `signed` is what the digest is over: `{body}`, `{ts}`, `{id}`, `{method}`, `{url}` (whole, as the sender
    calls it), `{secret}`. Where the header is a list such as `t=…,v1=…`, `parted_by` is its separator,
    `signature_name` the name of the digests (there may be several) and `timestamp_name` that of the time;
    else the time is in `timestamp_header`. A list with nothing but digests is parted by `parted_by`, too, with
    no `signature_name`. `tolerance` bounds the time's distance from now. `key_is` says how the key is made of
    the secret as the operator got it, `secret_prefix` what is taken off it before. Not `keyed` is a plain
    digest. `only_if` is a header with a value that tells which of several schemes was used.
    """

    header: str
    algorithm: str = "sha256"
    encoding: Literal["base64", "hex"] = "base64"
    prefix: str = ""
    signed: str = "{body}"
    parted_by: str = ""
    signature_name: str = ""
    timestamp_name: str = ""
    timestamp_header: str = ""
    timestamp_in: Literal["seconds", "milliseconds", "iso"] = "seconds"
    id_header: str = ""
    tolerance: timedelta | None = None
    key_is: Literal["text", "base64", "html"] = "text"
    secret_prefix: str = ""
    keyed: bool = True
    only_if: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SignedFields:
    """A digest over two fields of the body, which is itself one (Mailgun): the rest is not covered by it."""

    timestamp: str = "timestamp"
    nonce: str = "token"
    signature: str = "signature"
    inside: str = ""  # the object that holds them, where they are not at the top
    tolerance: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Ecdsa:
    """An ECDSA signature (P-256, SHA-256, DER in base64) over time and body; the "secret" is the public key."""

    header: str
    timestamp_header: str
    tolerance: timedelta | None = None


@dataclass(frozen=True, slots=True)
class BodyKey:
    """The secret itself, in a field of the JSON body (Google Ads); `path` is its name."""

    path: str


Signature = Hmac | SignedFields | Ecdsa | BodyKey


@dataclass(frozen=True, slots=True)
class Challenge:
    """A GET by which the sender asks whether the address is ours; we answer a parameter's text.

    `only_if` is a parameter with the value that makes the request one; without it, that `echo` is there does.
    `token` is the parameter that must hold the source's token, `echo` the one to answer.
    """

    echo: str
    token: str
    only_if: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Ping:
    """An unsigned form post by which the sender asks whether anybody is there: nothing but `field` is in it."""

    field: str
