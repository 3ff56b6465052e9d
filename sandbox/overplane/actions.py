"""Does what Overplane's operations do: read, list, create, update, delete, and order child objects."""

from collections.abc import Callable

from sandbox.fields import Json
from sandbox.overplane.entities import CHILDREN, ENTITIES, FIRST_IDS, Entity
from sandbox.overplane.records import children, completed, now, shown, wrong
from sandbox.overplane.reference import SETTINGS, STANDING
from sandbox.store import Query, Record
from sandbox.vendor import Answer, Call, Desk, Refused

Action = Callable[[Desk, Call], Answer]

# The documented default of `limit`; that of `offset` is 0.
DEFAULT_LIMIT = 20
# No largest limit is printed; of an account that has one, this is the number of objects it gives.
LARGEST_PAGE = 100


def settings(_desk: Desk, _call: Call) -> Answer:
    """Answer the CRM settings."""
    return Answer(200, SETTINGS)


def read(entity: Entity) -> Action:
    """Make the action that answers one object."""

    def action(desk: Desk, call: Call) -> Answer:
        standing = STANDING.get(entity.kind, {}).get(call.path["id"])
        if standing is not None:
            return Answer(200, shown(entity, call.path["id"], standing))
        return _object(entity, _existing(desk, entity, call))

    return action


def listing(entity: Entity) -> Action:
    """Make the action that answers a page of objects, newest first; it has no filters."""

    def action(desk: Desk, call: Call) -> Answer:
        limit = _whole(desk, call, "limit", DEFAULT_LIMIT, 1)
        offset = _whole(desk, call, "offset", 0, 0)
        if desk.options["largest_page"] != "none":
            limit = min(limit, LARGEST_PAGE)
        until = desk.searchable_until_ms()
        query = Query(created_until_ms=until, skip=offset, take=limit, newest_first=True)
        stored = desk.store.count(desk.vendor, entity.kind, query)
        data = [shown(entity, one.id, one.state) for one in desk.store.find(desk.vendor, entity.kind, query)]
        standing = list(STANDING.get(entity.kind, {}).items())
        # The account's own entries are older than any record, hence at the end.
        first = max(0, offset - stored)
        data += [shown(entity, key, one) for key, one in standing[first : first + limit - len(data)]]
        return _envelope(data, offset, stored + len(standing))

    return action


def create(entity: Entity) -> Action:
    """Make the action that creates an object; the same body sent twice makes two."""

    def action(desk: Desk, call: Call) -> Answer:
        state = {**entity.defaults, **call.body}
        _refuse_wrong(desk, entity, call.body, state, "")
        number = desk.store.next_number(desk.vendor, entity.kind, FIRST_IDS[entity.kind])
        record_id = f"{entity.slug}_{number}"
        if entity in CHILDREN:
            siblings = children(desk, entity.kind, state["opportunity_id"])
            state.setdefault("idx", siblings[-1].state["idx"] + 1 if siblings else 1)
        else:
            state |= {"created_at": now(desk), "updated_at": now(desk)}
        state = completed(desk, entity, record_id, state)
        made = desk.store.add(desk.vendor, entity.kind, record_id, call.body, state)
        _count_anew(desk, entity, state)
        return _object(entity, made, int(desk.options["create_status"]))

    return action


def update(entity: Entity) -> Action:
    """Make the action that overwrites the fields of the body and leaves the others unchanged."""

    def action(desk: Desk, call: Call) -> Answer:
        old = _changeable(desk, entity, call)
        state = {**old.state, **call.body}
        _refuse_wrong(desk, entity, call.body, state, old.id)
        if entity not in CHILDREN:
            state["updated_at"] = now(desk)
        sent = {**old.sent, **call.body}
        made = desk.store.change(old, sent, completed(desk, entity, old.id, state))
        for changed in (old.state, made.state):
            _count_anew(desk, entity, changed)
        return _object(entity, made)

    return action


