"""Searches CRMTop's records of any kind by the filters of the body and answers them in pages."""

from collections.abc import Mapping
from datetime import datetime

from sandbox.crmtop.actions import Action, success
from sandbox.crmtop.fields import PAGE, PERIOD, Typed
from sandbox.crmtop.records import KINDS, Invalid, built_in, local_time, search_text, shown
from sandbox.fields import Json
from sandbox.store import Query, Record
from sandbox.vendor import Answer, Call, Desk

# The reference names no default size of a page.
PAGE_SIZE = 20


def search(kind: str) -> Action:
    """Make the action that answers one page of the records that fit every filter of the body."""

    def action(desk: Desk, call: Call) -> Answer:
        fitting = _fitting(desk, kind, call.body)
        size = call.body.get("pageSize") or PAGE_SIZE
        first = int(desk.options["first_page"])
        number = max(first, call.body.get("pageNumber") or first)
        if size < 0:
            raise Invalid({"pageSize": ["must not be negative"]})
        pages = -(-len(fitting) // size)
        before = number - first
        page = {
            "currentPage": number,
            "totalPages": pages,
            "totalCount": len(fitting),
            "pageSize": size,
            "hasPreviousPage": before > 0,
            "hasNextPage": before + 1 < pages,
            "data": [shown(desk, one) for one in fitting[before * size : (before + 1) * size]],
        }
        return success(page)

    return action


def _fitting(desk: Desk, kind: str, body: Json) -> list[Record]:
    unfiltered = {field.name for field in (*PAGE, *PERIOD)}
    given: Mapping[Typed, object] = {
        field: body[field.name]
        for field in KINDS[kind].filters
        if field.name not in unfiltered and body.get(field.name) not in (None, "")
    }
    keys = {field.name: [value] for field, value in given.items() if field.type == "ids"}
    wanted = body.get("search") or ""
    # Every text filter is about a searched field, so its value narrows what has to be read.
    texts = [str(value) for field, value in given.items() if field.type == "texts"]
    narrow = wanted or max(texts, key=len, default="")
    query = Query(keys, narrow, created_until_ms=desk.searchable_until_ms())
    start = [
        one for one in built_in(desk, kind) if wanted.casefold() in search_text(kind, one.state).casefold()
    ]
    contains = desk.options["search_match"] == "contains"
    return [
        record
        for record in (*start, *desk.store.find(desk.vendor, kind, query))
        if all(_fits(field, record.state.get(field.name), value, contains) for field, value in given.items())
        and _in_period(record, body)
    ]


def _fits(field: Typed, stored: object, wanted: object, contains: bool) -> bool:
    if field.type == "texts" and contains:
        return str(wanted).casefold() in str(stored or "").casefold()
    return stored == wanted


def _in_period(record: Record, body: Json) -> bool:
    start, end = body.get("from"), body.get("to")
    if not start and not end:
        return True
    dates = {field.name.lower(): field.name for field in KINDS[record.kind].fields if field.type == "times"}
    asked = (body.get("fieldDate") or "createdOn").lower()
    if asked not in {"createdon", *dates}:
        raise Invalid({"fieldDate": ["is not a date of this record"]})
    written = record.state.get(dates.get(asked, ""))
    if written is None and asked != "createdon":
        return False
    at = datetime.fromisoformat(written or local_time(record.created_ms))
    return (not start or at >= datetime.fromisoformat(start)) and (
        not end or at <= datetime.fromisoformat(end)
    )
