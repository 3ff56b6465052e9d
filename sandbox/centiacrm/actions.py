"""Does what centiaCRM's methods do: log in, give reference lists, create, list and get records."""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from sandbox.centiacrm.records import KINDS, LOCAL, search_text, shown, stored, wrong
from sandbox.centiacrm.reference import COUNTRIES, LISTS, PROFILES, STATES
from sandbox.fields import Json
from sandbox.store import Query, Record
from sandbox.vendor import Answer, Call, Desk, Refused

Action = Callable[[Desk, Call], Answer]
Bound = TypeVar("Bound", datetime, Decimal)

# "Number of items to paginate. Default is 500" (GetCompanies, GetContacts, GetOpportunities).
PAGE_SIZE = 500


def success(response: Json) -> Answer:
    """Put a response into the envelope of a success."""
    return Answer(200, {"success": True, "response": response, "error": ""})


def login(desk: Desk, call: Call) -> Answer:
    """Issue a token for an accepted e-mail and password; a token works until it is made to expire."""
    wanted = (call.body["email"].casefold(), call.body["password"])
    if wanted not in [(one["email"].casefold(), one["password"]) for one in desk.credentials]:
        raise Refused(401, "Invalid credentials")
    token = secrets.token_urlsafe(32)
    desk.store.add_token(desk.vendor, token)
    return success({"token": token, "user": {"id": 1, "name": "API", "email": call.body["email"]}})


def profiles(_desk: Desk, _call: Call) -> Answer:
    """Answer the profiles of the account."""
    return success({"profiles": PROFILES})


def countries(_desk: Desk, _call: Call) -> Answer:
    """Answer the valid countries."""
    return success({"countries": COUNTRIES})


def states(_desk: Desk, call: Call) -> Answer:
    """Answer the states of a country given by its code."""
    code = call.body["country"]
    if code not in STATES:
        raise Refused(400, "The selected country is invalid.")
    return success({"country": code, "states": STATES[code]})


def reference(key: str, listed: str) -> Action:
    """Make the action that answers a reference list of the profile under the given key."""

    def action(_desk: Desk, call: Call) -> Answer:
        return success({key: LISTS[_profile(call)][listed]})

    return action


def create(kind: str) -> Action:
    """Make the action that creates a record; the same body sent twice makes two records."""

    def action(desk: Desk, call: Call) -> Answer:
        _profile(call)
        _refuse_wrong(desk, kind, call.body)
        number = desk.store.next_number(desk.vendor, kind, KINDS[kind].first_id)
        state = {**call.body, **_initial(kind, number)}
        made = desk.store.add(desk.vendor, kind, str(number), call.body, state, search_text(kind, call.body))
        return success({kind: shown(desk, made, {}, single=True)})

    return action


def edit_product(desk: Desk, call: Call) -> Answer:
    """Overwrite the sent fields of a product, the only record that the API can change."""
    _profile(call)
    old = _existing(stored(desk, "product", call.body["product_id"]), "product")
    _refuse_wrong(desk, "product", call.body)
    sent_fields = {name: value for name, value in call.body.items() if name != "product_id"}
    state = {**old.state, **sent_fields}
    made = desk.store.change(old, call.body, state, search_text("product", state))
    return success({"product": shown(desk, made, {}, single=True)})


def get_opportunity(desk: Desk, call: Call) -> Answer:
    """Answer one opportunity with the parts that the flags ask for."""
    _profile(call)
    found = _existing(stored(desk, "opportunity", call.body["opportunity_id"]), "opportunity")
    return success({"opportunity": shown(desk, found, call.body)})


def search_one(kind: str) -> Action:
    """Make the action of GetCompany and GetContact: the first record that has the searched value."""

    def action(desk: Desk, call: Call) -> Answer:
        _profile(call)
        name, value = call.body["search_by"], call.body["search_value"]
        if name == "id":
            direct = stored(desk, kind, value)
            found = [direct] if direct else []
        else:
            query = Query({name: [value]}, created_until_ms=desk.searchable_until_ms())
            found = desk.store.find(desk.vendor, kind, query)
        company = call.body.get("company_id")
        fitting = [one for one in found if company is None or one.state["company_id"] == company]
        return success({kind: shown(desk, _existing(next(iter(fitting), None), kind), {}, single=True)})

    return action


