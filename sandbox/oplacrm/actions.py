"""Does what OplaCRM's operations do: create, read, list and update records of any kind."""

from collections.abc import Callable, Mapping
from uuid import uuid4

from sandbox.fields import Json
from sandbox.oplacrm.records import KINDS, employees
from sandbox.store import Query, Record
from sandbox.vendor import Answer, Call, Desk, Refused

Action = Callable[[Desk, Call], Answer]
Finder = Callable[[Desk, str, str], Record | None]

DEFAULT_TAKE = 20
DONE: Json = {"statusCode": 200, "message": "Request was successful"}


def by_key(desk: Desk, kind: str, key: str) -> Record | None:
    """Find the first record with this external id."""
    found = desk.exact(kind, external_id=key)
    return found[0] if found else None


def by_id(desk: Desk, kind: str, record_id: str) -> Record | None:
    """Find a record by its UUID, or also by external id where the option `id_paths` allows it.

    The reference calls these path parameters `id` and does not say of which kind.
    """
    found = desk.store.get(desk.vendor, kind, record_id)
    if found is None and desk.options["id_paths"] == "either":
        return by_key(desk, kind, record_id)
    return found


def create(kind: str) -> Action:
    """Make the action that creates a record and answers 201 with it."""

    def action(desk: Desk, call: Call) -> Answer:
        _refuse_missing(desk, kind, call.body)
        key = call.body.get("external_id")
        twin = by_key(desk, kind, str(key)) if key else None
        # "external_id will be key" (Create contact and others) leaves open what a repeat does.
        repeat = desk.options["repeat_create"]
        if twin and repeat in ("conflict", "refuse"):
            status = 409 if repeat == "conflict" else 400
            raise Refused(status, f"{KINDS[kind].label} with external_id {key} already exists")
        if twin and repeat == "update":
            return _shown(desk, kind, _change(desk, kind, twin, call.body), 201)
        return _shown(desk, kind, _add(desk, kind, call.body), 201)

    return action


def upsert(kind: str) -> Action:
    """Make the action that creates or updates by external id (Create or update a product)."""

    def action(desk: Desk, call: Call) -> Answer:
        twin = by_key(desk, kind, str(call.body["external_id"]))
        # The body's id is the vendor's own and must not replace the record's.
        made = _change(desk, kind, twin, call.body) if twin else _add(desk, kind, call.body)
        return _shown(desk, kind, made, 201)

    return action


def read(kind: str, finder: Finder) -> Action:
    """Make the action that answers one record."""

    def action(desk: Desk, call: Call) -> Answer:
        return _shown(desk, kind, _found(desk, kind, finder, call), 200)

    return action


def update(kind: str, finder: Finder) -> Action:
    """Make the action that overwrites the fields of one record with those of the body."""

    def action(desk: Desk, call: Call) -> Answer:
        old = _found(desk, kind, finder, call)
        if old.state.get("locked") and desk.options["locked"] == "refuse":
            raise Refused(400, f"{KINDS[kind].label} is locked")
        _refuse_missing(desk, kind, call.body)
        return _shown(desk, kind, _change(desk, kind, old, call.body), 200)

    return action


def listing(kind: str, filters: Mapping[str, str] | None = None, most: int | None = None) -> Action:
    """Make the action that answers a bare array.

    `filters` maps query parameters to fields of the record; `most` is the largest `take`, if any is
    documented ("Maximum 200 records per request" for opportunities).
    """

    def action(desk: Desk, call: Call) -> Answer:
        skip, take = _page(call.query, most)
        among = {
            field: call.query[name].split(",") if field == "sale_process_stage" else [call.query[name]]
            for name, field in (filters or {}).items()
            # The documented defaults are "" and null.
            if call.query.get(name, "") not in ("", "null")
        }
        query = Query(among, created_until_ms=desk.searchable_until_ms(), skip=skip, take=take)
        return _array(desk, kind, desk.store.find(desk.vendor, kind, query))

    return action


def list_products(desk: Desk, _call: Call) -> Answer:
    """Answer all products that are not deleted; the reference prints no parameters for this list."""
    found = desk.store.find(desk.vendor, "product", Query(created_until_ms=desk.searchable_until_ms()))
    return _array(desk, "product", [record for record in found if not record.state.get("deleted")])


def list_employees(desk: Desk, call: Call) -> Answer:
    """Answer the employees whose name, e-mail or external id contains the search text."""
    skip, take = _page(call.query, None)
    wanted = call.query.get("search", "").casefold()
    found = [one for one in employees(desk) if wanted in " ".join(map(str, one.values())).casefold()]
    return Answer(200, found[skip : skip + take])


def add_contributor(desk: Desk, call: Call) -> Answer:
    """Add a contributor to an opportunity, or change the permission of one it has."""
    old = _found(desk, "opportunity", by_id, call)
    others = [one for one in old.state["contributors"] if one["email"] != call.body["email"]]
    state = {**old.state, "contributors": [*others, call.body]}
    return _shown(desk, "opportunity", desk.store.change(old, old.sent, state), 201)


def delete(kind: str, finder: Finder) -> Action:
    """Make the action that deletes one record; what such a call answers is not documented."""

    def action(desk: Desk, call: Call) -> Answer:
        desk.store.remove(_found(desk, kind, finder, call))
        return Answer(200, DONE)

    return action


def account_employee(desk: Desk, call: Call) -> Answer:
    """Answer an operation on an account's employee; which of the three does what nobody knows."""
    account, employee = call.body["account_id"], call.body["employee_id"]
    if by_key(desk, "account", account) is None:
        raise Refused(400, f"account_id {account} does not exist")
    if employee not in [one["external_id"] for one in employees(desk)]:
        raise Refused(400, f"employee_id {employee} does not exist")
    return Answer(200, DONE)


def _page(query: Mapping[str, str], most: int | None) -> tuple[int, int]:
    numbers = {"skip": 0, "take": DEFAULT_TAKE}
    wrong: list[str] = []
    for name in numbers:
        given = query.get(name, "")
        if given and not given.isdecimal():
            wrong.append(f"{name} must be a number conforming to the specified constraints")
        elif given:
            numbers[name] = int(given)
    if most is not None and numbers["take"] > most:
        wrong.append(f"take must not be greater than {most}")
    if wrong:
        raise Refused(400, *wrong)
    return numbers["skip"], numbers["take"]


def _found(desk: Desk, kind: str, finder: Finder, call: Call) -> Record:
    found = finder(desk, kind, next(iter(call.path.values())))
    if found is None:
        raise Refused(404, f"{KINDS[kind].label} not found")
    return found


def _refuse_missing(desk: Desk, kind: str, body: Json) -> None:
    missing = KINDS[kind].missing(desk, body)
    if missing:
        raise Refused(400, *missing)


def _add(desk: Desk, kind: str, body: Json) -> Record:
    state = KINDS[kind].state(desk, {}, body)
    return desk.store.add(desk.vendor, kind, str(uuid4()), body, state)


def _change(desk: Desk, kind: str, old: Record, body: Json) -> Record:
    return desk.store.change(old, body, KINDS[kind].state(desk, old.state, body))


def _shown(desk: Desk, kind: str, record: Record, status: int) -> Answer:
    return Answer(status, KINDS[kind].answer(desk, record))


def _array(desk: Desk, kind: str, records: list[Record]) -> Answer:
    return Answer(200, [KINDS[kind].answer(desk, record) for record in records])
