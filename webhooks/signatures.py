"""Checks that a request is the sender's own; the only maker of VerifiedBody."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NewType, assert_never

from mappings.protection import BodyKey, Ecdsa, Hmac, Signature, SignedFields
from webhooks.ecdsa import fits_key

#: What wp_specialchars_decode with ENT_QUOTES decodes (wordpress-develop, wp-includes/formatting.php).
_DECODED = re.compile("&(?:amp|lt|gt|quot|#0*(?:34|38|39|60|62)|#[xX]0*(?:22|26|27));")

VerifiedBody = NewType("VerifiedBody", bytes)


class NotGenuine(Exception):
    """The request does not prove that it is the sender's; the text says what it lacks, never what was expected."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request offers as proof.

    Header names are in lower case. What few senders offer is made when it is asked for: `parameters` of the URL,
    the `password` of Basic auth, `url` as the sender calls it, and what `read` makes of the body. `now` is aware.
    """

    headers: Mapping[str, str]
    parameters: Callable[[], Mapping[str, str]]
    password: Callable[[], str | None]
    method: str
    url: Callable[[], str]
    read: Callable[[], Any]
    now: datetime


def verify(
    signatures: Sequence[Signature], secrets: Sequence[str], tokens: Sequence[str], proof: Proof, body: bytes
) -> VerifiedBody:
    """Return `body` as verified when it is signed with one of `secrets` and bears one of `tokens`.

    Several are valid at once while one is rotated. What is not configured is not asked for: no secrets, no
    signature; no tokens, no token. Of several schemes of one sender the first counts whose header is there.
    Raises NotGenuine.
    """
    if secrets and signatures:
        _check(next((s for s in signatures if _applies(s, proof)), signatures[0]), secrets, proof, body)
    if tokens:
        check_token(tokens, proof)
    return VerifiedBody(body)


def check_token(tokens: Sequence[str], proof: Proof, parameter: str = "token") -> None:
    """Raise NotGenuine unless one of `tokens` is in the URL, in a header or the password of Basic auth."""
    scheme, _, bearer = proof.headers.get("authorization", "").partition(" ")
    given = (
        proof.parameters().get(parameter)
        or proof.headers.get("x-relay-token")
        or (bearer.strip() if scheme.lower() == "bearer" else "")
        or proof.password()
    )
    if not given:
        raise NotGenuine(f"no token: neither {parameter} in the URL, nor a header, nor a password")
    if not _any(_equal(given, token) for token in tokens):
        raise NotGenuine("the token is not valid")


def signed_headers(
    scheme: Hmac, secret: str, body: bytes, at: datetime, url: str = "", id_: str = ""
) -> dict[str, str]:
    """Return the headers with which the sender of `scheme` would post `body` at the time `at`."""
    stamp = _stamp_of(scheme, at)
    digest = scheme.prefix + _digest(scheme, secret, _signed(scheme, secret, stamp, id_, "POST", url, body))
    if scheme.signature_name:
        digest = scheme.parted_by.join(
            (f"{scheme.timestamp_name}={stamp}", f"{scheme.signature_name}={digest}")
        )
    others = ((scheme.timestamp_header, stamp), (scheme.id_header, id_), scheme.only_if or ("", ""))
    return {scheme.header: digest} | {name: value for name, value in others if name}


def _applies(scheme: Signature, proof: Proof) -> bool:
    if not isinstance(scheme, Hmac | Ecdsa):
        return True
    wanted = scheme.only_if if isinstance(scheme, Hmac) else None
    return scheme.header in proof.headers and (not wanted or proof.headers.get(wanted[0]) == wanted[1])


def _check(scheme: Signature, secrets: Sequence[str], proof: Proof, body: bytes) -> None:
    match scheme:
        case Hmac():
            _check_digest(scheme, secrets, proof, body)
        case SignedFields():
            _check_fields(scheme, secrets, proof)
        case BodyKey():
            content = proof.read()
            given = content.get(scheme.path) if isinstance(content, Mapping) else None
            if not isinstance(given, str) or not _any(_equal(given, secret) for secret in secrets):
                raise NotGenuine(f"{scheme.path} in the body is missing or not valid")
        case Ecdsa():
            stamp = _needed(proof, scheme.timestamp_header)
            given = _needed(proof, scheme.header)
            _check_time(stamp, "seconds", scheme.tolerance, proof.now)
            if not _any(fits_key(key, given, stamp.encode() + body) for key in secrets):
                raise NotGenuine(f"the header {scheme.header} does not fit the body")
        case _:
            assert_never(scheme)


def _check_digest(scheme: Hmac, secrets: Sequence[str], proof: Proof, body: bytes) -> None:
    header = _needed(proof, scheme.header)
    stamp, given = _parted(scheme, header)
    if scheme.timestamp_header:
        stamp = _needed(proof, scheme.timestamp_header)
    if not given:
        raise NotGenuine(
            f"the header {scheme.header} does not begin with {scheme.prefix!r}, or holds no digest"
        )
    id_ = _needed(proof, scheme.id_header) if scheme.id_header else ""
    if "{ts}" in scheme.signed:
        _check_time(stamp, scheme.timestamp_in, scheme.tolerance, proof.now)
    url = proof.url() if "{url}" in scheme.signed else ""
    # Every secret is tried with every digest, so that the time taken does not tell which one is the current.
    made = [
        _digest(scheme, secret, _signed(scheme, secret, stamp, id_, proof.method, url, body))
        for secret in secrets
    ]
    if not _any(_equal(one, digest) for one in given for digest in made):
        raise NotGenuine(f"the header {scheme.header} does not fit the body")


def _parted(scheme: Hmac, header: str) -> tuple[str, list[str]]:
    """Return the time and the digests that a header holds, without their prefix."""
    parts = [part.strip() for part in header.split(scheme.parted_by)] if scheme.parted_by else [header]
    stamp, digests = "", parts
    if scheme.signature_name:
        pairs = [part.partition("=") for part in parts]
        stamp = next((value for name, _, value in pairs if name == scheme.timestamp_name), "")
        digests = [value for name, _, value in pairs if name == scheme.signature_name]
    return stamp, [d.removeprefix(scheme.prefix) for d in digests if d.startswith(scheme.prefix)]


def _signed(scheme: Hmac, secret: str, ts: str, id_: str, method: str, url: str, body: bytes) -> bytes:
    values = {"ts": ts, "id": id_, "method": method, "url": url, "secret": secret}
    parts = re.split(r"{(body|ts|id|method|url|secret)}", scheme.signed)
    return b"".join(
        part.encode() if place % 2 == 0 else body if part == "body" else _bytes(values[part])
        for place, part in enumerate(parts)
    )


def _digest(scheme: Hmac, secret: str, signed: bytes) -> str:
    algorithm = getattr(hashlib, scheme.algorithm)
    raw = hmac.digest(_key(scheme, secret), signed, algorithm) if scheme.keyed else algorithm(signed).digest()
    return raw.hex() if scheme.encoding == "hex" else base64.b64encode(raw).decode()


def _key(scheme: Hmac, secret: str) -> bytes:
    bare = secret.removeprefix(scheme.secret_prefix)
    if scheme.key_is == "base64":
        try:
            return base64.b64decode(bare + "=" * (-len(bare) % 4))
        except binascii.Error as error:
            raise NotGenuine("the source's secret in the configuration is not base64") from error
    # Not html.unescape as a whole, which reads `&copy` without its semicolon, too: WordPress decodes these five.
    return _bytes(_DECODED.sub(lambda m: html.unescape(m[0]), bare) if scheme.key_is == "html" else bare)


def _check_fields(scheme: SignedFields, secrets: Sequence[str], proof: Proof) -> None:
    content = proof.read()
    found = content.get(scheme.inside, {}) if scheme.inside and isinstance(content, Mapping) else content
    names = (scheme.timestamp, scheme.nonce, scheme.signature)
    parts = [found.get(name) if isinstance(found, Mapping) else None for name in names]
    # A form that repeats a field gives a list: the last one counts.
    stamp, token, given = (
        str((part[-1] if isinstance(part, list) and part else part) or "") for part in parts
    )
    if not (stamp and token and given):
        raise NotGenuine(f"the body lacks {', '.join(names)}")
    _check_time(stamp, "seconds", scheme.tolerance, proof.now)
    signed = _bytes(stamp + token)
    if not _any(_equal(given, hmac.digest(_bytes(key), signed, "sha256").hex()) for key in secrets):
        raise NotGenuine(f"{scheme.signature} in the body does not fit")


def _check_time(stamp: str, unit: str, tolerance: timedelta | None, now: datetime) -> None:
    try:
        if unit == "iso":
            at = datetime.fromisoformat(stamp)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
        else:
            at = datetime.fromtimestamp(int(stamp) / (1000 if unit == "milliseconds" else 1), UTC)
    except (ValueError, OverflowError, OSError):
        raise NotGenuine("the time of the signature is missing or cannot be read") from None
    if tolerance is not None and abs(now - at) > tolerance:
        raise NotGenuine(
            f"the signature's time is more than {int(tolerance.total_seconds())} s away from ours"
        )


def _stamp_of(scheme: Hmac, at: datetime) -> str:
    if scheme.timestamp_in == "iso":
        return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(int(at.timestamp() * (1000 if scheme.timestamp_in == "milliseconds" else 1)))


def _needed(proof: Proof, header: str) -> str:
    given = proof.headers.get(header, "")
    if not given:
        raise NotGenuine(f"the header {header} is missing")
    return given


def _any(fits: Any) -> bool:
    # A list, not a generator: each is compared, whichever fits.
    return any(list(fits))


def _equal(given: str, expected: str) -> bool:
    # As bytes: compare_digest refuses text that is not ASCII, and anybody may send that.
    return hmac.compare_digest(_bytes(given), expected.encode())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
