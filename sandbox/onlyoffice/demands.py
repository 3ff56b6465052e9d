"""What all creates of ONLYOFFICE have in common: demands on a body, members, access and custom fields."""

from collections.abc import Callable
from decimal import Decimal

from sandbox.fields import Json
from sandbox.onlyoffice.answers import asked, missing, number, wrong
from sandbox.onlyoffice.fields import flag_of, text_of, whole_of
from sandbox.onlyoffice.records import stored
from sandbox.onlyoffice.reference import USERS, definitions
from sandbox.store import Record
from sandbox.vendor import Answer, Call, Desk

Action = Callable[[Desk, Call], Answer]


def found(desk: Desk, call: Call, kind: str, name: str = "id") -> Record:
    """Return the record that the path names; raises Refused (404) where there is none."""
    record = stored(desk, kind, number(call, name))
    if record is None:
        raise missing()
    return record


def plain(amount: Decimal) -> int | float:
    """Write an amount as a JSON number."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def demand(body: Json, *names: str) -> None:
    """Raise Refused (400) for the parameters that are absent or empty."""
    lacking = [name for name in names if not body.get(name)]
    if lacking:
        raise wrong(*lacking)


def given(call: Call, name: str) -> int:
    """Return a number of the body or else of the query; 0 where it is in neither."""
    return whole_of(call.body, name) if name in call.body else asked(call.query, name.lower())


def known_contacts(desk: Desk, body: Json, name: str) -> list[int]:
    """Return the ids of the contacts in a list of the body that exist, each once."""
    wanted = list(dict.fromkeys(int(str(one)) for one in body.get(name) or ()))
    known = [one for one in wanted if stored(desk, "contact", one)]
    # The server keeps those contacts that it finds and says nothing of the others.
    if len(known) < len(wanted) and desk.options["unknown_references"] == "refuse":
        raise wrong(name)
    return known


def custom_values(desk: Desk, body: Json, entity_type: str, old: Json) -> Json:
    """Return the custom values of a record after those of the body are set."""
    values = dict(old)
    known = {field["id"] for field in definitions(entity_type)}
    for item in body.get("customFieldList") or ():
        field, value = whole_of(item, "key"), text_of(item, "value")
        if field in known:
            values.update({str(field): value} if value else {})
        elif desk.options["customfield_unknown"] == "refuse":
            raise wrong("customFieldList")
    return values


def access_list(body: Json) -> list[str]:
    """Return the users that a private record is open to, the API's own among them; none when it is public."""
    # A list alone makes nothing private, nor does the flag alone.
    if not flag_of(body, "isPrivate") or not body.get("accessList"):
        return []
    return list(dict.fromkeys([*(user_id.lower() for user_id in body["accessList"]), USERS[0]["id"]]))
