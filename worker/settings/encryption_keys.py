"""The keys of RELAY_ENCRYPTION_KEY: 32 random bytes each, spelled in URL-safe base64 (RFC 4648, section 5)."""

from __future__ import annotations

import base64
import binascii
import os

KEY_BYTES = 32


def new_key() -> str:
    """Return a fresh key as text."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def key_bytes(text: str) -> bytes:
    """Return the key that `text` spells. Raises ValueError where it spells none."""
    try:
        raw = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return raw
