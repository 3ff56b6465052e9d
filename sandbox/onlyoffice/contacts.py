"""Creates persons, companies and their contact information, with the checks that the server makes."""

from sandbox.fields import Json
from sandbox.onlyoffice import shapes
from sandbox.onlyoffice.answers import broken, missing, success, wrong
from sandbox.onlyoffice.demands import custom_values, demand, found, given, known_contacts
from sandbox.onlyoffice.fields import choice_of, flag_of, text_of, whole_of
from sandbox.onlyoffice.records import add, change, stored
from sandbox.onlyoffice.reference import INFO_TYPES, SHARE_TYPES, categories, listed
from sandbox.store import Record
from sandbox.vendor import Answer, Call, Desk


def _contact_state(desk: Desk, kind: str, body: Json) -> Json:
    return {
        "about": body.get("about"),
        "shareType": choice_of(SHARE_TYPES, body.get("shareType", 0)),
        "status_id": 0,
        "type_id": 0,
        "custom": custom_values(desk, body, kind, {}),
    }


def create_person(desk: Desk, call: Call) -> Answer:
    """Create a person; e-mail and phone are contact information of their own."""
    body, company_id = call.body, whole_of(call.body, "companyId")
    if company_id > 0 and stored(desk, "contact", company_id) is None:
        raise missing()
    # SaveContactToDb trims both names without asking whether they are there.
    if body.get("firstName") is None or body.get("lastName") is None:
        raise broken()
    if not body["firstName"].strip():
        raise wrong("firstName")
    state = {
        **_contact_state(desk, "person", body),
        "firstName": body["firstName"].strip(),
        "lastName": body["lastName"].strip(),
        "jobTitle": body.get("jobTitle"),
        "company_id": max(0, company_id),
    }
    return success(shapes.contact(desk, add(desk, "person", body, state)), 201)


def create_company(desk: Desk, call: Call) -> Answer:
    """Create a company and move the listed persons into it."""
    name = text_of(call.body, "companyName").strip()
    if not name:
        raise wrong("companyName")
    members = known_contacts(desk, call.body, "personList")
    state = {**_contact_state(desk, "company", call.body), "companyName": name}
    made = add(desk, "company", call.body, state)
    for person_id in members:
        person = stored(desk, "person", person_id)
        if person is not None:
            change(desk, person, person.sent, {**person.state, "company_id": int(made.id)})
    return success(shapes.contact(desk, made), 201)


def set_status(desk: Desk, call: Call) -> Answer:
    """Set the temperature of a contact; 0 takes it away."""
    status_id = given(call, "contactStatusid")
    if status_id < 0:
        raise wrong("contactStatusid")
    if status_id > 0 and listed("status", status_id) is None:
        raise missing()
    old = found(desk, call, "contact")
    made = change(desk, old, old.sent, {**old.state, "status_id": status_id})
    return success(shapes.contact(desk, made))


def add_info(desk: Desk, call: Call) -> Answer:
    """Add one piece of contact information; the category is a name such as Work."""
    demand(call.body, "data")
    contact_id = int(found(desk, call, "contact").id)
    info_type = choice_of(INFO_TYPES, call.body.get("infoType", 0))
    names = categories(info_type)
    if call.body.get("category") not in names:
        raise wrong("category")
    item = {**call.body, "category": names.index(call.body["category"])}
    return success(shapes.info(desk, _store_info(desk, contact_id, call.body, item)), 201)


def add_infos(desk: Desk, call: Call) -> Answer:
    """Add several pieces of contact information; here the category is a number and nothing is checked."""
    contact_id = int(found(desk, call, "contact").id)
    made = [_store_info(desk, contact_id, item, item) for item in call.body.get("items") or ()]
    return success([shapes.info(desk, one) for one in made], 201)


def _store_info(desk: Desk, contact_id: int, sent: Json, item: Json) -> Record:
    state = {
        "contact_id": contact_id,
        "infoType": choice_of(INFO_TYPES, item.get("infoType", 0)),
        "category": whole_of(item, "category"),
        "data": item.get("data"),
        "isPrimary": flag_of(item, "isPrimary"),
    }
    return add(desk, "contact_info", sent, state)
