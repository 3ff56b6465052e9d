"""All operations of OplaCRM and centiaCRM, by hand from their documents, each with the least that it takes.

`@lead` stands for the vendor's id of the lead that the tests have made.
"""

from __future__ import annotations

from typing import Any

Row = tuple[str, dict[str, Any]]

_DAY, _LATER = "2026-03-02", "2026-04-01"
_NAME = {"first_name": "Lan", "last_name": "Vo"}
_DEAL = {"name": "Order 1", "date_closed": _LATER}
_CHANGED = {**_DEAL, "external_id": "opp-1"}
_LEAD = {"name": "Lan Vo", "account_name": "Acme"}
_PLACE = {"account_id": "acct-1", "employee_id": "EMP-001"}

#: Operation of OplaCRM → verb and path, and an input.
OPLA: dict[str, Row] = {
    "contact_get": ("GET /public/contacts/{external_id}", {"external_id": "cont-1"}),
    "contact_update": ("PUT /public/contacts/{external_id}", {"external_id": "cont-1", **_NAME}),
    "contact_delete": ("DELETE /public/contacts/{external_id}", {"external_id": "cont-1"}),
    "contact_list": ("GET /public/contacts", {}),
    "contact_create": (
        "POST /public/contacts",
        {**_NAME, "account_external_id": "acct-1", "external_id": "cont-2"},
    ),
    "account_get": ("GET /public/accounts/{external_id}", {"external_id": "acct-1"}),
    "account_update": ("PUT /public/accounts/{external_id}", {"external_id": "acct-1", "name": "Acme"}),
    "account_list": ("GET /public/accounts", {}),
    "account_create": ("POST /public/accounts", {"external_id": "acct-2", "name": "Other"}),
    "account_update_by_uuid": (
        "PUT /public/accounts/uuid/{uuid}",
        {"uuid": "@account", "external_id": "acct-1", "name": "Acme"},
    ),
    "account_employee_action_1": ("POST /public/accounts/employees#1", _PLACE),
    "account_employee_action_2": ("POST /public/accounts/employees#2", _PLACE),
    "account_employee_action_3": ("POST /public/accounts/employees#3", _PLACE),
    "opportunity_get": ("GET /public/opportunities/{id}", {"id": "@opportunity"}),
    "opportunity_update": ("PUT /public/opportunities/{id}", {"id": "@opportunity", **_CHANGED}),
    "opportunity_get_alt": ("GET /public/opportunities/external/{id}", {"id": "opp-1"}),
    "opportunity_update_alt": (
        "PUT /public/opportunities/external/{id}",
        {"id": "opp-1", **_CHANGED},
    ),
    "opportunity_list": ("GET /public/opportunities", {}),
    "opportunity_create": (
        "POST /public/opportunities",
        {**_DEAL, "date_open": _DAY, "account_external_id": "acct-1"},
    ),
    "opportunity_add_contributor": (
        "POST /public/opportunities/{id}/contributors",
        {"id": "@opportunity", "email": "a@example.com", "permission": "READ_ONLY"},
    ),
    "opportunity_list_optimized": ("GET /public/opportunities/optimized", {}),
    "lead_list": ("GET /public/leads", {}),
    "lead_create": ("POST /public/leads", _LEAD),
    "lead_update": ("PUT /public/leads/{id}", {"id": "@lead", **_LEAD}),
    "employee_create": ("POST /public/employees", {**_NAME, "email": "lan@example.com"}),
    "employee_list": ("GET /public/employees", {}),
    "employee_update": ("PUT /public/employees/{id}", {"id": "@employee", **_NAME}),
    "product_create": ("POST /public/products", {"name": "Cup", "price": 7, "external_id": "prod-2"}),
    "product_list": ("GET /public/products", {}),
    "product_update": (
        "PUT /public/products/{external_id}",
        {"external_id": "prod-1", "name": "Tea", "price": 4},
    ),
    "product_upsert": ("POST /public/products/upsert", {"name": "Tea", "price": 4, "external_id": "prod-1"}),
    "supplier_create": ("POST /public/suppliers", {"name": "Mill", "external_id": "s-2"}),
    "supplier_update": ("PUT /public/suppliers/{id}", {"id": "@supplier", "name": "Mill"}),
    "unit_of_measure_create": ("POST /public/unit-of-measures", {"name": "kg", "external_id": "u-2"}),
    "unit_of_measure_update": ("PUT /public/unit-of-measures/{id}", {"id": "u-1", "name": "kg"}),
    "buyer_group_create": ("POST /public/buyer-groups", {"name": "Retail", "external_id": "b-2"}),
    "buyer_group_update": ("PUT /public/buyer-groups/{id}", {"id": "@buyer_group", "name": "Retail"}),
}
#: What must be there for the inputs above: kind, the operation that makes it, its input.
OPLA_FIRST = (
    ("account", "account_create", {"external_id": "acct-1", "name": "Acme"}),
    ("contact", "contact_create", {**_NAME, "account_external_id": "acct-1", "external_id": "cont-1"}),
    ("product", "product_create", {"name": "Tea", "price": 4, "external_id": "prod-1"}),
    (
        "opportunity",
        "opportunity_create",
        {**_DEAL, "date_open": _DAY, "account_external_id": "acct-1", "external_id": "opp-1"},
    ),
    ("lead", "lead_create", _LEAD),
    ("employee", "employee_create", {**_NAME, "email": "vo@example.com"}),
    ("supplier", "supplier_create", {"name": "Mill", "external_id": "s-1"}),
    ("unit_of_measure", "unit_of_measure_create", {"name": "kg", "external_id": "u-1"}),
    ("buyer_group", "buyer_group_create", {"name": "Retail", "external_id": "b-1"}),
)

