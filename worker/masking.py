"""Takes personal data and credentials out of texts that people or logs will see."""

from __future__ import annotations

import re

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


def masked(text: str) -> str:
    """Return `text` with e-mail addresses, phone-like numbers and credentials replaced by what they are."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def excerpt(body: bytes | str) -> str:
    """Return the beginning of a vendor's answer, masked, for the operator's eyes."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    # Masked before it is cut: half a token would not look like one.
    return masked(" ".join(text[: 20 * EXCERPT_LENGTH].split()))[:EXCERPT_LENGTH]
