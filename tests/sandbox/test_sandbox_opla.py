"""Tests the played OplaCRM against its API reference."""

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.oplacrm.vendor import OPERATIONS
from tests.sandbox.sandbox_bodies import (
    ACCOUNT,
    CONTACT,
    LEAD,
    LINE,
    OPPORTUNITY,
    OPPORTUNITY_UPDATE,
    PRODUCT,
    Json,
)
from tests.sandbox.sandbox_clients import Opla, records


def _without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


UNIT = {"name": "Piece", "description": ""}
SUPPLIER = {"name": "S", "buyer_group_id": "", "buyer_group_name": "", "main_contact_id": ""}
EMPLOYEE: Json = {"first_name": "Jone", "last_name": "Doe", "dimension_id": None, "site_id": None}
# Operation -> verb, path ("{x}" is filled with an id made before), body, status.
VALID: Mapping[str, tuple[str, str, Json | None, int]] = {
    "account_create": ("POST", "accounts", {**ACCOUNT, "external_id": "A-2"}, 201),
    "account_get": ("GET", "accounts/A-1", None, 200),
    "account_update": ("PUT", "accounts/A-1", {**ACCOUNT, "custom_fields": ["x"]}, 200),
    "account_update_by_uuid": ("PUT", "accounts/uuid/{account}", {**ACCOUNT, "custom_fields": "x"}, 200),
    "account_list": ("GET", "accounts?skip=0&take=20&external_id=&tax_identification_number=", None, 200),
    "contact_create": ("POST", "contacts", {**CONTACT, "birthday": "2010-10-27T17:00:00.000Z"}, 201),
    "contact_get": ("GET", "contacts/C-1", None, 200),
    "contact_update": ("PUT", "contacts/C-1", _without(CONTACT, "account_external_id"), 200),
    "contact_list": ("GET", "contacts?skip=0&take=20&account_external_id=&external_id=C-1", None, 200),
    "opportunity_create": ("POST", "opportunities", OPPORTUNITY, 201),
    "opportunity_get": ("GET", "opportunities/{opportunity}", None, 200),
    "opportunity_get_alt": ("GET", "opportunities/external/O-1", None, 200),
    "opportunity_update": ("PUT", "opportunities/{opportunity}", OPPORTUNITY_UPDATE, 200),
    "opportunity_update_alt": ("PUT", "opportunities/external/O-1", OPPORTUNITY_UPDATE, 200),
    "opportunity_list": ("GET", "opportunities?skip=0&take=200&sales_process=null", None, 200),
    "opportunity_list_optimized": ("GET", "opportunities/optimized?take=200", None, 200),
    "opportunity_add_contributor": (
        "POST",
        "opportunities/{opportunity}/contributors",
        {"email": "contributor@company.com", "permission": "READ_ONLY"},
        201,
    ),
    "lead_create": ("POST", "leads", LEAD, 201),
    "lead_list": ("GET", "leads?skip=0&take=20&external_id=L-1", None, 200),
    "lead_update": (
        "PUT",
        "leads/{lead}",
        {**_without(LEAD, "external_id"), "custom_fields": [{"custom_field_id": "f", "value": "v"}]},
        200,
    ),
    "employee_create": ("POST", "employees", {**EMPLOYEE, "email": "j@e.vn", "external_id": "E-9"}, 201),
    "employee_list": ("GET", "employees?skip=0&take=20&search=", None, 200),
    "employee_update": ("PUT", "employees/{employee}", EMPLOYEE, 200),
    "product_create": ("POST", "products", {**PRODUCT, "external_id": 1753866687345}, 201),
    "product_list": ("GET", "products", None, 200),
    "product_update": ("PUT", "products/P-1", _without(PRODUCT, "external_id"), 200),
    "product_upsert": ("POST", "products/upsert", {**PRODUCT, "id": "", "deleted": 0}, 201),
    "supplier_create": ("POST", "suppliers", {**SUPPLIER, "external_id": "S-2"}, 201),
    "supplier_update": ("PUT", "suppliers/{supplier}", SUPPLIER, 200),
    "unit_of_measure_create": ("POST", "unit-of-measures", {**UNIT, "external_id": "U-2"}, 201),
    "unit_of_measure_update": ("PUT", "unit-of-measures/U-1", UNIT, 200),
    "buyer_group_create": ("POST", "buyer-groups", {**UNIT, "external_id": "B-2"}, 201),
    "buyer_group_update": ("PUT", "buyer-groups/{buyer_group}", UNIT, 200),
    **{
        f"account_employee_action_{number}": (
            "POST",
            f"accounts/employees/{number}",
            {"account_id": "A-1", "employee_id": "EMP-001"},
            200,
        )
        for number in (1, 2, 3)
    },
    # The last, because nothing finds the contact afterwards.
    "contact_delete": ("DELETE", "contacts/C-1", None, 200),
}


