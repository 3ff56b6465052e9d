"""Reading a vendor's lists to their end, whatever page size the vendor really gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from worker.errors import VendorDown
from worker.vendors.vendor import Item

#: Pages read at most in one look-up. Beyond, "not found" would be a guess, so the look-up counts as failed.
PAGES = 1000


def every(operation: str, page: Callable[[int, int], tuple[list[Item], bool]]) -> Iterator[Item]:
    """Yield the items of all pages; `page(number, skip)` reads one, counted from 0, and says if it is the last.

    Where the vendor does not say so, the end is a page that brings nothing new. A short page is not the end: a
    server may give fewer than it was asked for, and a record that was missed for that would be made twice.
    Raises VendorDown beyond `PAGES`.
    """
    seen: set[str] = set()
    for number in range(PAGES):
        items, is_last = page(number, len(seen))
        fresh = {_mark(item): item for item in items if _mark(item) not in seen}
        if not fresh:
            return
        seen |= set(fresh)
        yield from fresh.values()
        if is_last:
            return
    raise VendorDown(f"{operation}: more than {PAGES} pages; the look-up was given up without an answer")


def _mark(item: Item) -> str:
    # The entries of some lists have no id; then nothing but the whole entry tells it from the others.
    return str(item if item.get("id") is None else item["id"])


def listed(operation: str, items: Any) -> list[Item]:
    """Return `items` as the records of a list. Raises VendorDown where it is none."""
    if not isinstance(items, list):
        raise VendorDown(f"{operation}: answered something that is no list")
    return [item for item in items if isinstance(item, dict)]
