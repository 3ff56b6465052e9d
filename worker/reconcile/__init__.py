"""Compares what was delivered with what the CRM holds: each record there, once, and as it was sent.

The ledger is read page by page and of a page no more than its records is kept, so memory does not grow with the
period.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from worker.errors import Hold
from worker.ledger.database import Database
from worker.ledger.reconciling import Delivered, Period, pages
from worker.reconcile.agreement import differences
from worker.reconcile.expected import Expected, Name, expected_of
from worker.reconcile.findings import Difference, Finding, Tally, Verdict
from worker.reconcile.reading import Reading, Said, is_readable
from worker.settings import Settings
from worker.vendors.api import Api
from worker.vendors.vendor import Item, Kind, Proof

#: Records that many deliveries share are asked for once, as long as no more than these came in between.
REMEMBERED = 50_000
#: A kind that only an earlier version made.
_UNKNOWN = Kind("", "", str, proof=Proof(cannot="this version makes no such records"))


@dataclass(frozen=True, slots=True)
class Compared:
    """One page: how many deliveries it had, and what was found."""

    deliveries: int
    findings: Sequence[Finding]


def reconcile(settings: Settings, db: Database, api: Api, period: Period, tally: Tally) -> Iterator[Compared]:
    """Yield what is found page by page, and count it in `tally`, whose `mark` is where to go on.

    Where nothing can be read any more, `tally.stopped` says why; the page under way then counts for nothing.
    """
    seen: OrderedDict[Name, None] = OrderedDict()
    for page in pages(db, period):
        so_far = Tally(deliveries=len(page), mark=page[-1].created_at)
        try:
            wanted = _wanted(settings, db, api, page, seen, so_far)
            findings = _found(api, wanted, so_far)
        except Hold as error:
            tally.stopped = str(error)
            return
        tally.merge(so_far)
        yield Compared(len(page), findings)


def _wanted(
    settings: Settings,
    db: Database,
    api: Api,
    page: Sequence[Delivered],
    seen: OrderedDict[Name, None],
    tally: Tally,
) -> Mapping[str, list[Expected]]:
    """Return the page's records by kind, each once; those of earlier pages where this one tells more."""
    found: dict[Name, Expected] = {}
    for delivered in page:
        for one in expected_of(settings, db, api, delivered, tally):
            name = one.kind, one.key
            if name in found:
                if one.sent is not None or found[name].record is None:
                    found[name] = replace(one, was_asked=found[name].was_asked)
            elif name not in seen:
                found[name] = one
            elif one.sent is not None:
                found[name] = replace(one, was_asked=True)
            seen[name] = None
            seen.move_to_end(name)
    while len(seen) > REMEMBERED:
        seen.popitem(last=False)
    by_kind: dict[str, list[Expected]] = {}
    for one in found.values():
        by_kind.setdefault(one.kind, []).append(one)
    return by_kind


def _found(api: Api, wanted: Mapping[str, Sequence[Expected]], tally: Tally) -> list[Finding]:
    findings: list[Finding] = []
    for kind, some in wanted.items():
        # Kinds come in the order of the steps: what others hang on, before them.
        missing = {(found.kind, found.key) for found in findings if found.verdict == "missing"}
        findings += _of_kind(api, kind, some, missing, tally)
    return findings


def _of_kind(
    api: Api, name: str, some: Sequence[Expected], missing: Set[Name], tally: Tally
) -> Iterator[Finding]:
    kind = api.vendor.kinds.get(name, _UNKNOWN)
    readable = list(_readable(kind, some, tally))
    said = Reading(api).of(kind, readable)
    for one in readable:
        if one.below & missing:
            # Whatever is left of it hangs on nothing, and it comes back with what it hung on.
            said[one.id].item = None
        for found in _judged(kind.proof, one, said[one.id], tally):
            if not one.was_asked or found.verdict == "changed":
                tally.add(name, found.verdict)
                yield found
        if not one.was_asked and said[one.id].is_known and said[one.id].item is not None:
            tally.add(name, "there")


def _readable(kind: Kind, some: Sequence[Expected], tally: Tally) -> Iterator[Expected]:
    for one in some:
        if not one.was_asked:
            tally.add(one.kind, "delivered")
        if is_readable(kind, one):
            yield one
        elif not one.was_asked:
            tally.add(one.kind, "uncompared")
            tally.uncompared[one.kind] = (
                kind.proof.cannot or "without the payload nothing tells where to look"
            )


def _judged(proof: Proof, one: Expected, said: Said, tally: Tally) -> Iterator[Finding]:
    def finding(verdict: Verdict, **more: Any) -> Finding:
        return Finding(verdict, one.kind, one.key, one.id, one.delivery, **more)

    if not said.is_known:
        yield finding("not known", why=said.error)
        return
    others = tuple(said.others)
    if said.item is None:
        yield finding("missing", others=others)
        return
    if others:
        yield finding("doubled", others=others, younger=_younger(proof, said.item, said.others))
    if one.sent is not None:
        fields = _compared(one.sent, said.item, proof, tally, one.kind)
        if fields:
            yield finding("changed", fields=tuple(fields))


def _compared(sent: Mapping[str, Any], item: Item, proof: Proof, tally: Tally, kind: str) -> list[Difference]:
    fields, unseen = differences(sent, item, proof)
    if unseen:
        tally.unseen.setdefault(kind, set()).update(unseen)
    return fields


def _younger(proof: Proof, linked: Item, others: Mapping[str, Item]) -> str:
    """Return the id of the one double that is surely younger than ours and may be deleted, else nothing."""
    if not proof.delete or len(others) != 1:
        return ""
    ((record_id, other),) = others.items()
    ours, theirs = linked.get(proof.made_at), other.get(proof.made_at)
    return record_id if ours and theirs and str(theirs) > str(ours) else ""