def test_every_operation_takes_a_request_written_from_the_document(opla: Opla) -> None:
    """A client that follows the reference would be refused by the sandbox."""
    assert set(VALID) == {operation.name for operation in OPERATIONS}
    opla.prepare()
    made = {
        "account": opla.send("GET", "accounts/A-1").json()["id"],
        "opportunity": opla.made("opportunities", OPPORTUNITY)["id"],
        "lead": opla.made("leads", LEAD)["id"],
        "employee": opla.made("employees", {**EMPLOYEE, "email": "q@e.vn", "external_id": "E-8"})["id"],
        "supplier": opla.made("suppliers", {**SUPPLIER, "external_id": "S-1"})["id"],
        "buyer_group": opla.made("buyer-groups", {**UNIT, "external_id": "B-1"})["id"],
    }
    opla.made("unit-of-measures", {**UNIT, "external_id": "U-1"})
    for name, (verb, path, body, status) in VALID.items():
        # httpx replaces a query in the address by its own parameters, even if these are empty.
        bare, _, query = path.format(**made).partition("?")
        pairs = dict(pair.split("=") for pair in query.split("&")) if query else {}
        answer = opla.send(verb, bare, body, **pairs)
        assert answer.status_code == status, (name, answer.text)


REFUSED: tuple[tuple[str, Json, str, object, str], ...] = (
    ("leads", LEAD, "name", None, "name"),
    ("leads", LEAD, "name", "", "name"),
    ("leads", LEAD, "external_id", "", "external_id"),
    ("leads", LEAD, "gender", "F", "gender"),
    ("leads", LEAD, "email", "john", "email"),
    ("leads", LEAD, "custom_fields", [{"custom_field_id": "x", "value": "y"}], "custom_fields.0.field"),
    ("leads", LEAD, "surprise", 1, "surprise"),
    ("accounts", ACCOUNT, "is_public", "false", "is_public"),
    ("accounts", ACCOUNT, "note", None, "note"),
    ("accounts", ACCOUNT, "phone", "+84 1", "phone"),
    ("contacts", CONTACT, "birthday", "27.10.2010", "birthday"),
    ("contacts", CONTACT, "account_external_id", "A-9", "account_external_id A-9 does not exist"),
    ("products", PRODUCT, "price", "100", "price"),
    ("opportunities", OPPORTUNITY, "date_closed", "31/03/26", "date_closed"),
    ("opportunities", OPPORTUNITY, "account_external_id", "", "account_external_id"),
    ("opportunities", OPPORTUNITY, "account_external_id", "A-9", "account_external_id A-9"),
    ("opportunities", OPPORTUNITY, "account_id", "no-uuid", "account_id"),
    ("opportunities", OPPORTUNITY, "contacts_external_ids", ["C-9"], "contacts_external_ids C-9"),
    ("opportunities", OPPORTUNITY, "contacts_ids", ["no-uuid"], "contacts_ids"),
    ("opportunities", OPPORTUNITY, "opportunities_products", [{**LINE, "product_external_id": "P-9"}], "P-9"),
    ("opportunities", OPPORTUNITY, "opportunities_products", [{**LINE, "quantity": "2"}], "quantity"),
    ("opportunities", OPPORTUNITY, "contributors", [{"email": "a@b.vn", "permission": "ALL"}], "permission"),
    ("opportunities", OPPORTUNITY, "custom_fields", [{"field": "x", "value": "y"}], "custom_field_id"),
)


