"""Knows what centiaCRM's records may refer to, where they are searched and how they are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sandbox.centiacrm.reference import COUNTRIES, LISTS, STATES, has_id, item
from sandbox.fields import Json
from sandbox.store import Record
from sandbox.vendor import Desk

# The documentation names no time zone; the vendor is Mexican and Mexico City keeps UTC-6 all year.
LOCAL = timezone(timedelta(hours=-6))

ADDRESS_FIELDS = ("shipping_address", "billing_address")


@dataclass(frozen=True)
class Kind:
    """How one kind behaves; the first id is far from other kinds' so that swapped ids are noticed."""

    label: str
    first_id: int
    wrong: Callable[[Desk, Json], list[str]]
    searched: tuple[str, ...]
    # Parameters that are not part of the record, or shown only when a with_ flag asks for them.
    hidden: tuple[str, ...] = ()


def local_time(epoch_ms: int) -> str:
    """Write a time in epoch milliseconds the way the played account shows it."""
    return datetime.fromtimestamp(epoch_ms / 1000, LOCAL).strftime("%Y-%m-%d %H:%M:%S")


def stored(desk: Desk, kind: str, record_id: object) -> Record | None:
    """Return the record of this kind and id, or None."""
    return desk.store.get(desk.vendor, kind, str(record_id))


def _unlisted(body: Json, lists: Mapping[str, str]) -> list[str]:
    profile = body["profile_id"]
    return [
        f"The selected {name} is invalid."
        for name, listed in lists.items()
        if body.get(name) not in (None, "") and not has_id(profile, listed, body[name])
    ]


def _bad_addresses(body: Json) -> list[str]:
    found: list[str] = []
    for name in ADDRESS_FIELDS:
        if name not in body:
            continue
        country, state = body[name]["country"], body[name]["state"]
        if country not in {one["code"] for one in COUNTRIES}:
            found.append(f"The selected {name}.country is invalid.")
        elif state not in {one["code"] for one in STATES[country]}:
            found.append(f"The selected {name}.state is invalid.")
    return found


def _absent(desk: Desk, kind: str, name: str, record_id: object) -> list[str]:
    if record_id is None or stored(desk, kind, record_id):
        return []
    return [f"The selected {name} is invalid."]


def _stranger(desk: Desk, body: Json) -> list[str]:
    if body.get("contact_id") is None:
        return []
    contact = stored(desk, "contact", body["contact_id"])
    if contact is None:
        return ["The selected contact_id is invalid."]
    if contact.state["company_id"] != body["company_id"]:
        return ["The contact must belong to the company selected."]
    return []


def _wrong_company(_desk: Desk, body: Json) -> list[str]:
    return _bad_addresses(body)


def _wrong_contact(desk: Desk, body: Json) -> list[str]:
    return _absent(desk, "company", "company_id", body["company_id"]) + _bad_addresses(body)


def _wrong_customer(desk: Desk, body: Json) -> list[str]:
    return _absent(desk, "company", "company_id", body["company_id"]) + _stranger(desk, body)


def _wrong_product(_desk: Desk, body: Json) -> list[str]:
    found: list[str] = []
    profile = body["profile_id"]
    if not all(has_id(profile, "product_taxes", tax) for tax in body.get("taxes", ())):
        found.append("The selected taxes is invalid.")
    slugs = {one["slug"] for one in LISTS[profile]["product_inputs"]}
    found += [
        f"The selected inputs.{slug} is invalid." for slug in body.get("inputs", {}) if slug not in slugs
    ]
    return found


def _wrong_opportunity(desk: Desk, body: Json) -> list[str]:
    found = _wrong_customer(desk, body)
    lines = body.get("products", [])
    if body["want_products"] and not lines:
        found.append("The products field is required when want_products is true.")
    if lines and not body["want_products"]:
        found.append("The products field must be empty when want_products is false.")
    if not body["want_tax"] and any(line["tax"] for line in lines):
        found.append("The tax of every product must be 0 when want_tax is false.")
    for place, line in enumerate(lines):
        found += _absent(desk, "product", f"products.{place}.product_id", line["product_id"])
    return found


def _wrong_ticket(desk: Desk, body: Json) -> list[str]:
    absent = _absent(desk, "opportunity", "opportunity_id", body.get("opportunity_id"))
    return _wrong_customer(desk, body) + absent


#: Which parameters of each kind are ids of a list of the profile.
LISTED: Mapping[str, Mapping[str, str]] = {
    "company": {"type_id": "company_types", "industry_id": "company_industries"},
    "contact": {
        "origin_id": "contact_origins",
        "title_id": "contact_titles",
        "position_id": "contact_positions",
        "department_id": "contact_departments",
    },
    "product": {
        "product_discount_id": "product_discounts",
        "product_validity_id": "product_validities",
        "product_measury_id": "product_measures",
        "product_category_id": "product_categories",
    },
    "opportunity": {"user_id": "users", "stage_id": "stages"},
    "ticket": {
        "user_id": "users",
        "origin_id": "ticket_origins",
        "case_id": "ticket_cases",
        "priority_id": "ticket_priorities",
    },
}

KINDS: Mapping[str, Kind] = {
    "company": Kind(
        "company", 1001, _wrong_company, ("name", "billing_name", "rfc", "website", "phone"), ADDRESS_FIELDS
    ),
    "contact": Kind(
        "contact",
        20001,
        _wrong_contact,
        ("name", "surname", "mother_surname", "email", "phone_office", "phone_mobile", "phone_other"),
        ADDRESS_FIELDS,
    ),
    "product": Kind("product", 300001, _wrong_product, ("name", "sku"), ("inputs",)),
    "opportunity": Kind(
        "opportunity", 4000001, _wrong_opportunity, ("title",), ("products", "notify", "comment")
    ),
    "ticket": Kind("ticket", 50000001, _wrong_ticket, ("title",), ("notify", "comment")),
}


def wrong(desk: Desk, kind: str, body: Json) -> list[str]:
    """Return what the vendor refuses in the body of a new record: references to what does not exist, and more."""
    return KINDS[kind].wrong(desk, body) + _unlisted(body, LISTED[kind])


def search_text(kind: str, body: Json) -> str:
    """Return the text of a record that the `query` of a list looks in."""
    return " ".join(str(body[name]) for name in KINDS[kind].searched if body.get(name))


def shown(desk: Desk, record: Record, flags: Json, single: bool = False) -> Json:
    """Return a record as an answer shows it; `flags` are the with_ parameters of the request.

    A single company or contact is shown with its addresses, for which GetCompany and GetContact have
    no flag.
    """
    kind = KINDS[record.kind]
    asked = {name for name, value in flags.items() if value is True}
    state = {name: value for name, value in record.state.items() if name not in kind.hidden}
    made: Json = {"id": int(record.id), **state, "created_at": local_time(record.created_ms)}
    if single or "with_addresses" in asked:
        made.update({name: record.state[name] for name in ADDRESS_FIELDS if name in record.state})
    if "with_inputs" in asked:
        made["inputs"] = record.state.get("inputs", {})
    if "with_contacts" in asked:
        made["contacts"] = [shown(desk, one, {}) for one in desk.exact("contact", company_id=record.id)]
    if "with_products" in asked:
        made["products"] = record.state.get("products", [])
    if "with_user" in asked:
        made["user"] = item(record.state["profile_id"], "users", record.state["user_id"])
    for part in ("company", "contact"):
        other = stored(desk, part, record.state.get(f"{part}_id")) if f"with_{part}" in asked else None
        if other:
            made[part] = shown(desk, other, {})
    return made
