"""Does what most of CRMTop's operations do: create, get, update and delete records of any kind."""

import json
from collections.abc import Callable
from uuid import uuid4

from sandbox.crmtop.fields import NO_ID, UUID
from sandbox.crmtop.records import KINDS, Invalid, held, refuse_wrong, search_text, shown, shown_id
from sandbox.fields import Json
from sandbox.store import Record
from sandbox.vendor import Answer, Call, Desk, Refused

Action = Callable[[Desk, Call], Answer]

NOT_FOUND = "Không tìm thấy dữ liệu"


def envelope(code: int, message: str | None, data: object, errors: object = None) -> Json:
    """Build the body that every answer has; it is a success when the code is 200."""
    return {
        "success": code == 200,
        "code": code,
        "message": message,
        "data": data,
        "errors": errors,
        "meta": None,
    }


def success(data: object) -> Answer:
    """Answer a success with its data."""
    return Answer(200, envelope(200, None, data))


def create(kind: str) -> Action:
    """Make the action that creates a record and answers its id."""
    return lambda desk, call: success(shown_id(make(desk, kind, _with_files(kind, call))))


def get(kind: str) -> Action:
    """Make the action that answers one record."""
    return lambda desk, call: success(shown(desk, addressed(desk, kind, call.path["id"])))


def update(kind: str) -> Action:
    """Make the action that changes the record named by the body's id and answers that id."""

    def action(desk: Desk, call: Call) -> Answer:
        old = named(desk, kind, call.body.get("id"))
        body = _with_files(kind, call)
        refuse_wrong(desk, kind, body)
        _refuse_content(desk, kind, body)
        twin = _twin(desk, kind, body)
        if twin and twin.id != old.id and desk.options["repeat_code"] == "refuse":
            raise Invalid({"code": ["already exists"]})
        return success(shown_id(change(desk, old, body)))

    return action


def delete(kind: str) -> Action:
    """Make the action that deletes one record and answers true."""

    def action(desk: Desk, call: Call) -> Answer:
        old = addressed(desk, kind, call.path["id"])
        if desk.store.get(old.vendor, kind, old.id) is None:
            raise Refused(400, "Dữ liệu đang được sử dụng")
        desk.store.remove(old)
        return success(data=True)

    return action


def addressed(desk: Desk, kind: str, given: str) -> Record:
    """Return the record that a path means; raises Invalid for a malformed id, Refused for an unknown one."""
    valid = given.isdecimal() if KINDS[kind].first_id else UUID.fullmatch(given)
    if not valid:
        raise Invalid({"id": [f"The value '{given}' is not valid."]})
    return named(desk, kind, given)


def named(desk: Desk, kind: str, given: object) -> Record:
    """Return the record that a body's id means; raises Refused when there is none."""
    found = held(desk, kind, given)
    if found is None:
        raise Refused(404, NOT_FOUND)
    return found


def make(desk: Desk, kind: str, body: Json) -> Record:
    """Create a record, or do with its twin what the options say; raises Invalid."""
    refuse_wrong(desk, kind, body)
    _refuse_content(desk, kind, body)
    twin = _twin(desk, kind, body)
    if twin and desk.options["repeat_code"] == "refuse":
        raise Invalid({"code": ["already exists"]})
    if twin and desk.options["repeat_code"] == "update":
        return change(desk, twin, body)
    given = body.get("id")
    honoured = desk.options["client_id_honoured"] == "yes" and given not in (None, 0, NO_ID)
    # The requests are called "AddOrEdit": an id that counts makes the second create an edit.
    known = held(desk, kind, given) if honoured else None
    if known:
        return change(desk, known, body)
    record_id = str(given) if honoured else _next_id(desk, kind)
    return desk.store.add(desk.vendor, kind, record_id, body, body, search_text(kind, body))


def change(desk: Desk, old: Record, body: Json) -> Record:
    """Store a new body for a record: fields that it lacks become null, unless updates merge."""
    documented = {field.name for field in KINDS[old.kind].fields}
    kept = old.state
    if desk.options["update"] == "replace":
        kept = {name: value for name, value in old.state.items() if name not in documented}
    return put(desk, old, body, {**kept, **body})


def put(desk: Desk, old: Record, sent: Json, state: Json) -> Record:
    """Store the state of a record, which may have been there from the start."""
    text = search_text(old.kind, state)
    if desk.store.get(old.vendor, old.kind, old.id) is None:
        return desk.store.add(old.vendor, old.kind, old.id, sent, state, text)
    return desk.store.change(old, sent, state, text)


def _next_id(desk: Desk, kind: str) -> str:
    first = KINDS[kind].first_id
    if not first:
        return str(uuid4())
    number = desk.store.next_number(desk.vendor, kind, first)
    # A client whose own numbers count may have taken this one.
    while held(desk, kind, number):
        number = desk.store.next_number(desk.vendor, kind, first)
    return str(number)


def _with_files(kind: str, call: Call) -> Json:
    names = [name for _, name, _ in call.files]
    if not names:
        return call.body
    several = "formFiles" in KINDS[kind].also.split()
    return {**call.body, **({"formFiles": names} if several else {"formFile": names[0]})}


def _twin(desk: Desk, kind: str, body: Json) -> Record | None:
    if not body.get("code") or desk.options["repeat_code"] == "duplicate":
        return None
    return next(iter(desk.exact(kind, code=body["code"])), None)


def _refuse_content(desk: Desk, kind: str, body: Json) -> None:
    products = body.get("products")
    if kind != "order" or products is None or desk.options["products_format"] == "any":
        return
    try:
        parsed = json.loads(products)
    except ValueError:
        parsed = None
    if not isinstance(parsed, list):
        raise Invalid({"products": ["is not a JSON list"]})