def test_wrong_bodies_are_refused_in_the_form_of_nestjs_and_leave_nothing(opla: Opla) -> None:
    """A client's wrong body would pass the sandbox and fail only at the real vendor."""
    opla.prepare()
    before = len(records(opla.http))
    for path, valid, field, value, told in REFUSED:
        answer = opla.send(
            "POST", path, {**valid, field: value} if value is not None else _without(valid, field)
        )
        assert answer.status_code == 400, (path, field, value, answer.text)
        body: dict[str, Any] = answer.json()
        assert body["error"] == "Bad Request"
        assert body["statusCode"] == 400
        assert any(told in message for message in body["message"]), body
    assert len(records(opla.http)) == before


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_request_without_the_token_gets_the_documented_401(opla: Opla, token: str) -> None:
    """A client with a wrong token would seem to work."""
    opla.token = token
    answer = opla.send("POST", "leads", LEAD)
    assert (answer.status_code, answer.json()) == (401, {"statusCode": 401, "message": "Unauthorized"})
    assert records(opla.http) == []


def test_unknown_paths_verbs_and_records_get_404(opla: Opla) -> None:
    """A wrong path or verb in a client would look like a success."""
    assert opla.send("GET", "tickets").json()["message"] == "Cannot GET /api/public/tickets"
    assert opla.send("PATCH", "contacts/C-1", CONTACT).status_code == 404
    assert opla.send("DELETE", "contacts/C-1").status_code == 404
    assert opla.send("GET", "contacts/C-9").json()["message"] == "Contact not found"
    opla.made("leads", LEAD)
    update: Json = {"name": "A", "account_name": "B", "custom_fields": []}
    assert opla.send("PUT", "leads/L-1", update).status_code == 404


def test_lists_filter_and_page(opla: Opla) -> None:
    """A look-up by key would return other records, or a page would repeat or lose some."""
    opla.prepare()
    for number in range(5):
        opla.made("leads", {**LEAD, "external_id": f"L-{number}"})
    opla.made("accounts", {**ACCOUNT, "external_id": "A-2", "tax_identification_number": "0202"})
    leads = opla.send("GET", "leads", skip="3", take="20").json()
    assert [lead["external_id"] for lead in leads] == ["L-3", "L-4"]
    assert len(opla.send("GET", "leads", external_id="L-2").json()) == 1
    found = opla.send("GET", "accounts", tax_identification_number="0202").json()
    assert [account["external_id"] for account in found] == ["A-2"]
    assert len(opla.send("GET", "contacts", account_external_id="A-1").json()) == 1
    assert opla.send("GET", "contacts", account_external_id="A-2").json() == []
    assert opla.send("GET", "opportunities", take="201").status_code == 400
    assert opla.send("GET", "leads", skip="-1").status_code == 400
    assert [one["external_id"] for one in opla.send("GET", "employees", search="minh").json()] == ["EMP-001"]


