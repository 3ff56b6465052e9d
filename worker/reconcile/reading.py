"""What the vendor says of the records of one kind: a list for many of them where it has one, else one by one.

A read that fails makes its records `not known`. It is never taken for a record that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mappings.vendor import Record
from worker.errors import DeliveryError, Hold, Rejected
from worker.reconcile.expected import Expected
from worker.vendors.api import Api
from worker.vendors.read_back import says_gone
from worker.vendors.vendor import Item, Kind, Listing

#: Ids of further records with one key that are kept; more are as good as these.
_MOST_OTHERS = 20

Asked = tuple[str, str]


@dataclass(slots=True)
class Said:
    """What the vendor says of one record.

    `item` is the record, None where it is missing; `is_known` says that no read has failed, else `error` tells
    which one. `others` are further records with its key, by their ids.
    """

    item: Item | None = None
    is_known: bool = True
    error: str = ""
    others: dict[str, Item] = field(default_factory=dict)


def is_readable(kind: Kind, one: Expected) -> bool:
    """Say whether the vendor can be asked for the record; without its payload not every one can."""
    proof = kind.proof
    if proof.cannot:
        return False
    return proof.one is not None or _list_of(proof.everywhere, one) is not None


class Reading:
    """The reads over one connection."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def of(self, kind: Kind, wanted: Sequence[Expected]) -> Mapping[str, Said]:
        """Return what the vendor says of each record, by its id. Raises Hold."""
        said = {one.id: Said() for one in wanted}
        if not wanted:
            return said
        # Records that bear a key of ours were not made before its event came.
        self._from_lists(kind.proof.alike, kind, wanted, said, min(one.since for one in wanted))
        for one in wanted:
            if said[one.id].is_known and (said[one.id].item is None or not kind.proof.whole):
                self._by_id(kind, one, said[one.id])
        unseen = [one for one in wanted if said[one.id].is_known and said[one.id].item is None]
        self._from_lists(kind.proof.everywhere, kind, unseen, said, None)
        return said

    def _by_id(self, kind: Kind, one: Expected, said: Said) -> None:
        read = kind.proof.one
        if read is None:
            return
        try:
            said.item = read(self._api, one.id)
        except Hold:
            raise
        except DeliveryError as error:
            _fail([said], error)

    def _from_lists(
        self,
        lists: Callable[[Record], Listing | None] | None,
        kind: Kind,
        wanted: Sequence[Expected],
        said: Mapping[str, Said],
        since: datetime | None,
    ) -> None:
        groups: dict[Asked, tuple[Listing, Mapping[str, Any], list[Expected]]] = {}
        for one in wanted:
            listing = _list_of(lists, one)
            if listing is None:
                continue
            try:
                asked = listing.asked(self._api, one.record or Record(one.kind, one.key, {}))
            except Hold:
                raise
            except DeliveryError as error:
                _fail([said[one.id]], error)
                continue
            name = listing.operation, str(sorted(asked.items(), key=str))
            groups.setdefault(name, (listing, asked, []))[2].append(one)
        for listing, asked, group in groups.values():
            try:
                for item in self._items(listing, asked, since):
                    self._note(listing, item, kind, group, said)
            except Hold:
                raise
            except DeliveryError as error:
                _fail([said[one.id] for one in group], error)

    def _items(self, listing: Listing, asked: Mapping[str, Any], since: datetime | None) -> Iterator[Item]:
        try:
            yield from listing.items(self._api, asked, since)
        except Rejected as error:
            # What hangs on a record that is not there is not there either.
            if not listing.is_of_record or error.status not in (404, 410) or not says_gone(error):
                raise

    def _note(
        self, listing: Listing, item: Item, kind: Kind, group: Sequence[Expected], said: Mapping[str, Said]
    ) -> None:
        found = item.get(listing.id)
        if found is None:
            return
        for one in group:
            mine = said[one.id]
            # The answer of an upsert may lack an id: then the key is all that we know of the record.
            by_key = kind.repeatable and one.id == one.key
            if str(found) == one.id or (by_key and self._is_alike(listing, item, one)):
                mine.item = item
            elif len(mine.others) < _MOST_OTHERS and self._is_alike(listing, item, one):
                mine.others[str(found)] = item

    def _is_alike(self, listing: Listing, item: Item, one: Expected) -> bool:
        return one.record is not None and listing.is_one(self._api, item, one.record)


def _list_of(lists: Callable[[Record], Listing | None] | None, one: Expected) -> Listing | None:
    if lists is None:
        return None
    listing = lists(one.record or Record(one.kind, one.key, {}))
    return None if listing is None or (listing.is_of_record and one.record is None) else listing


def _fail(said: Sequence[Said], error: DeliveryError) -> None:
    for one in said:
        one.is_known, one.error = False, f"{type(error).__name__}: {error}"