def delete(entity: Entity) -> Action:
    """Make the action that deletes an object for good, with the children of an opportunity."""

    def action(desk: Desk, call: Call) -> Answer:
        old = _changeable(desk, entity, call)
        desk.store.remove(old)
        if entity.kind == "opportunity":
            for child in CHILDREN:
                for record in children(desk, child.kind, old.id):
                    desk.store.remove(record)
        _count_anew(desk, entity, old.state)
        return Answer(200, {"id": old.id, "deleted": True})

    return action


def listing_of_parent(entity: Entity) -> Action:
    """Make the action that answers all children of a parent; an id without children is no error."""

    def action(desk: Desk, call: Call) -> Answer:
        parent = call.query.get("parent_id", "")
        if not parent:
            raise _invalid(desk, "parent_id: is required")
        until = desk.searchable_until_ms()
        found = [one for one in children(desk, entity.kind, parent) if one.created_ms <= until]
        return _children(entity, found)

    return action


def reorder(entity: Entity) -> Action:
    """Make the action that numbers the children of a parent anew, in the order of the given ids."""

    def action(desk: Desk, call: Call) -> Answer:
        parent, ids = call.body["parent_id"], call.body["ids"]
        found = {one.id: one for one in children(desk, entity.kind, parent)}
        if sorted(found) != sorted(ids):
            raise _invalid(desk, "ids: must name each child exactly once")
        for place, one in enumerate(ids, start=1):
            desk.store.change(found[one], found[one].sent, {**found[one].state, "idx": place})
        return _children(entity, children(desk, entity.kind, parent))

    return action


def _invalid(desk: Desk, *messages: str) -> Refused:
    return Refused(int(desk.options["invalid_status"]), *messages)


def _whole(desk: Desk, call: Call, name: str, default: int, least: int) -> int:
    given = call.query.get(name, str(default))
    if not given.isdecimal() or int(given) < least:
        raise _invalid(desk, f"{name}: must be an integer of at least {least}")
    return int(given)


def _envelope(data: list[Json], offset: int, total: int) -> Answer:
    return Answer(200, {"data": data, "has_more": offset + len(data) < total, "total": total})


def _children(entity: Entity, found: list[Record]) -> Answer:
    return _envelope([shown(entity, one.id, one.state) for one in found], 0, len(found))


def _object(entity: Entity, record: Record, status: int = 200) -> Answer:
    return Answer(status, shown(entity, record.id, record.state))


def _existing(desk: Desk, entity: Entity, call: Call) -> Record:
    found = desk.store.get(desk.vendor, entity.kind, call.path["id"])
    if found is None:
        raise Refused(404, f"There is no {entity.slug} {call.path['id']}")
    return found


def _changeable(desk: Desk, entity: Entity, call: Call) -> Record:
    if call.path["id"] in STANDING.get(entity.kind, {}):
        raise Refused(409, f"The {entity.slug} {call.path['id']} is used by the account itself")
    return _existing(desk, entity, call)


def _refuse_wrong(desk: Desk, entity: Entity, body: Json, state: Json, own_id: str) -> None:
    found = wrong(desk, entity, body, state)
    if found:
        raise _invalid(desk, *found)
    if entity.unique is None:
        return
    name, option = entity.unique
    value = body.get(name)
    if value and desk.options[option] == "refuse":
        twins = [one for one in desk.exact(entity.kind, **{name: value}) if one.id != own_id]
        if twins:
            raise Refused(409, f"{name}: {value} is already used by {twins[0].id}")


def _count_anew(desk: Desk, entity: Entity, child: Json) -> None:
    # A change of a line is also one of its opportunity, whose totals are sums over the lines.
    if entity.kind != "opportunity_item":
        return
    parent = desk.store.get(desk.vendor, "opportunity", child["opportunity_id"])
    if parent is not None:
        state = completed(desk, ENTITIES["opportunity"], parent.id, parent.state)
        desk.store.change(parent, parent.sent, {**state, "updated_at": now(desk)})
