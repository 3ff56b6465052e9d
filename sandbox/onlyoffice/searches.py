"""Finds ONLYOFFICE's records by ways that go straight to the database, so that nothing lags."""

from sandbox.onlyoffice import shapes
from sandbox.onlyoffice.answers import asked, broken, missing, number, page, success, wrong
from sandbox.onlyoffice.demands import Action, found
from sandbox.onlyoffice.fields import choice_of
from sandbox.onlyoffice.filters import by, of_contact
from sandbox.onlyoffice.invoices import invoice_listed
from sandbox.onlyoffice.records import of, stored
from sandbox.onlyoffice.reference import INFO_TYPES, LISTS
from sandbox.onlyoffice.work import entity_of
from sandbox.store import Query
from sandbox.vendor import Answer, Call, Desk

# The server cuts only the answer of "byprefix" without a contact (GetDealsByPrefix).
MOST_BY_PREFIX = 30


def read(kind: str) -> Action:
    """Make the action that answers one record."""
    return lambda desk, call: success(shapes.SHOWN[kind](desk, found(desk, call, kind)))


def listing(name: str) -> Action:
    """Make the action that answers a reference list."""
    return lambda desk, call: page(desk, call, LISTS[name])


def opportunities_of_contact(desk: Desk, call: Call) -> Answer:
    """Answer the opportunities of a contact, by title; a contact that does not exist has none."""
    records = sorted(of_contact(desk, number(call, "contactid")), key=by("title"))
    return page(desk, call, records, lambda one: shapes.opportunity(desk, one))


def opportunities_by_prefix(desk: Desk, call: Call) -> Answer:
    """Answer the opportunities whose title contains the text, in spite of the name not only at its start.

    Without a contact every word has to occur, whatever the case, and at most 30 are answered; with one, the
    text has to occur as it is, in the same case.
    """
    prefix, contact_id = call.query.get("prefix"), asked(call.query, "contactid")
    if prefix is None:
        raise broken()
    if contact_id > 0 and call.query.get("internalsearch", "true").lower() == "true":
        records = [one for one in of_contact(desk, contact_id) if prefix in one.state["title"]]
        records.sort(key=by("title"))
    else:
        words = prefix.casefold().split()
        every = desk.store.find(desk.vendor, "opportunity", Query(contains=max(words, key=len, default="")))
        fitting = (one for one in every if all(word in one.state["title"].casefold() for word in words))
        records = sorted(list(fitting)[:MOST_BY_PREFIX], key=by("title"))
    return page(desk, call, records, lambda one: shapes.opportunity(desk, one))


def contacts_by_info(desk: Desk, call: Call) -> Answer:
    """Answer the contacts that have an information which contains `data`; without data, all that have any."""
    info_type = choice_of(INFO_TYPES, call.query.get("infotype", ""))
    if info_type < 0:
        raise wrong("infoType")
    data = call.query.get("data", "")
    query = Query({"infoType": [info_type]}, contains=data if data.strip() else "")
    infos = desk.store.find(desk.vendor, "contact_info", query)
    ids = sorted({info.state["contact_id"] for info in infos})
    records = (stored(desk, "contact", contact_id) for contact_id in ids)
    return page(desk, call, [one for one in records if one], lambda one: shapes.contact(desk, one))


def infos_of_contact(desk: Desk, call: Call) -> Answer:
    """Answer the information of a contact, the newest first."""
    infos = of(desk, "contact_info", contact_id=int(found(desk, call, "contact").id))
    return page(desk, call, infos[::-1], lambda one: shapes.info(desk, one))


def tags_of_entity(desk: Desk, call: Call) -> Answer:
    """Answer the names of an entity's tags."""
    record = entity_of(desk, call, ("contact", "opportunity", "case"))
    if record is None:
        raise missing()
    return page(desk, call, shapes.tags(desk, call.path["entityType"], int(record.id)))


def invoices_of_entity(desk: Desk, call: Call) -> Answer:
    """Answer the invoices of an opportunity or of a contact; an entity that does not exist has none."""
    entity_of(desk, call, ("contact", "person", "company", "opportunity"))
    name = "entity_id" if call.path["entityType"] == "opportunity" else "contact_id"
    records = of(desk, "invoice", **{name: number(call, "entityid")})
    return page(desk, call, records, lambda one: invoice_listed(desk, one))
