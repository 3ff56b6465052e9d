"""Ids that sort by the time they were made (UUID version 7, RFC 9562 section 5.7)."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Iterator

#: Random numbers of 64 bits that are asked of the system at once: one at a time they cost more than all the rest.
_AT_ONCE = struct.Struct("=256Q")
_lock = threading.Lock()
_last = 0
_tails: Iterator[int] = iter(())


def new_id() -> str:
    """Return a new UUIDv7 as text, greater than every one this process made before.

    The 12 bits after the milliseconds hold their fraction (RFC 9562 section 6.2, method 3), so two ids made in
    one millisecond keep their order: an entity's events are applied in the order of their ids.
    """
    global _last, _tails
    with _lock:
        stamp = time.time_ns() * 4096 // 1_000_000
        _last = stamp = max(stamp, _last + 1)
        tail = next(_tails, None)
        if tail is None:
            _tails = iter(_AT_ONCE.unpack(os.urandom(_AT_ONCE.size)))
            tail = next(_tails)
    at, end = f"{stamp:015x}", f"{tail >> 2 | 0b10 << 62:016x}"
    return f"{at[:8]}-{at[8:12]}-7{at[12:]}-{end[:4]}-{end[4:]}"


def _forget() -> None:
    # Or parent and child would go on with the same numbers; and the lock may be held by a thread that is not here.
    global _lock, _tails
    _lock, _tails = threading.Lock(), iter(())


os.register_at_fork(after_in_child=_forget)
