"""Knows how OplaCRM keeps and shows each kind of record, and what a record may refer to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import NAMESPACE_DNS, uuid4, uuid5

from sandbox.fields import Json
from sandbox.store import Record
from sandbox.vendor import Desk

# The tenant's staff; more can be added with employee_create.
EMPLOYEES: tuple[Json, ...] = (
    {"first_name": "Minh", "last_name": "Tran", "email": "minh.tran@example.com", "external_id": "EMP-001"},
    {"first_name": "Lan", "last_name": "Pham", "email": "lan.pham@example.com", "external_id": "EMP-002"},
    {"first_name": "Quang", "last_name": "Le", "email": "quang.le@example.com", "external_id": "EMP-003"},
)


@dataclass(frozen=True)
class Kind:
    """How one kind behaves: what a body may refer to, how state follows from it, what is answered."""

    label: str
    missing: Callable[[Desk, Json], list[str]]
    state: Callable[[Desk, Json, Json], Json]
    answer: Callable[[Desk, Record], Json]


def employees(desk: Desk) -> list[Json]:
    """Return the built-in employees and those created since, in this order."""
    made = desk.exact("employee")
    names = ("first_name", "last_name", "email", "external_id")
    return [*EMPLOYEES, *({name: record.state.get(name) for name in names} for record in made)]


def employee_uuid(external_id: str) -> str:
    """Return the internal UUID of an employee, always the same for the same external id."""
    return str(uuid5(NAMESPACE_DNS, f"employee.{external_id}.sandbox"))


def owner(desk: Desk, external_id: object) -> Json | None:
    """Return the owner object of an answer, or None when no employee has this external id."""
    if not external_id:
        return None
    for person in employees(desk):
        if person["external_id"] == external_id:
            return {
                "first_name": person["first_name"],
                "last_name": person["last_name"],
                "external_id": external_id,
                "user_site": {"value": "Site 1", "external_id": None},
                "user_dimension": {"value": "Dimension 1", "external_id": None},
            }
    return None


def _nothing_missing(_desk: Desk, _body: Json) -> list[str]:
    return []


def _merge(_desk: Desk, old: Json, body: Json) -> Json:
    return {**old, **body}


def _answer(desk: Desk, record: Record) -> Json:
    return {**record.state, "id": record.id, "owner": owner(desk, record.state.get("owner_id"))}


def _plain_answer(_desk: Desk, record: Record) -> Json:
    return {**record.state, "id": record.id}


def _contact_missing(desk: Desk, body: Json) -> list[str]:
    return _unknown_key(desk, "account", "account_external_id", body.get("account_external_id"))


def _unknown_key(desk: Desk, kind: str, field: str, key: object) -> list[str]:
    if not key or desk.exact(kind, external_id=key):
        return []
    return [f"{field} {key} does not exist"]


def _unknown_id(desk: Desk, kind: str, field: str, record_id: object) -> list[str]:
    if not record_id or desk.store.get(desk.vendor, kind, str(record_id)):
        return []
    return [f"{field} {record_id} does not exist"]


def _contact_answer(desk: Desk, record: Record) -> Json:
    accounts = desk.exact("account", external_id=record.state.get("account_external_id", ""))
    return {
        **_answer(desk, record),
        "name": f"{record.state['first_name']} {record.state['last_name']}",
        "company_id": accounts[0].id if accounts else None,
        "created_by": record.state["owner_id"],
        "updated_by": record.state["owner_id"],
    }


def _lead_answer(desk: Desk, record: Record) -> Json:
    shown = _answer(desk, record)
    # A lead is updated with custom_field_id and answered with field (Update lead, response sample).
    shown["custom_fields"] = [
        {"field": item.get("field", item.get("custom_field_id")), "value": item["value"]}
        for item in record.state.get("custom_fields") or ()
    ]
    return shown


def _opportunity_missing(desk: Desk, body: Json) -> list[str]:
    found: list[str] = []
    # Update has neither account nor contacts, so only a create must name the account.
    if "account_id" in body and not body["account_external_id"] and not body["account_id"]:
        found.append("account_external_id or account_id should not be empty")
    found += _unknown_key(desk, "account", "account_external_id", body.get("account_external_id"))
    found += _unknown_id(desk, "account", "account_id", body.get("account_id"))
    for key in body.get("contacts_external_ids", ()):
        found += _unknown_key(desk, "contact", "contacts_external_ids", key)
    for key in body.get("contacts_ids", ()):
        found += _unknown_id(desk, "contact", "contacts_ids", key)
    for line in [*body.get("opportunities_products", ()), *body.get("products", ())]:
        key = line["product_external_id"]
        if not any(not product.state.get("deleted") for product in desk.exact("product", external_id=key)):
            found.append(f"product_external_id {key} does not exist")
    return found


def _line_amount(line: Json, unit: str) -> Decimal:
    gross = Decimal(str(line["unit_price"])) * Decimal(str(line["quantity"]))
    discount = Decimal(str(line.get("discount") or 0))
    return gross * (100 - discount) / 100 if unit == "percent" else gross - discount


def _opportunity_state(desk: Desk, old: Json, body: Json) -> Json:
    creating = "opportunities_products" in body and "products" not in body
    # Only the update's line says what its discount is (discount_type_value, always PERCENT).
    unit = str(desk.options["create_discount"]) if creating else "percent"
    lines = body["opportunities_products"] or body.get("products", [])
    now = datetime.fromtimestamp(desk.store.now_ms() / 1000, UTC)
    state = {
        "locked": False,
        "stage_close": None,
        "date_closed_actual": None,
        "stage_logs": [],
        **old,
        **body,
    }
    if "short_id" not in state:
        number = desk.store.next_number(desk.vendor, f"opportunity.{now.year}", 1)
        state["short_id"] = f"{now.year}.{number:05d}"
    state["amount"] = float(sum((_line_amount(line, unit) for line in lines), Decimal()))
    if old and body.get("stage_close"):
        state["date_closed_actual"] = now.date().isoformat()
        state["stage_logs"] = [*old["stage_logs"], _log("CLOSE_NOTE", body["close_reason"], now)]
    elif old and body["sale_process_stage"] != old["sale_process_stage"]:
        state["stage_logs"] = [*old["stage_logs"], _log("PROJECT_LOG_STAGE", body["sale_process_stage"], now)]
    return state


def _log(kind: str, value: str, now: datetime) -> Json:
    return {"id": str(uuid4()), "type": kind, "value": value, "created_at": now.isoformat(), "creator": None}


def _opportunity_answer(_desk: Desk, record: Record) -> Json:
    state = record.state
    return {
        "id": record.id,
        "name": state["name"],
        "description": "",
        "amount": state["amount"],
        "amount_usd_dollar": 0,
        "date_closed": state["date_closed"][:10],
        "date_open": state["date_open"],
        "stage_compact": state["stage_close"],
        "owner_id": employee_uuid(state["owner_external_id"]) if state["owner_external_id"] else None,
        "short_id": state["short_id"],
        "invoice": 0,
        "tax_inclusive_amount": "0",
        "date_closed_actual": state["date_closed_actual"],
        "stage_logs": state["stage_logs"],
    }


KINDS: Mapping[str, Kind] = {
    "contact": Kind("Contact", _contact_missing, _merge, _contact_answer),
    "account": Kind("Account", _nothing_missing, _merge, _answer),
    "opportunity": Kind("Opportunity", _opportunity_missing, _opportunity_state, _opportunity_answer),
    "lead": Kind("Lead", _nothing_missing, _merge, _lead_answer),
    "employee": Kind("Employee", _nothing_missing, _merge, _plain_answer),
    "product": Kind("Product", _nothing_missing, _merge, _answer),
    "supplier": Kind("Supplier", _nothing_missing, _merge, _answer),
    "unit_of_measure": Kind("Unit of measure", _nothing_missing, _merge, _answer),
    "buyer_group": Kind("Buyer group", _nothing_missing, _merge, _answer),
}
