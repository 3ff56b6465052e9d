"""Knows CRMTop's kinds of records: their fields, what they refer to, where they are searched, how shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sandbox.crmtop import fields as f
from sandbox.crmtop.reference import API_USER, BUILT_IN
from sandbox.fields import Json
from sandbox.store import Record
from sandbox.vendor import Desk, Refused

# The samples show +07:00, which Vietnam keeps all year.
LOCAL = timezone(timedelta(hours=7))

# Which kinds an id may belong to. What the types of an activity's two objects mean is not documented.
PEOPLE = "customer contact lead"
REFERS: Mapping[str, str] = {
    "ownerId": "user",
    "userId": "user",
    "orgUnitId": "org_unit",
    "customerId": "customer",
    "contactId": "contact",
    "leadId": "lead",
    "productId": "product",
    "unitId": "unit",
    "orderId": "order",
    "ticketId": "ticket",
    "typeId": "ticket_type",
    "campaignId": "campaign",
    "segmentId": "segment",
    "templateId": "template",
    "smsTemplateId": "template",
    "memberId": PEOPLE,
    "primaryId": f"{PEOPLE} opportunity order ticket campaign product",
    "relatedId": f"{PEOPLE} opportunity order ticket campaign product",
}


class Invalid(Refused):
    """A body that does not pass validation, with the messages of each field."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        """Take the messages by field."""
        super().__init__(400, *(f"{name} {text}" for name, texts in errors.items() for text in texts))
        self.errors = errors


@dataclass(frozen=True)
class Kind:
    """How one kind behaves.

    `filters` are the fields of its search, `searched` those that the free text `search` looks in, `parent`
    the reference without which a record would hang in the air, `also` what answers show beside `fields`.
    A kind with a `first_id` has numbers for ids, far from those of other kinds; all others have uuids.
    """

    fields: tuple[f.Typed, ...]
    filters: tuple[f.Typed, ...] = f.PAGE
    searched: str = "name"
    also: str = ""
    parent: str = ""
    first_id: int = 0


def _members(parent: str, first_id: int) -> Kind:
    row = f.dto(ids=f"{parent} memberId", enums="type", texts="memberName")
    filters = (*f.PAGE, *f.dto(ids=parent, enums="type"))
    return Kind(row, filters, "memberName", "id createdOn", parent, first_id)


KINDS: Mapping[str, Kind] = {
    "customer": Kind(f.CUSTOMER, f.FIND_CUSTOMER, "code name taxCode phone email"),
    "customer_group": Kind(f.CUSTOMER_GROUP),
    "contact": Kind(f.CONTACT, f.FIND_CONTACT, "code fullName phone email"),
    "lead": Kind(f.LEAD, f.FIND_LEAD, "fullName company phone email"),
    "opportunity": Kind(f.OPPORTUNITY, f.FIND_OPPORTUNITY, "code name customerName contactName leadName"),
    "order": Kind(f.ORDER, f.FIND_ORDER, "code customerName receiverName receiverPhone receiverEmail"),
    "product": Kind(f.PRODUCT, f.PAGE, "code name"),
    "product_unit": Kind(f.PRODUCT_UNIT, searched="unitName", parent="productId"),
    "unit": Kind(f.NAMED_BY_NUMBER, first_id=1001),
    "ticket": Kind(f.TICKET, f.FIND_TICKET, "code subject customerName contactName orderCode", "formFiles"),
    "ticket_type": Kind(f.NAMED_BY_NUMBER, first_id=20001),
    "ticket_comment": Kind(
        f.TICKET_COMMENT,
        f.FIND_TICKET_COMMENT,
        "tenantCode userName message",
        "id createdOn formFiles",
        "ticketId",
    ),
    "activity": Kind(f.ACTIVITY, f.FIND_ACTIVITY, "subject primaryName relatedName"),
    "campaign": Kind(f.CAMPAIGN, f.FIND_CAMPAIGN, "code name"),
    "campaign_member": _members("campaignId", 300001),
    "segment": Kind(f.SEGMENT, also="totalMember createdBy createdByName createdOn"),
    "segment_member": _members("segmentId", 4000001),
    "template": Kind(f.TEMPLATE, f.FIND_TEMPLATE),
    "maktemail": Kind(f.MAKTEMAIL, f.FIND_MAKTEMAIL, "code name subject", "formFile"),
    "maktzalo": Kind(f.MAKTZALO, f.FIND_MAKTZALO, "code name", "formFile"),
}


def local_time(epoch_ms: int) -> str:
    """Write a time in epoch milliseconds the way the samples do."""
    return datetime.fromtimestamp(epoch_ms / 1000, LOCAL).isoformat(timespec="seconds")


def built_in(desk: Desk, kind: str) -> list[Record]:
    """Return what the account has of this kind from the start, except what was changed since."""
    return [
        Record(desk.vendor, kind, key, {}, state, 0)
        for key, state in BUILT_IN.get(kind, {}).items()
        if desk.store.get(desk.vendor, kind, key) is None
    ]


def held(desk: Desk, kind: str, record_id: object) -> Record | None:
    """Return the record with this id, made by a client or there from the start, or None."""
    found = desk.store.get(desk.vendor, kind, str(record_id))
    return found or next((one for one in built_in(desk, kind) if one.id == str(record_id)), None)


def refuse_wrong(desk: Desk, kind: str, body: Json) -> None:
    """Raise Invalid when the body names a record that does not exist, or lacks the one it belongs to."""
    # A customer's group is a uuid of one list, a product's a number of another.
    refers = {**REFERS, "groupId": f"{kind}_group"}
    wrong = {
        name: ["does not exist"]
        for name, kinds in refers.items()
        if body.get(name) and not any(held(desk, one, body[name]) for one in kinds.split())
    }
    parent = KINDS[kind].parent
    if parent and not body.get(parent):
        wrong[parent] = ["is required"]
    if wrong:
        raise Invalid(wrong)


def shown_id(record: Record) -> str | int:
    """Return a record's id the way answers write it."""
    return int(record.id) if KINDS[record.kind].first_id else record.id


def search_text(kind: str, state: Json) -> str:
    """Return the text that searches look in, one field a line so that no match spans two fields."""
    return "\n".join(str(state[name]) for name in KINDS[kind].searched.split() if state.get(name))


def shown(desk: Desk, record: Record) -> Json:
    """Return a record as answers show it: every field of its DTO, null where it has no value."""
    kind = KINDS[record.kind]
    names = [*(field.name for field in kind.fields), *kind.also.split()]
    made: Json = {name: record.state.get(name) for name in names}
    made["id"] = shown_id(record)
    if "createdOn" in made and made["createdOn"] is None:
        made["createdOn"] = local_time(record.created_ms)
    if record.kind == "segment":
        members = desk.exact("segment_member", segmentId=record.id)
        made.update(totalMember=len(members), createdBy=API_USER["id"], createdByName=API_USER["name"])
    return made
