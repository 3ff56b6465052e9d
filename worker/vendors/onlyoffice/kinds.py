"""The kinds of records at ONLYOFFICE: how each is made, found again, and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from mappings.vendor import Record
from mappings.vendors.onlyoffice.schemas import EMAIL, PHONE
from worker.errors import Rejected
from worker.vendors.lookups import FirstOf, InTurn, LookUp, equal, exact, marked, plain
from worker.vendors.onlyoffice.operations import OPERATIONS
from worker.vendors.onlyoffice.proofs import PROOFS
from worker.vendors.rest import record_id
from worker.vendors.vendor import Caller, Find, Item, Kind

#: What stands for the id of a membership, which has none.
_MEMBER = "member"


def _reached_by(name: str, kind: int) -> LookUp:
    """Return the look-up of a person by their e-mail or phone; the search finds parts of it, and companies."""

    def same(item: Item, record: Record) -> bool:
        wanted = plain(record.match[name])
        infos = item.get("commondata") or ()
        return not item.get("iscompany") and any(plain(info.get("data")) == wanted for info in infos)

    return LookUp("contact_by_contact_info", same, {"data": f"match.{name}"}, {"infoType": kind})


def _is_company(item: Item, record: Record) -> bool:
    return bool(item.get("iscompany")) and plain(item.get("displayname")) == plain(record.match["name"])


def _unless_gone(find: Find) -> Find:
    """Return `find` for what hangs on another record: where that one is gone (404), so is this."""

    def found(api: Caller, record: Record, since: datetime | None) -> str | None:
        try:
            return find(api, record, since)
        except Rejected as error:
            if error.status != 404:
                raise
            return None

    return found


def _status_of(api: Caller, record: Record, since: datetime | None) -> str | None:
    # A status that a sales person has given stays.
    contact = str(record.body["id"])
    return contact if api.call("contact_get", {"id": contact}).get("contactstatus") else None


def _member(api: Caller, record: Record, since: datetime | None) -> str | None:
    members = api.call("opportunity_get", {"id": record.body["id"]}).get("members") or ()
    wanted = str(record.body["contactid"])
    return _MEMBER if any(str(member.get("id")) == wanted for member in members if member) else None


def _opened_or_closed(kind: str) -> Any:
    def update(api: Caller, record: str, changes: Mapping[str, Any]) -> None:
        wanted = f"{kind}_close" if changes.get("closed") else f"{kind}_reopen"
        # No document that we follow has a way to open a task again: then the case alone is open.
        if changes and wanted in OPERATIONS:
            api.call(wanted, {"id": record})

    return update


def _as_request(item: Item) -> Mapping[str, Any]:
    """Return an opportunity as the body that would leave it as it is; custom fields stay without being sent."""
    body = {
        "contactid": (item.get("contact") or {}).get("id"),
        "members": [member["id"] for member in item.get("members") or () if member],
        "title": item.get("title"),
        "description": item.get("description"),
        "responsibleid": (item.get("responsible") or {}).get("id"),
        "bidType": item.get("bidtype"),
        "bidValue": item.get("bidvalue"),
        "bidCurrencyAbbr": (item.get("bidcurrency") or {}).get("abbreviation"),
        "perPeriodValue": item.get("perperiodvalue"),
        "stageid": (item.get("stage") or {}).get("id"),
        "successProbability": item.get("successprobability"),
        "actualCloseDate": _set(item.get("actualclosedate")),
        "expectedCloseDate": _set(item.get("expectedclosedate")),
        "isPrivate": item.get("isprivate"),
        "accessList": [user["id"] for user in item.get("accesslist") or ()],
    }
    return {name: value for name, value in body.items() if value is not None}


def _set(moment: Any) -> Any:
    # A date that is not set is answered as the first day of the year 1.
    return None if str(moment).startswith("0001-") else moment


def _update_opportunity(api: Caller, record: str, changes: Mapping[str, Any]) -> None:
    """Write the changes over the whole, then move the stage by the call that sets chance and closing day, too.

    A stage that is reached already is not set again: that would move the closing day.
    """
    before = _as_request(api.call("opportunity_get", {"id": record}))
    written = {name: value for name, value in changes.items() if name != "stageid"}
    api.call("opportunity_update", {**before, **written, "id": record})
    stage = changes.get("stageid", before.get("stageid"))
    if str(stage) != str(before.get("stageid")):
        api.call("opportunity_set_stage", {"id": record, "stageid": stage})


_PEOPLE = InTurn(
    {
        "email": _reached_by("email", EMAIL),
        "phone": _reached_by("phone", PHONE),
        "name": LookUp(
            "contact_filter", marked("about"), {"filterValue": "match.name"}, {"contactListView": "person"}
        ),
    }
)
#: Whatever the person is called: the next event may spell the name otherwise, while no e-mail is at the person yet.
#: Without `filterValue` the list is read from the database, and has the newest first (CRMApi.Contacts.cs).
_NEW_PERSON = LookUp(
    "contact_filter", marked("about"), {}, {"contactListView": "person"}, newest_first="created"
)
_EVENTS = FirstOf(
    {
        "person": LookUp(
            "history_filter", marked("content"), {"entityId": "body.contactId"}, {"entityType": "contact"}
        ),
        "marker": LookUp(
            "history_filter",
            marked("content"),
            {"entityType": "body.entityType", "entityId": "body.entityId"},
        ),
    }
)
#: By a member of it: what `filterValue` finds may lag behind.
_CASE = LookUp("case_filter", marked("title"), {"contactid": "body.members"})
_TASK = LookUp("task_filter", marked("title"), {"entityType": "body.entityType", "entityid": "body.entityId"})
_OPPORTUNITY = LookUp("opportunity_by_prefix", marked("title"), {"prefix": "match.bracketed"})
_INVOICE_ITEM = LookUp("invoiceitem_filter", exact(stockkeepingunit="sku"), {"filterValue": "match.sku"})
_INVOICE = LookUp(
    "invoice_by_entity", equal(number="number"), {"entityid": "body.entityId"}, {"entityType": "opportunity"}
)
_ID = record_id("id")
_IN_TITLE = "our key in the title, looked up by it"


def _made(create: str, protection: str, find: Find, **more: Any) -> Kind:
    return Kind(create, protection, _ID, find, reference=int, **more)


KINDS = {
    "company": _made(
        "company_create",
        "looked up by name",
        LookUp("contact_filter", _is_company, {"filterValue": "match.name"}, {"contactListView": "company"}),
        proof=PROOFS["company"],
    ),
    "person": _made(
        "person_create",
        "looked up by e-mail or phone, else by our key in `about`",
        _PEOPLE,
        find_made=_NEW_PERSON,
        proof=replace(PROOFS["person"], alike=_PEOPLE.ways["name"].of),
    ),
    "contact_info": _made(
        "contact_info_add",
        "looked up among the contact's own",
        _unless_gone(LookUp("contact_info_list", equal(data="data"), {"id": "body.id"})),
        proof=PROOFS["contact_info"],
    ),
    "contact_status": Kind(
        "contact_set_status",
        "set once; one that is there already stays",
        _ID,
        _unless_gone(_status_of),
        proof=PROOFS["contact_status"],
    ),
    "tag": Kind(
        "tag_add",
        "may be repeated: a contact has a tag once",
        record_id(),
        repeatable=True,
        proof=PROOFS["tag"],
    ),
    "history": _made(
        "history_add",
        "our key in the text, looked up by it",
        _unless_gone(_EVENTS),
        proof=replace(PROOFS["history"], alike=_EVENTS.of, everywhere=_EVENTS.of),
    ),
    "opportunity": _made(
        "opportunity_create",
        _IN_TITLE,
        _OPPORTUNITY,
        update=_update_opportunity,
        proof=replace(PROOFS["opportunity"], alike=_OPPORTUNITY.of),
    ),
    "case": _made(
        "case_create",
        _IN_TITLE,
        _CASE,
        update=_opened_or_closed("case"),
        proof=replace(PROOFS["case"], alike=_CASE.of),
    ),
    "task": _made(
        "task_create",
        _IN_TITLE,
        _unless_gone(_TASK),
        update=_opened_or_closed("task"),
        proof=replace(PROOFS["task"], alike=_TASK.of, everywhere=_TASK.of),
    ),
    "member": Kind(
        "opportunity_add_contact",
        "looked up among the opportunity's own",
        # Versions of the server answer the contact or the opportunity; nothing refers to this record.
        lambda answer: _MEMBER,
        _unless_gone(_member),
        proof=PROOFS["member"],
    ),
    "invoice_item": _made(
        "invoiceitem_create",
        "looked up by SKU",
        _INVOICE_ITEM,
        proof=replace(PROOFS["invoice_item"], alike=_INVOICE_ITEM.of),
    ),
    "invoice": _made(
        "invoice_create",
        "our key as its number, looked up among the opportunity's",
        _INVOICE,
        proof=replace(PROOFS["invoice"], alike=_INVOICE.of),
    ),
}
