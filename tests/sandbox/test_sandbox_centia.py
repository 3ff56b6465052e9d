"""Tests the played centiaCRM against its API documentation."""

from collections.abc import Mapping

from sandbox.centiacrm.vendor import OPERATIONS
from tests.sandbox.sandbox_bodies import ADDRESS, COMPANY, CREDENTIALS, GOOD, PERSON, Json
from tests.sandbox.sandbox_clients import Centia, records

P: Json = {"profile_id": 1}


WITH_PARTS: Json = {f"with_{part}": True for part in ("user", "company", "contact", "products", "inputs")}
CREATED: Json = {"from": "01/01/26", "to": "31/12/40"}
PAGING: Json = {**P, "query": "", "pagination": 500, "page": 1, "created_at": CREATED, "with_inputs": True}
FILTERS: Json = {
    "user_id": 31,
    "status": "active",
    "contact_type": "new",
    "operation_type": "new",
    "stage": [11],
    "contact_origin": [111],
    "company_industry": [71],
    "value": {"from": "1", "to": "1000.50"},
    "estimated_end_at": {"from": "31/03/26"},
}
ADDRESSES: Json = {"shipping_address": ADDRESS, "billing_address": {**ADDRESS, "latitude": "1"}}


def _own_parameters(deal: Json, ticket: Json, opportunity: int) -> Mapping[str, Json | None]:
    company = deal["company_id"]
    assistant = {"name": "Leo", "surname": "Paz"}
    return {
        "Login": dict(CREDENTIALS["centiacrm"]),
        "GetProfiles": None,
        "GetCountries": None,
        "GetStates": {"country": "MX"},
        "GetCompanies": {**PAGING, "company_type": [51], "company_industry": [71], "with_addresses": True},
        "CreateCompany": {**COMPANY, **ADDRESSES},
        "GetCompany": {**P, "search_by": "id", "search_value": str(company)},
        "GetContacts": {**PAGING, "company_id": company, "origin_id": [111], "with_addresses": True},
        "CreateContact": {
            **PERSON,
            **ADDRESSES,
            "company_id": company,
            "title_id": 131,
            "assistant": assistant,
        },
        "GetContact": {**P, "search_by": "email", "search_value": "eva@example.mx"},
        "GetProducts": {**P, "with_inputs": True},
        "CreateProduct": {**GOOD, "product_measury_id": "271"},
        "EditProduct": {**GOOD, "product_id": deal["products"][0]["product_id"]},
        "GetOpportunities": {**PAGING, **WITH_PARTS, **FILTERS},
        "CreateOpportunity": deal,
        "GetOpportunity": {**P, **WITH_PARTS, "opportunity_id": opportunity},
        "CreateTicket": {**ticket, "opportunity_id": opportunity},
    }


def test_every_method_takes_a_request_written_from_the_document(centia: Centia) -> None:
    """A client that follows the documentation would be refused by the sandbox."""
    deal, ticket = centia.chain()
    opportunity = centia.call("opportunities", "CreateOpportunity", deal)["opportunity"]["id"]
    centia.call("tickets", "CreateTicket", ticket)
    own = _own_parameters(deal, ticket, opportunity)
    assert len(OPERATIONS) == 38
    for operation in OPERATIONS:
        response = centia.call(operation.group, operation.target, own.get(operation.target, P))
        lists = [value for value in response.values() if isinstance(value, list)]
        # Every list has an item by now; an empty one would mean that a filter went wrong.
        assert all(lists), operation.name
        assert all("id" in item for items in lists for item in items), operation.name


