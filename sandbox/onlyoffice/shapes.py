"""Shows ONLYOFFICE's records the way the server's wrapper classes do: camelCase, most defaults left out."""

from collections.abc import Callable, Iterable, Mapping

from sandbox.fields import Json
from sandbox.onlyoffice.fields import UNSET_TIME
from sandbox.onlyoffice.records import of, stored, time_text
from sandbox.onlyoffice.reference import (
    CURRENCIES,
    INFO_TYPES,
    NOBODY,
    USERS,
    categories,
    definitions,
    listed,
)
from sandbox.onlyoffice.reference import user as known_user
from sandbox.store import Record
from sandbox.vendor import Desk


def _lean(full: Json, always: Iterable[str] = ()) -> Json:
    # Most fields are declared with EmitDefaultValue = false: null, 0 and false are left out.
    return {
        name: value for name, value in full.items() if name in always or (value is not None and value != 0)
    }


def person_shown(user_id: str) -> Json:
    """Show a user of the portal the short way."""
    person = known_user(user_id) or {"id": user_id, "displayName": "Profile has been removed"}
    names = ("id", "displayName", "title", "avatarSmall", "profileUrl")
    return {name: person[name] for name in names if name in person}


def _origin(record: Record) -> Json:
    return {"createBy": person_shown(USERS[0]["id"]), "created": time_text(record.created_ms)}


def display_name(record: Record) -> str:
    """Return the name that a contact is shown with."""
    if record.kind == "company":
        return str(record.state["companyName"])
    return f"{record.state['firstName']} {record.state['lastName']}".strip()


def contact_base(desk: Desk, contact_id: int) -> Json | None:
    """Show a contact the short way, None where there is none."""
    record = stored(desk, "contact", contact_id)
    if record is None:
        return None
    photo = f"/products/crm/httphandlers/filehandler.ashx?action=contactphotoulr&cid={record.id}&ps="
    share = record.state["shareType"]
    return {
        "id": int(record.id),
        "smallFotoUrl": f"{photo}1",
        "mediumFotoUrl": f"{photo}2",
        "displayName": display_name(record),
        "isCompany": record.kind == "company",
        "isPrivate": share == 0,
        "isShared": share in (1, 2),
        "shareType": share,
        "currency": None,
        "canEdit": True,
        "canDelete": True,
    }


def custom_fields(record: Record, entity_type: str) -> list[Json]:
    """Show those custom fields of a record that have a value."""
    values = record.state.get("custom", {})
    return [
        {**_without(field, "relativeItemsCount"), "entityId": int(record.id), "fieldValue": value}
        for field in definitions(entity_type)
        if (value := values.get(str(field["id"])))
    ]


def _without(full: Json, name: str) -> Json:
    return {key: value for key, value in full.items() if key != name}


def info(_desk: Desk, record: Record) -> Json:
    """Show one piece of contact information."""
    state = record.state
    names = categories(state["infoType"])
    name = names[state["category"]] if state["category"] < len(names) else ""
    shown = {key: state[key] for key in ("infoType", "category", "data", "isPrimary")}
    return {"id": int(record.id), **shown, "categoryName": name}


def tags(desk: Desk, entity_type: str, entity_id: int) -> list[str]:
    """Return the tags of an entity; persons and companies have theirs as contacts."""
    found = of(desk, "tag", entity_id=entity_id)
    return [tag.state["title"] for tag in found if tag.state["entity_type"] == entity_type]


def contact(desk: Desk, record: Record) -> Json:
    """Show a person or a company."""
    state = record.state
    infos = [info(desk, one) for one in reversed(of(desk, "contact_info", contact_id=int(record.id)))]
    address = INFO_TYPES.index("Address")
    base = contact_base(desk, int(record.id)) or {}
    shown = {
        **_origin(record),
        "about": state["about"],
        "contactStatus": listed("status", state["status_id"]),
        "contactType": listed("type", state["type_id"]),
        "addresses": [one for one in infos if one["infoType"] == address],
        "commonData": [one for one in infos if one["infoType"] != address],
        "customFields": custom_fields(record, record.kind),
        "tags": tags(desk, "contact", int(record.id)),
        "taskCount": len(of(desk, "task", contact_id=int(record.id))),
        "haveLateTasks": False,
    }
    if record.kind == "person":
        company = contact_base(desk, state["company_id"]) if state["company_id"] else None
        own = {"firstName": state["firstName"], "lastName": state["lastName"], "title": state["jobTitle"]}
        return {**base, **_lean({**shown, **own, "company": company}, ("haveLateTasks",))}
    persons = [contact_base(desk, int(one.id)) for one in of(desk, "person", company_id=int(record.id))]
    own = {"companyName": state["companyName"], "persons": persons, "personsCount": len(persons)}
    return {**base, **_lean({**shown, **own}, ("haveLateTasks",))}


