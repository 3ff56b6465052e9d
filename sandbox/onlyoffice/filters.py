"""Filters ONLYOFFICE's records: each filter's parameters, order and pages.

Only `filterValue` may use the full-text index, which is fed after the fact: what is younger than
search_lag_ms is not found by it, and is found by everything else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.onlyoffice import shapes
from sandbox.onlyoffice.answers import asked, missing, page, wrong
from sandbox.onlyoffice.demands import Action
from sandbox.onlyoffice.fields import UNSET_TIME, choice_of, time_of
from sandbox.onlyoffice.invoices import invoice_listed, item_shown
from sandbox.onlyoffice.records import CONTACTS, member_mark, of, stored, time_text, words_of
from sandbox.onlyoffice.reference import NOBODY, listed
from sandbox.store import Query, Record
from sandbox.vendor import Answer, Call, Desk

STAGE_TYPES = ("Open", "ClosedAndWon", "ClosedAndLost")
VIEWS = ("All", "Company", "Person", "WithOpportunity")
Test = Callable[[Record], bool]
Narrowing = Callable[[Desk, Mapping[str, str]], Sequence[Test]]
Key = Callable[[Record], tuple[object, ...]]


@dataclass(frozen=True)
class Filter:
    """How one filter works: whose records, by what narrowed, in what order, shown how."""

    kinds: tuple[str, ...]
    narrowed: Narrowing
    order: Key
    shown: Callable[[Desk, Record], object]
    newest_first: bool = False
    total: bool = True


def _words(query: Mapping[str, str]) -> list[str]:
    # A comma separates values, and only the first is searched for.
    return query.get("filtervalue", "").split(",")[0].casefold().split()


def _text(desk: Desk, record: Record) -> str:
    infos = of(desk, "contact_info", contact_id=record.id) if record.kind in CONTACTS else []
    return "\n".join([words_of(one.kind, one.state) for one in (record, *infos)]).casefold()


def filtered(how: Filter) -> Action:
    """Make the action of a filter; parameters that the server's method does not have are ignored."""

    def action(desk: Desk, call: Call) -> Answer:
        words = _words(call.query)
        query = Query(created_until_ms=desk.searchable_until_ms()) if words else Query()
        records = [one for kind in how.kinds for one in desk.store.find(desk.vendor, kind, query)]
        for test in how.narrowed(desk, call.query):
            records = [one for one in records if test(one)]
        if words:
            records = [one for one in records if all(word in _text(desk, one) for word in words)]
        records.sort(key=how.order, reverse=how.newest_first)
        return page(desk, call, records, lambda one: how.shown(desk, one), how.total)

    return action


def _is(name: str, wanted: object) -> Test:
    return lambda record: bool(record.state[name] == wanted)


def _tagged(desk: Desk, entity_type: str, query: Mapping[str, str]) -> list[Test]:
    wanted = query.get("tags", "").strip()
    tags = of(desk, "tag", title=wanted) if wanted else []
    ids = {str(tag.state["entity_id"]) for tag in tags if tag.state["entity_type"] == entity_type}
    return [lambda one: one.id in ids] if wanted else []


def _between(query: Mapping[str, str], when: Callable[[Record], str]) -> list[Test]:
    ends = [query.get(name) or UNSET_TIME for name in ("fromdate", "todate")]
    first, last = (time_of(end) for end in ends)
    if not first or not last:
        raise wrong("fromDate", "toDate")
    # The server compares only when both ends are given.
    return [] if UNSET_TIME in (first, last) else [lambda record: first <= when(record) <= last]


def _chosen(names: Sequence[str], written: str, parameter: str) -> int:
    place = choice_of(names, written)
    if place < 0:
        raise wrong(parameter)
    return place


def _opportunities(desk: Desk, query: Mapping[str, str]) -> list[Test]:
    tests = [
        *_tagged(desk, "opportunity", query),
        *_between(query, lambda one: str(one.state["actualCloseDate"] or one.state["expectedCloseDate"])),
    ]
    responsible, stage_id = query.get("responsibleid", NOBODY).lower(), asked(query, "opportunitystagesid")
    contact_id = asked(query, "contactid")
    if responsible != NOBODY:
        tests.append(_is("responsible_id", responsible))
    if stage_id:
        tests.append(_is("stage_id", stage_id))
    if contact_id:
        takes_part = query.get("contactalsoisparticipant", "").lower() == "true"
        ids = {one.id for one in of_contact(desk, contact_id)}
        tests.append((lambda one: one.id in ids) if takes_part else _is("contact_id", contact_id))
    if query.get("stagetype"):
        kind = _chosen(STAGE_TYPES, query["stagetype"], "stageType")
        tests.append(lambda one: (listed("stage", one.state["stage_id"]) or {})["stageType"] == kind)
    return tests


