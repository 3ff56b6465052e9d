"""Our keys of records: readable where they can be, and safe in a URL, a title and a queue's name."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

#: Leaves room for a prefix such as "acct-" within the 64 characters that a record's key may have.
_KEY_LENGTH = 58
_HASH_LENGTH = 10


def slug(name: str) -> str:
    """Return `name` as ASCII that is safe in a URL path, with a hash of it where anything was lost."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9._@+-]+", "-", bare).strip("-")
    if kept and kept == name and len(kept) <= _KEY_LENGTH:
        return kept
    mark = sha256(unicodedata.normalize("NFC", name).encode()).hexdigest()[:_HASH_LENGTH]
    return f"{kept[: _KEY_LENGTH - _HASH_LENGTH - 1]}-{mark}".lstrip("-")