# What is created, what is changed in its valid parameters, and what the error has to speak of.
WRONG: tuple[tuple[str, Json, str], ...] = (
    ("company", {"name": ""}, "name"),
    ("company", {"type_id": "51"}, "type_id"),
    ("company", {"type_id": 71}, "type_id"),
    ("company", {"profile_id": 2}, "profile_id"),
    ("company", {"external_id": "x"}, "external_id"),
    ("company", {"billing_address": {"country": "MX"}}, "billing_address.state"),
    ("company", {"billing_address": {**ADDRESS, "country": "XX"}}, "country"),
    ("company", {"billing_address": {**ADDRESS, "state": "TX"}}, "state"),
    ("contact", {"company_id": 9}, "company_id"),
    ("contact", {"email": "eva"}, "email"),
    ("product", {"value": "99.9"}, "value"),
    ("product", {"taxes": [9]}, "taxes"),
    ("product", {"inputs": {"peso": "1"}}, "inputs.peso"),
    ("product", {"product_category_id": "9"}, "product_category_id"),
    ("edit", {"product_id": 9}, "product"),
    ("opportunity", {"estimated_end_at": "2026-03-31"}, "DD/MM/YY"),
    ("opportunity", {"estimated_end_at": "31/02/26"}, "DD/MM/YY"),
    ("opportunity", {"prospect_type": "old"}, "prospect_type"),
    ("opportunity", {"user_id": 9}, "user_id"),
    ("opportunity", {"stage_id": 9}, "stage_id"),
    ("opportunity", {"contact_id": 9}, "contact_id"),
    ("opportunity", {"products": []}, "products"),
    ("opportunity", {"want_products": False}, "products"),
    ("opportunity", {"want_tax": False}, "tax"),
    ("line", {"product_id": 9}, "product_id"),
    ("line", {"amount": 1.5}, "amount"),
    ("line", {"tax": 16}, "tax"),
    ("ticket", {"estimated_end_at": "31/03/26"}, "YYYY-MM-DD"),
    ("ticket", {"description": ""}, "description"),
    ("ticket", {"origin_id": 111}, "origin_id"),
    ("ticket", {"opportunity_id": 9}, "opportunity_id"),
)


def test_wrong_parameters_are_refused_in_the_envelope_and_leave_nothing(centia: Centia) -> None:
    """A client's wrong parameters would pass the sandbox and fail only at the real vendor."""
    deal, ticket = centia.chain()
    before = len(records(centia.http))
    calls: Mapping[str, tuple[str, str, Json]] = {
        "company": ("companies", "CreateCompany", COMPANY),
        "contact": ("contacts", "CreateContact", {**PERSON, "company_id": deal["company_id"]}),
        "product": ("products", "CreateProduct", GOOD),
        "edit": ("products", "EditProduct", GOOD),
        "opportunity": ("opportunities", "CreateOpportunity", deal),
        "line": ("opportunities", "CreateOpportunity", deal),
        "ticket": ("tickets", "CreateTicket", ticket),
    }
    for kind, change, told in WRONG:
        namespace, method, valid = calls[kind]
        changed = {"products": [{**deal["products"][0], **change}]} if kind == "line" else change
        assert told in centia.error(namespace, method, {**valid, **changed}), (kind, change)
    for name in ("profile_id", "title", "notify", "user_id"):
        lacking = {key: value for key, value in ticket.items() if key != name}
        assert f"{name} field is required" in centia.error("tickets", "CreateTicket", lacking)
    assert len(records(centia.http)) == before


def test_a_contact_of_another_company_is_refused(centia: Centia) -> None:
    """An order could be filed under a stranger's name without anybody noticing."""
    deal, ticket = centia.chain()
    other = centia.call("companies", "CreateCompany", COMPANY)["company"]["id"]
    for namespace, method, body in (
        ("opportunities", "CreateOpportunity", deal),
        ("tickets", "CreateTicket", ticket),
    ):
        assert "belong to the company" in centia.error(namespace, method, {**body, "company_id": other})


def test_calls_need_a_token_from_login(centia: Centia) -> None:
    """A client that never logs in, or uses a made-up token, would seem to work."""
    centia.token = ""
    assert centia.error("profiles", "GetProfiles") == "Token expired"
    centia.token = "made-up"
    assert centia.error("profiles", "GetProfiles") == "Token expired"
    wrong = {**CREDENTIALS["centiacrm"], "password": "guess"}
    assert centia.error("auth", "Login", wrong) == "Invalid credentials"


def test_unknown_methods_and_addresses_fail_in_the_envelope(centia: Centia) -> None:
    """A misspelt method would look like a success."""
    assert centia.error("tickets", "GetTicket", P) == "Method not found"
    assert centia.error("leads", "GetLeads", P) == "Method not found"
    assert centia.http.get("/centiacrm/api/v1/tickets").json()["success"] is False
    assert centia.call("TICKETS", "GetCases", P)["cases"]