def of_contact(desk: Desk, contact_id: int) -> list[Record]:
    """Return the opportunities of a contact as the server's WhereConditional chooses them.

    Those it takes part in; only when there are none, those whose primary contact it is.
    """
    mark = Query(contains=member_mark(contact_id))
    return desk.store.find(desk.vendor, "opportunity", mark) or of(desk, "opportunity", contact_id=contact_id)


def _contacts(desk: Desk, query: Mapping[str, str]) -> list[Test]:
    tests = [
        *_tagged(desk, "contact", query),
        *_between(query, lambda one: time_text(one.created_ms)),
    ]
    for parameter, name in (("contactstage", "status_id"), ("contacttype", "type_id")):
        if query.get(parameter):
            tests.append(_is(name, asked(query, parameter)))
    view = VIEWS[_chosen(VIEWS, query.get("contactlistview", "All"), "contactListView")]
    if view == "WithOpportunity":
        tests.append(lambda one: bool(of_contact(desk, int(one.id))))
    elif view != "All":
        tests.append(lambda one: one.kind == view.lower())
    return tests


def _cases(desk: Desk, query: Mapping[str, str]) -> list[Test]:
    tests = _tagged(desk, "case", query)
    contact_id, closed = asked(query, "contactid"), query.get("isclosed", "")
    if contact_id:
        tests.append(lambda one: contact_id in one.state["members"])
    if closed:
        tests.append(_is("closed", closed.lower() == "true"))
    return tests


def _belonging(desk: Desk, query: Mapping[str, str]) -> list[Test]:
    """Narrow by entityType and entityid; a company's list has its persons' records too."""
    entity_type, entity_id = query.get("entitytype", "").lower(), asked(query, "entityid")
    if not entity_id:
        return []
    if entity_type in ("contact", "person", "company"):
        persons = {int(person.id) for person in of(desk, "person", company_id=entity_id)}
        return [lambda one: one.state["contact_id"] in {entity_id, *persons}]
    return [_is("entity_type", entity_type), _is("entity_id", entity_id)]


def _events(desk: Desk, query: Mapping[str, str]) -> list[Test]:
    entity_type, entity_id = query.get("entitytype", "").lower(), asked(query, "entityid")
    if entity_type in ("contact", "opportunity", "case"):
        if stored(desk, entity_type, entity_id) is None:
            raise missing()
    elif entity_id:
        raise wrong("entityType")
    return _belonging(desk, query)


def _checked(desk: Desk, query: Mapping[str, str]) -> list[Test]:
    if query.get("entitytype", "").lower() not in ("", "contact", "opportunity", "case"):
        raise wrong("entityType")
    return _belonging(desk, query)


def _tasks(desk: Desk, query: Mapping[str, str]) -> list[Test]:
    tests = [*_checked(desk, query), *_between(query, lambda one: str(one.state["deadline"]))]
    closed, category_id = query.get("isclosed", ""), asked(query, "categoryid")
    if closed:
        tests.append(_is("closed", closed.lower() == "true"))
    if category_id:
        tests.append(_is("category_id", category_id))
    return tests


def _everything(_desk: Desk, _query: Mapping[str, str]) -> list[Test]:
    return []


def _stage_order(record: Record) -> tuple[object, ...]:
    stage = listed("stage", record.state["stage_id"]) or {"sortOrder": 0}
    return stage["sortOrder"], record.state["contact_id"], record.state["title"], int(record.id)


def _newest(record: Record) -> tuple[object, ...]:
    return record.created_ms, int(record.id)


def by(name: str) -> Key:
    """Return the order by a field, and by id among equals."""
    return lambda record: (record.state[name], int(record.id))


# The orders are those without sortBy; sortBy is not played.
FILTERS: Mapping[str, Filter] = {
    "opportunity": Filter(("opportunity",), _opportunities, _stage_order, shapes.opportunity),
    "contact": Filter(CONTACTS, _contacts, _newest, shapes.contact, newest_first=True),
    "case": Filter(("case",), _cases, by("title"), shapes.case),
    "task": Filter(("task",), _tasks, by("deadline"), shapes.task),
    "history": Filter(("history",), _events, _newest, shapes.history, newest_first=True, total=False),
    "invoiceitem": Filter(("invoice_item",), _everything, by("title"), item_shown),
    "invoice": Filter(("invoice",), _checked, by("number"), invoice_listed),
}
