"""Keys that tell who somebody is, and what stands for them where a name must not."""

from __future__ import annotations

import hashlib
import re

#: Characters of a key that are kept as they are: an index of PostgreSQL takes a third of a page.
LONGEST_KEY = 200
#: An e-mail address, of which a long key may have lost the end, or a phone number in E.164.
_PERSONAL = re.compile(r"\S@\w|\+[0-9]{6,}")
_FORGOTTEN = "forgotten:"


def is_personal(key: str) -> bool:
    """Say whether `key` holds an e-mail address or a phone number."""
    return _PERSONAL.search(key) is not None


def bounded(key: str) -> str:
    """Return `key`, or its digest where it is too long for an index or holds an address.

    Keys that are only compared are stored so from the first day: a late repeat is recognised though the ledger
    never knew whose it was.
    """
    if len(key) <= LONGEST_KEY and not is_personal(key):
        return key
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def veiled(key: str) -> str:
    """Return what stands for the key of somebody who was forgotten, always the same."""
    return f"{_FORGOTTEN}{hashlib.sha256(key.encode()).hexdigest()}"


def is_veiled(key: str) -> bool:
    """Say whether `key` is that of somebody who was forgotten."""
    return key.startswith(_FORGOTTEN)