def _members(desk: Desk, record: Record) -> list[Json | None]:
    return [contact_base(desk, member) for member in record.state["members"]]


def _access(record: Record) -> list[Json]:
    return [person_shown(user_id) for user_id in record.state["access"]]


def opportunity(desk: Desk, record: Record) -> Json:
    """Show an opportunity."""
    state = record.state
    copied = ("title", "description", "bidType", "bidValue", "perPeriodValue", "successProbability")
    stage = listed("stage", state["stage_id"]) or {}
    shown = {
        "id": int(record.id),
        **_origin(record),
        "members": _members(desk, record),
        "contact": contact_base(desk, state["contact_id"]) if state["contact_id"] else None,
        **{name: state[name] for name in copied},
        "responsible": person_shown(state["responsible_id"]),
        "bidCurrency": CURRENCIES[state["currency"]],
        "stage": _without(stage, "relativeItemsCount"),
        "actualCloseDate": state["actualCloseDate"] or UNSET_TIME,
        "expectedCloseDate": state["expectedCloseDate"] or UNSET_TIME,
        "isPrivate": bool(state["access"]),
        "accessList": _access(record),
        "canEdit": True,
        "customFields": custom_fields(record, "opportunity"),
    }
    return _lean(shown, ("isPrivate",))


def case(desk: Desk, record: Record) -> Json:
    """Show a case."""
    shown = {
        "id": int(record.id),
        "members": _members(desk, record),
        **_origin(record),
        "title": record.state["title"],
        "isClosed": record.state["closed"],
        "isPrivate": bool(record.state["access"]),
        "accessList": _access(record) or None,
        "canEdit": True,
        "customFields": custom_fields(record, "case"),
    }
    return _lean(shown, ("isClosed", "isPrivate"))


def entity(desk: Desk, entity_type: str, entity_id: int) -> Json | None:
    """Show what a task, an event or an invoice belongs to, None where it does not exist."""
    record = stored(desk, entity_type, entity_id) if entity_type and entity_id else None
    if record is None:
        return None
    return {"entityType": entity_type, "entityId": entity_id, "entityTitle": record.state["title"]}


def task(desk: Desk, record: Record) -> Json:
    """Show a task."""
    state = record.state
    shown = {
        "id": int(record.id),
        **_origin(record),
        "contact": contact_base(desk, state["contact_id"]),
        "title": state["title"],
        "description": state["description"],
        "deadLine": state["deadline"],
        "alertValue": state["alertValue"],
        "responsible": person_shown(state["responsible_id"] or NOBODY),
        "isClosed": state["closed"],
        "category": listed("task_category", state["category_id"]),
        "entity": entity(desk, state["entity_type"], state["entity_id"]),
        "canEdit": True,
    }
    return _lean(shown)


def history(desk: Desk, record: Record) -> Json:
    """Show an event of the history."""
    state = record.state
    shown = {
        "id": int(record.id),
        **_origin(record),
        "content": state["content"],
        "category": listed("history_category", state["category_id"]),
        "contact": contact_base(desk, state["contact_id"]),
        "entity": entity(desk, state["entity_type"], state["entity_id"]),
        "canEdit": True,
        "files": [],
    }
    return _lean({**shown, "created": state["created"] or shown["created"]}, ("entity",))


SHOWN: Mapping[str, Callable[[Desk, Record], Json]] = {
    "contact": contact,
    "opportunity": opportunity,
    "case": case,
    "task": task,
}