def test_an_opportunity_shows_its_amount_but_neither_key_nor_lines(opla: Opla) -> None:
    """A client could lean on an external_id in the answer that the real vendor does not give."""
    opla.prepare()
    made = opla.made("opportunities", OPPORTUNITY)
    assert made["amount"] == pytest.approx(180.9)
    assert made["short_id"].endswith(".00001")
    assert {"external_id", "opportunities_products", "account_external_id"}.isdisjoint(made)
    changed = opla.send("PUT", "opportunities/external/O-1", OPPORTUNITY_UPDATE).json()
    assert (changed["id"], changed["amount"]) == (made["id"], pytest.approx(402))
    assert changed["stage_logs"][0]["type"] == "PROJECT_LOG_STAGE"
    won = {**OPPORTUNITY_UPDATE, "stage_close": "CLOSE_WON", "locked": True}
    assert opla.send("PUT", f"opportunities/{made['id']}", won).json()["stage_compact"] == "CLOSE_WON"
    assert opla.send("PUT", f"opportunities/{made['id']}", won).status_code == 400
    stages = opla.send("GET", "opportunities", sales_process="Web", sales_process_stages="New,Quoted").json()
    assert [one["id"] for one in stages] == [made["id"]]
    assert opla.send("GET", "opportunities", sales_process_stages="New").json() == []


def test_contact_and_lead_answers_have_the_fields_of_the_samples(opla: Opla) -> None:
    """A client that reads owner, name or company_id would meet another shape at the real vendor."""
    opla.prepare()
    contact = opla.send("GET", "contacts/C-1").json()
    account = opla.send("GET", "accounts/A-1").json()
    assert (contact["name"], contact["company_id"]) == ("Lan Vo", account["id"])
    assert account["owner"]["user_site"] == {"value": "Site 1", "external_id": None}
    lead = opla.made("leads", LEAD)
    update = {**_without(LEAD, "external_id"), "custom_fields": [{"custom_field_id": "f", "value": "v"}]}
    changed = opla.send("PUT", f"leads/{lead['id']}", update).json()
    assert changed["external_id"] == "L-1"
    assert changed["custom_fields"] == [{"field": "f", "value": "v"}]


def test_upsert_keeps_one_product_and_deleted_products_cannot_be_sold(opla: Opla) -> None:
    """The one documented upsert would duplicate products."""
    opla.prepare()
    upsert: Json = {**PRODUCT, "id": "", "deleted": 0, "price": 120}
    opla.made("products/upsert", upsert)
    assert [product["price"] for product in opla.send("GET", "products").json()] == [120]
    opla.made("products/upsert", {**upsert, "deleted": 1})
    assert opla.send("GET", "products").json() == []
    assert opla.send("POST", "opportunities", OPPORTUNITY).status_code == 400


def test_a_body_without_the_json_media_type_is_not_read(opla: Opla) -> None:
    """A client that forgets its Content-Type would work here and fail at a NestJS server."""
    headers = {"Authorization": f"Bearer {opla.token}"}
    url = "/oplacrm/api/public/leads"
    plain = opla.http.post(url, content=b'{"name": "A", "account_name": "B"}', headers=headers)
    broken = opla.http.post(url, content=b"{", headers={**headers, "Content-Type": "application/json"})
    assert (plain.status_code, broken.status_code) == (400, 400)


def test_an_id_with_a_slash_is_one_path_part(opla: Opla) -> None:
    """Shops whose order numbers contain slashes could not be looked up."""
    opla.made("accounts", {**ACCOUNT, "external_id": "A/1 ü"})
    assert opla.send("GET", "accounts/A%2F1%20%C3%BC").json()["external_id"] == "A/1 ü"


def test_what_nobody_knows_the_place_of_is_played_too(opla: Opla) -> None:
    """Otherwise these four have never been called when somebody learns where they are."""
    opla.send("POST", "accounts", {**ACCOUNT, "external_id": "ACT-001"})
    known = {"account_id": "ACT-001", "employee_id": "EMP-001"}
    for number in (1, 2, 3):
        answer = opla.send("POST", f"accounts/employees/{number}", known)
        assert (answer.status_code, answer.json()["message"]) == (200, "Request was successful")
    assert opla.send("POST", "accounts/employees/1", {**known, "account_id": "ACT-9"}).status_code == 400
    opla.send("POST", "contacts", {**CONTACT, "external_id": "C-1", "account_external_id": "ACT-001"})
    assert opla.send("DELETE", "contacts/C-1").status_code == 200
    assert opla.send("GET", "contacts/C-1").status_code == 404
