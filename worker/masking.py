"""Takes personal data and credentials out of texts that people or logs will see.

What a credential looks like is guessed by patterns; those that this process knows are told to it (`learn`,
`learn_token`) and are found in any text, also base64 (as in `Basic …`), in a URL or in JSON.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

_PATTERNS = (
    (re.compile(r"[\w.+%-]+(?:@|%40)[\w-]+(\.[\w-]+)+"), "<email>"),  # %40: as in an address that is echoed
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), r"\1 <secret>"),
    (
        re.compile(r"(?i)(token|secret|password|api_?key)([\"']?\s*[=:]\s*[\"']?)[^\s\"'&,}]+"),
        r"\1\2<secret>",
    ),
    (re.compile(r"(?i)\b(token|secret|password|key)\s+[\"']?(?=[\w.~+/-]*\d)[\w.~+/-]{8,}"), r"\1 <secret>"),
    (re.compile(r"(?<![\w-])\+?\d[\d ().-]{6,}\d(?![\w-])"), "<number>"),
)
EXCERPT_LENGTH = 300
#: A shorter secret would be found in words that are none.
SHORTEST = 6
#: Of the tokens that vendors hand out, the newest are remembered: a process lives through many of them, and each
#: makes every log line a microsecond or two dearer.
MOST_TOKENS = 40

_lasting: dict[str, tuple[str, ...]] = {}
_tokens: dict[str, tuple[str, ...]] = {}
_lock = threading.Lock()
_pattern: re.Pattern[str] | None = None


def learn(secrets: Iterable[str]) -> None:
    """Take these secrets out of every text from now on."""
    _remember(secrets, _lasting)


def learn_token(token: str) -> None:
    """Take this token, which a vendor has handed out, out of every text until many newer ones are there."""
    _remember([token], _tokens, MOST_TOKENS)


def _remember(secrets: Iterable[str], known: dict[str, tuple[str, ...]], most: int | None = None) -> None:
    global _pattern
    new = {secret for secret in secrets if len(secret) >= SHORTEST}
    with _lock:
        if new <= known.keys():
            return
        known.update({secret: tuple(_forms(secret)) for secret in new})
        while most is not None and len(known) > most:
            del known[next(iter(known))]
        # The longest first: one secret may begin like another.
        every = (*_lasting.values(), *_tokens.values())
        forms = sorted({form for forms in every for form in forms}, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, forms)))


def without_secrets(text: str) -> str:
    """Return `text` with every secret that was learnt replaced."""
    return _pattern.sub("<secret>", text) if _pattern else text


def without_secrets_inside(value: Any) -> Any:
    """Return `value` with every secret that was learnt replaced in its texts, at any depth."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {name: without_secrets_inside(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(without_secrets_inside(item) for item in value)
    return value


def masked(text: str) -> str:
    """Return `text` with e-mail addresses, phone-like numbers and credentials replaced by what they are."""
    text = without_secrets(text)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def excerpt(body: bytes | str) -> str:
    """Return the beginning of a vendor's answer, masked, for the operator's eyes."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    # Masked before it is cut: half a token would not look like one.
    return masked(" ".join(text[: 20 * EXCERPT_LENGTH].split()))[:EXCERPT_LENGTH]


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    for shift in range(3):
        # As part of something longer its base64 depends on where it begins; the characters at both ends, which
        # hold bits of the neighbours, are left out.
        shifted = b"\0" * shift + secret.encode()
        whole = base64.b64encode(shifted).decode().rstrip("=")
        inner = whole[(shift * 8 + 5) // 6 : len(shifted) * 8 // 6]
        if len(inner) >= SHORTEST:
            yield inner
            yield inner.translate({ord("+"): "-", ord("/"): "_"})
            yield quote(inner, safe="")