_PROFILE = {"profile_id": 1}
_COMPANY = {**_PROFILE, "name": "Muebles SA", "type_id": 51, "industry_id": 71}
_PERSON = {**_PROFILE, "company_id": "@company", "name": "Eva", "surname": "Ruiz", "origin_id": 111}
_CHAIR = {**_PROFILE, "name": "Silla", "value": 99.5}
_WORK = {**_PROFILE, "user_id": 31, "company_id": "@company", "contact_id": "@contact", "notify": False}
_SALE = {
    **_WORK,
    "title": "Pedido",
    "value": 10,
    "estimated_end_at": "31/03/26",
    "prospect_type": "new",
    "operation_type": "new",
    "stage_id": 11,
}
_HELP = {
    **_WORK,
    "title": "Ayuda",
    "description": "No llegó",
    "origin_id": 351,
    "case_id": 371,
    "priority_id": 391,
    "estimated_end_at": "2026-03-31",
}

#: Operation of centiaCRM → its method with its namespace, and an input.
CENTIA: dict[str, Row] = {
    "auth_login": ("Auth.Login", {"email": "relay@example.com", "password": "centia-password"}),
    "profiles_get_profiles": ("Profiles.GetProfiles", {}),
    "profiles_get_stages": ("Profiles.GetStages", _PROFILE),
    "profiles_get_countries": ("Profiles.GetCountries", {}),
    "profiles_get_states": ("Profiles.GetStates", {"country": "MX"}),
    "profiles_get_users": ("Profiles.GetUsers", _PROFILE),
    "companies_get_companies": ("Companies.GetCompanies", _PROFILE),
    "companies_get_types": ("Companies.GetTypes", _PROFILE),
    "companies_get_industries": ("Companies.GetIndustries", _PROFILE),
    "companies_get_inputs": ("Companies.GetInputs", _PROFILE),
    "companies_create_company": ("Companies.CreateCompany", _COMPANY),
    "companies_get_company": (
        "Companies.GetCompany",
        {**_PROFILE, "search_by": "id", "search_value": "1001"},
    ),
    "contacts_get_contacts": ("Contacts.GetContacts", _PROFILE),
    "contacts_get_origins": ("Contacts.GetOrigins", _PROFILE),
    "contacts_get_titles": ("Contacts.GetTitles", _PROFILE),
    "contacts_get_departments": ("Contacts.GetDepartments", _PROFILE),
    "contacts_get_positions": ("Contacts.GetPositions", _PROFILE),
    "contacts_get_inputs": ("Contacts.GetInputs", _PROFILE),
    "contacts_create_contact": ("Contacts.CreateContact", _PERSON),
    "contacts_get_contact": (
        "Contacts.GetContact",
        {**_PROFILE, "search_by": "email", "search_value": "eva@example.mx"},
    ),
    "products_get_products": ("Products.GetProducts", _PROFILE),
    "products_get_categories": ("Products.GetCategories", _PROFILE),
    "products_get_validities": ("Products.GetValidities", _PROFILE),
    "products_get_discounts": ("Products.GetDiscounts", _PROFILE),
    "products_get_measures": ("Products.GetMeasures", _PROFILE),
    "products_get_taxes": ("Products.GetTaxes", _PROFILE),
    "products_get_inputs": ("Products.GetInputs", _PROFILE),
    "products_create_product": ("Products.CreateProduct", _CHAIR),
    "products_edit_product": ("Products.EditProduct", {**_CHAIR, "product_id": "@product"}),
    "opportunities_get_inputs": ("Opportunities.GetInputs", _PROFILE),
    "opportunities_get_opportunities": ("Opportunities.GetOpportunities", _PROFILE),
    "opportunities_create_opportunity": ("Opportunities.CreateOpportunity", _SALE),
    "opportunities_get_opportunity": (
        "Opportunities.GetOpportunity",
        {**_PROFILE, "opportunity_id": "@opportunity"},
    ),
    "tickets_get_tickets": ("Tickets.GetTickets", _PROFILE),
    "tickets_get_origins": ("Tickets.GetOrigins", _PROFILE),
    "tickets_get_cases": ("Tickets.GetCases", _PROFILE),
    "tickets_get_priorities": ("Tickets.GetPriorities", _PROFILE),
    "tickets_create_ticket": ("Tickets.CreateTicket", _HELP),
}
CENTIA_FIRST = (
    ("company", "companies_create_company", _COMPANY),
    ("contact", "contacts_create_contact", {**_PERSON, "email": "eva@example.mx"}),
    ("product", "products_create_product", _CHAIR),
    ("opportunity", "opportunities_create_opportunity", _SALE),
)
