"""Checks that a request is the sender's own; the only maker of VerifiedBody."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType, assert_never

from mappings.source import Hmac, UrlToken

VerifiedBody = NewType("VerifiedBody", bytes)


class NotGenuine(Exception):
    """The request does not prove that it is the sender's; the text says what it lacks, never what was expected."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request offers as proof. Header names are in lower case; `password` is that of Basic auth."""

    headers: Mapping[str, str]
    parameters: Mapping[str, str]
    password: str | None


def verify(protection: Hmac | UrlToken, secrets: Sequence[str], proof: Proof, body: bytes) -> VerifiedBody:
    """Return `body` as verified when one of `secrets` fits; several are valid at once while one is rotated.

    Raises NotGenuine.
    """
    match protection:
        case Hmac():
            _check_digest(protection, secrets, proof, body)
        case UrlToken():
            _check_token(protection, secrets, proof)
        case _:
            assert_never(protection)
    return VerifiedBody(body)


def _check_digest(scheme: Hmac, secrets: Sequence[str], proof: Proof, body: bytes) -> None:
    given = proof.headers.get(scheme.header, "")
    if not given:
        raise NotGenuine(f"the header {scheme.header} is missing")
    if not given.startswith(scheme.prefix):
        raise NotGenuine(f"the header {scheme.header} does not begin with {scheme.prefix!r}")
    # Every secret is tried, so that the time taken does not tell which one is the current.
    fits = [_equal(given.removeprefix(scheme.prefix), digest(scheme, secret, body)) for secret in secrets]
    if not any(fits):
        raise NotGenuine(f"the header {scheme.header} does not fit the body")


def digest(scheme: Hmac, secret: str, body: bytes) -> str:
    """Return the digest of `body` as `scheme` writes it, without the prefix."""
    raw = hmac.digest(secret.encode(), body, getattr(hashlib, scheme.algorithm))
    return raw.hex() if scheme.encoding == "hex" else base64.b64encode(raw).decode()


def _check_token(scheme: UrlToken, secrets: Sequence[str], proof: Proof) -> None:
    if not secrets and not scheme.required:
        return
    given = proof.parameters.get(scheme.parameter) or proof.password
    if not given:
        raise NotGenuine(f"the URL has no {scheme.parameter} and the request no password")
    fits = [_equal(given, secret) for secret in secrets]
    if not any(fits):
        raise NotGenuine(f"the {scheme.parameter} of the URL is not valid")


def _equal(given: str, expected: str) -> bool:
    # As bytes: compare_digest refuses text that is not ASCII, and anybody may send that.
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