def everything(kind: str, key: str) -> Action:
    """Make the action of GetProducts and GetTickets, which have neither filters nor pages."""

    def action(desk: Desk, call: Call) -> Answer:
        profile = _profile(call)
        query = Query({"profile_id": [profile]}, created_until_ms=desk.searchable_until_ms())
        found = desk.store.find(desk.vendor, kind, query)
        return success({key: [shown(desk, record, call.body) for record in found]})

    return action


def paged(kind: str, key: str, filters: Mapping[str, str]) -> Action:
    """Make the action of a list with filters and pages; `filters` maps parameters to record fields."""

    def action(desk: Desk, call: Call) -> Answer:
        among: dict[str, list[object]] = {"profile_id": [_profile(call)]}
        for name, field in filters.items():
            if name in call.body:
                given = call.body[name]
                among[field] = given if isinstance(given, list) else [given]
        found = desk.store.find(desk.vendor, kind, _query(desk, call.body, among))
        fitting = [one for one in found if _fits(desk, one, call.body)]
        size, page = call.body.get("pagination", PAGE_SIZE), call.body.get("page", 1)
        items = [shown(desk, one, call.body) for one in fitting[(page - 1) * size : page * size]]
        pages = {"total": len(fitting), "current_page": page, "last_page": max(1, -(-len(fitting) // size))}
        return success({**pages, key: items})

    return action


def _profile(call: Call) -> int:
    profile: int = call.body["profile_id"]
    if profile not in LISTS:
        raise Refused(400, "The selected profile_id is invalid.")
    return profile


def _refuse_wrong(desk: Desk, kind: str, body: Json) -> None:
    found = wrong(desk, kind, body)
    if found:
        raise Refused(400, *found)


def _initial(kind: str, number: int) -> Json:
    # CreateCompany has no client number, so the account itself must assign the one GetCompany searches.
    if kind == "company":
        return {"client_number": f"C-{number}"}
    return {"status": "active", "closed_at": None} if kind == "opportunity" else {}


def _existing(found: Record | None, kind: str) -> Record:
    if found is None:
        raise Refused(404, f"The {kind} was not found.")
    return found


def _day(written: str) -> datetime:
    return datetime.strptime(written, "%d/%m/%y").replace(tzinfo=LOCAL)


def _query(desk: Desk, body: Json, among: Mapping[str, list[object]]) -> Query:
    dates = body.get("created_at", {})
    first_ms, last_ms = None, desk.searchable_until_ms()
    if "from" in dates:
        first_ms = int(_day(dates["from"]).timestamp() * 1000)
    if "to" in dates:
        # The day named as the last one still belongs to the range.
        last_ms = min(last_ms, int((_day(dates["to"]) + timedelta(days=1)).timestamp() * 1000) - 1)
    return Query(among, body.get("query", ""), first_ms, last_ms)


def _fits(desk: Desk, record: Record, body: Json) -> bool:
    if "closed_at" in body:
        # The API can create an opportunity but never close one.
        return False
    ends, bounds = body.get("estimated_end_at", {}), body.get("value", {})
    if ends and not _within(_day(record.state["estimated_end_at"]), ends, _day):
        return False
    if bounds and not _within(Decimal(str(record.state["value"])), bounds, Decimal):
        return False
    return record.kind != "opportunity" or (
        _linked(desk, "contact", record, body, "contact_origin", "origin_id")
        and _linked(desk, "company", record, body, "company_industry", "industry_id")
    )


def _within(value: Bound, bounds: Mapping[str, str], read: Callable[[str], Bound]) -> bool:
    return ("from" not in bounds or value >= read(bounds["from"])) and (
        "to" not in bounds or value <= read(bounds["to"])
    )


def _linked(desk: Desk, kind: str, record: Record, body: Json, name: str, field: str) -> bool:
    if name not in body:
        return True
    other = stored(desk, kind, record.state[f"{kind}_id"])
    return other is not None and other.state[field] in body[name]
