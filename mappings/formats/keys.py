"""Our keys of records: readable where they can be, and safe in a URL, a title and a queue's name."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha1, sha256

#: Leaves room for a prefix such as "acct-" within the 64 characters that a record's key may have.
_KEY_LENGTH = 58
_HASH_LENGTH = 10
#: Our own namespace of UUIDs, once chosen at random.
_NAMESPACE = bytes.fromhex("5b0ce0b9a8f44c1e9d6f3f6c8e21d7aa")


def slug(name: str) -> str:
    """Return `name` as ASCII that is safe in a URL path, with a hash of it where anything was lost."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9._@+-]+", "-", bare).strip("-")
    if kept and kept == name and len(kept) <= _KEY_LENGTH:
        return kept
    mark = sha256(unicodedata.normalize("NFC", name).encode()).hexdigest()[:_HASH_LENGTH]
    return f"{kept[: _KEY_LENGTH - _HASH_LENGTH - 1]}-{mark}".lstrip("-")


def named_uuid(name: str) -> str:
    """Return the UUID that `name` always has: version 5 (RFC 9562, section 5.5), in our own namespace."""
    made = bytearray(sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    text = made.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
