"""Columns that are encrypted at rest: the keys, the form of a sealed value, and the types of such columns.

A sealed value is `sealed:1:<key id>:<nonce and AES-256-GCM ciphertext>`, in base64 where the column is a text.
What does not begin so is plain, as all is that was written before there was a key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, LargeBinary, Text, TypeDecorator

from worker.errors import LedgerUnavailable

DAMAGED = "an encrypted value of the ledger is damaged: restore a backup"
_NONCE_BYTES = 12
_ID_LENGTH = 16
_BEGIN = b"sealed:"
_SEALED = b"sealed:1:"
#: Before a plain value that itself begins like a sealed one: a sender may post what it likes.
_ESCAPED = b"sealed:0:"
_HEAD = len(_SEALED) + _ID_LENGTH + 1


class Keys:
    """The keys of a process: the first seals, all of them open. Without a key values are written as they are."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        #: Their ids, which tell nothing of the keys; the first one's is that of the key that seals.
        self.ids = tuple(self._ciphers)
        self._first = self._ciphers[self.ids[0]] if keys else None
        self._head = _SEALED + self.ids[0].encode() + b":" if keys else b""

    def seal(self, plain: bytes) -> bytes:
        """Return `plain` as it is stored."""
        if self._first is None:
            return _ESCAPED + plain if plain.startswith(_BEGIN) else plain
        nonce = os.urandom(_NONCE_BYTES)
        return self._head + nonce + self._first.encrypt(nonce, plain, None)

    def open(self, stored: bytes) -> bytes:
        """Return what `seal` was given. Raises LedgerUnavailable where no key of ours fits."""
        if not stored.startswith(_BEGIN):
            return stored
        if stored.startswith(_ESCAPED):
            return stored[len(_ESCAPED) :]
        sealed_with = sealing_key(stored)
        if sealed_with is None:
            return stored
        cipher = self._ciphers.get(sealed_with)
        if cipher is None:
            raise LedgerUnavailable(lacking([sealed_with]))
        try:
            return cipher.decrypt(stored[_HEAD : _HEAD + _NONCE_BYTES], stored[_HEAD + _NONCE_BYTES :], None)
        except InvalidTag:
            raise LedgerUnavailable(DAMAGED) from None

    def seal_text(self, plain: str | None) -> str | None:
        """Return `plain` as a text column stores it."""
        if plain is None:
            return None
        if self._first is None:
            return f"{_ESCAPED.decode()}{plain}" if plain.startswith("sealed:") else plain
        sealed = self.seal(plain.encode())
        return sealed[:_HEAD].decode() + base64.b64encode(sealed[_HEAD:]).decode()

    def open_text(self, stored: str | None) -> str | None:
        """Return what `seal_text` was given. Raises LedgerUnavailable as `open` does."""
        if stored is None or not stored.startswith("sealed:"):
            return stored
        raw = stored.encode()
        if sealing_key(raw) is None:
            return self.open(raw).decode()
        try:
            sealed = base64.b64decode(raw[_HEAD:])
        except binascii.Error:
            raise LedgerUnavailable(DAMAGED) from None
        return self.open(raw[:_HEAD] + sealed).decode()


def sealing_key(stored: bytes) -> str | None:
    """Return the id of the key with which a stored value is sealed, None for one that is plain."""
    if not stored.startswith(_SEALED) or stored[_HEAD - 1 : _HEAD] != b":":
        return None
    return stored[len(_SEALED) : _HEAD - 1].decode("ascii", "replace")


def lacking(ids: Sequence[str]) -> str:
    """Return what to tell where the keys with `ids` are needed and not there."""
    named = ", ".join(ids)
    return (
        f"the ledger holds values encrypted with key {named}, which RELAY_ENCRYPTION_KEY does not have: "
        "add that key behind the others, parted by a comma"
    )


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"relay key id:" + key).hexdigest()[:_ID_LENGTH]


NO_KEYS = Keys()


def give_keys(dialect: Dialect, keys: Keys) -> None:
    """Let the sealed columns of the engine with this dialect use `keys`: each open ledger has its own."""
    dialect.relay_keys = keys  # type: ignore[attr-defined]


def keys_of(dialect: Dialect) -> Keys:
    """Return the keys that the dialect was given, else none."""
    found: Keys = getattr(dialect, "relay_keys", NO_KEYS)
    return found


class SealedText(TypeDecorator[str]):
    """A text that is encrypted where there is a key."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], Any] | None:
        """Seal on the way in."""
        return keys_of(dialect).seal_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None] | None:
        """Open on the way out."""
        return keys_of(dialect).open_text


class SealedBytes(TypeDecorator[bytes]):
    """Bytes that are encrypted where there is a key."""

    impl = LargeBinary
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[bytes | None], Any] | None:
        """Seal on the way in."""
        keys, bind = keys_of(dialect), super().bind_processor(dialect)

        def seal(value: bytes | None) -> Any:
            stored = None if value is None else keys.seal(value)
            return bind(stored) if bind else stored

        return seal

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], bytes | None] | None:
        """Open on the way out."""
        keys, fetch = keys_of(dialect), super().result_processor(dialect, coltype)

        def unseal(value: Any) -> bytes | None:
            stored = fetch(value) if fetch else value
            return None if stored is None else keys.open(bytes(stored))

        return unseal