def test_lists_page_and_filter(centia: Centia) -> None:
    """A search for an earlier delivery would miss it or find somebody else's."""
    ids = [
        centia.call("companies", "CreateCompany", {**COMPANY, "name": f"Casa Ñandú {n}"})["company"]["id"]
        for n in range(5)
    ]
    page = centia.call("companies", "GetCompanies", {**P, "pagination": 2, "page": 3})
    assert (page["total"], page["current_page"], page["last_page"]) == (5, 3, 3)
    assert [company["id"] for company in page["companies"]] == ids[4:]
    found = centia.call("companies", "GetCompanies", {**P, "query": "ñandú 3"})["companies"]
    assert [company["id"] for company in found] == [ids[3]]
    past = {"created_at": {"from": "01/01/20", "to": "02/01/20"}}
    none = centia.call("companies", "GetCompanies", {**P, **past})
    assert (none["total"], none["last_page"], none["companies"]) == (0, 1, [])
    number = found[0]["client_number"]
    by_number = {**P, "search_by": "client_number", "search_value": number}
    assert centia.call("companies", "GetCompany", by_number)["company"]["id"] == ids[3]
    elsewhere = {**P, "company_id": ids[0], "search_by": "email", "search_value": "eva@example.mx"}
    centia.call("contacts", "CreateContact", {**PERSON, "company_id": ids[1]})
    assert "not found" in centia.error("contacts", "GetContact", elsewhere)
    assert (
        centia.call("contacts", "GetContact", {**elsewhere, "company_id": ids[1]})["contact"]["name"] == "Eva"
    )
    assert centia.call("contacts", "GetContacts", {**P, "company_id": ids[0]})["total"] == 0


def test_opportunity_filters_exclude_what_does_not_fit(centia: Centia) -> None:
    """A filter that is ignored would hand a client the opportunities of other orders."""
    deal, _ = centia.chain()
    centia.call("opportunities", "CreateOpportunity", deal)
    excluding: tuple[Json, ...] = (
        {"query": "EXT-9"},
        {"user_id": 32},
        {"status": "won"},
        {"contact_type": "existing"},
        {"operation_type": "renew"},
        {"stage": [12, 13]},
        {"stage": []},
        {"contact_origin": [112]},
        {"company_industry": [72]},
        {"value": {"from": "231.78"}},
        {"value": {"to": "231.76"}},
        {"estimated_end_at": {"to": "30/03/26"}},
        {"closed_at": {"from": "01/01/20"}},
    )
    for extra in excluding:
        assert centia.call("opportunities", "GetOpportunities", {**P, **extra})["total"] == 0, extra
    assert centia.call("opportunities", "GetOpportunities", {**P, "query": "ext-1"})["total"] == 1


def test_flags_decide_what_an_opportunity_shows(centia: Centia) -> None:
    """A client could count on lines that the vendor gives only when asked."""
    deal, _ = centia.chain()
    made = centia.call("opportunities", "CreateOpportunity", deal)["opportunity"]
    assert "products" not in made
    asked = {
        **P,
        "opportunity_id": made["id"],
        "with_products": True,
        "with_company": True,
        "with_user": True,
    }
    shown = centia.call("opportunities", "GetOpportunity", asked)["opportunity"]
    assert shown["products"] == deal["products"]
    assert (shown["company"]["id"], shown["user"]["id"]) == (deal["company_id"], 31)
    assert "contact" not in shown


def test_the_same_create_twice_makes_two_records(centia: Centia) -> None:
    """A client without its own protection against duplicates would pass."""
    first = centia.call("companies", "CreateCompany", COMPANY)["company"]["id"]
    assert centia.call("companies", "CreateCompany", COMPANY)["company"]["id"] == first + 1
    assert [record["body"] for record in records(centia.http, kind="company")] == [COMPANY, COMPANY]


def test_edit_product_changes_the_record_and_the_kept_body(centia: Centia) -> None:
    """The demo would show the old price after an edit."""
    product = centia.call("products", "CreateProduct", GOOD)["product"]["id"]
    edit = {"profile_id": 1, "product_id": product, "name": "Silla", "value": 120}
    assert centia.call("products", "EditProduct", edit)["product"]["sku"] == "S-1"
    (record,) = records(centia.http, vendor="centiacrm", kind="product")
    assert (record["id"], record["body"]) == (str(product), edit)
