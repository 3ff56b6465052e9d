"""Creates cases, tasks, events, tags and custom values, with the checks that the server makes or lacks."""

from collections.abc import Sequence

from sandbox.fields import Json
from sandbox.onlyoffice import shapes
from sandbox.onlyoffice.answers import broken, missing, number, success, wrong
from sandbox.onlyoffice.demands import Action, access_list, custom_values, demand, found, known_contacts
from sandbox.onlyoffice.fields import text_of, time_of, whole_of
from sandbox.onlyoffice.records import add, change, stored
from sandbox.onlyoffice.reference import NOBODY, definitions, listed, user
from sandbox.store import Record
from sandbox.vendor import Answer, Call, Desk, Refused

TASK_ENTITIES = ("", "opportunity", "case")


def create_case(desk: Desk, call: Call) -> Answer:
    """Create a case: a title and members, without description, priority or assignee."""
    demand(call.body, "title")
    state = {"closed": False, **_case_state(desk, call.body, {"members": [], "custom": {}})}
    return success(shapes.case(desk, add(desk, "case", call.body, state)), 201)


def update_case(desk: Desk, call: Call) -> Answer:
    """Change title and access of a case, and members and custom fields where they are given."""
    demand(call.body, "title")
    old = found(desk, call, "case")
    state = {**old.state, **_case_state(desk, call.body, old.state)}
    return success(shapes.case(desk, change(desk, old, call.body, state)))


def _case_state(desk: Desk, body: Json, old: Json) -> Json:
    return {
        "title": body["title"],
        "members": known_contacts(desk, body, "members") or old["members"],
        "access": access_list(body),
        "custom": custom_values(desk, body, "case", old["custom"]),
    }


def close(kind: str, closed: bool) -> Action:
    """Make the action that closes or opens a case or a task again; doing it twice is no error."""

    def action(desk: Desk, call: Call) -> Answer:
        old = found(desk, call, kind)
        made = change(desk, old, old.sent, {**old.state, "closed": closed})
        return success(shapes.SHOWN[kind](desk, made))

    return action


def _links(desk: Desk, body: Json, checked: bool) -> Json:
    entity_type = text_of(body, "entityType").lower()
    contact_id, entity_id = whole_of(body, "contactId"), whole_of(body, "entityId")
    if entity_type not in TASK_ENTITIES or (checked and entity_id and not entity_type):
        raise wrong("entityType")
    dangling = []
    if contact_id > 0 and stored(desk, "contact", contact_id) is None:
        dangling.append("contactId")
    if entity_type and (entity_id or checked) and stored(desk, entity_type, entity_id) is None:
        dangling.append("entityId")
    if dangling and (checked or desk.options["unknown_references"] == "refuse"):
        raise wrong(*dangling)
    return {"contact_id": contact_id, "entity_type": entity_type, "entity_id": entity_id}


def create_task(desk: Desk, call: Call) -> Answer:
    """Create a task; the server does not ask whether its contact and its entity exist."""
    body = call.body
    links = _links(desk, body, checked=False)
    demand(body, "categoryId")
    category_id, responsible = whole_of(body, "categoryId"), text_of(body, "responsibleId").lower()
    if listed("task_category", category_id) is None:
        raise missing("Task category not found")
    demand(body, "title", "deadline")
    if responsible not in ("", NOBODY) and user(responsible) is None:
        raise wrong("responsibleId")
    state = {
        **links,
        "title": body["title"],
        "description": body.get("description"),
        "deadline": time_of(body["deadline"]),
        "responsible_id": responsible,
        "category_id": category_id,
        "alertValue": whole_of(body, "alertValue"),
        "closed": False,
    }
    return success(shapes.task(desk, add(desk, "task", body, state)), 201)


def add_history(desk: Desk, call: Call) -> Answer:
    """Add an event to the history of a contact, an opportunity or a case."""
    body = call.body
    links = _links(desk, body, checked=True)
    demand(body, "content", "categoryId")
    category_id = whole_of(body, "categoryId")
    if listed("history_category", category_id) is None:
        raise wrong("categoryId")
    if not links["contact_id"] and not links["entity_id"]:
        raise wrong("contactId", "entityId")
    created = time_of(body.get("created"))
    state = {**links, "content": body["content"], "category_id": category_id, "created": created}
    return success(shapes.history(desk, add(desk, "history", body, state)), 201)


def entity_of(desk: Desk, call: Call, allowed: Sequence[str]) -> Record | None:
    """Return the record that {entityType}/{entityid} names, or None; other types have no such address."""
    if call.path["entityType"] not in allowed:
        raise Refused(404, "Method not found")
    return stored(desk, call.path["entityType"], number(call, "entityid"))


def set_custom_value(desk: Desk, call: Call) -> Answer:
    """Set a custom field of a record; the server does not ask whether the record exists."""
    record = entity_of(desk, call, ("contact", "person", "company", "opportunity", "case"))
    kind = record.kind if record else call.path["entityType"]
    field_id = number(call, "fieldid")
    known = next((one for one in definitions(kind) if one["id"] == field_id), None)
    if known is None or call.body.get("fieldValue") is None:
        raise broken()
    if record is None and desk.options["unknown_references"] == "refuse":
        raise missing()
    value = call.body["fieldValue"].strip()
    if record is not None:
        custom = {**record.state["custom"], str(field_id): value}
        change(desk, record, record.sent, {**record.state, "custom": custom})
    return success({**known, "entityId": number(call, "entityid"), "fieldValue": value}, 201)


def add_tag(desk: Desk, call: Call) -> Answer:
    """Tag an entity and answer the name; a tag that the entity has already is not added again."""
    record = entity_of(desk, call, ("contact", "opportunity", "case"))
    demand(call.body, "tagName")
    if record is None:
        raise missing()
    entity_type, name = call.path["entityType"], call.body["tagName"].strip()
    if name not in shapes.tags(desk, entity_type, int(record.id)):
        state = {"entity_type": entity_type, "entity_id": int(record.id), "title": name}
        add(desk, "tag", call.body, state)
    return success(call.body["tagName"], 201)
