"""Plays centiaCRM over HTTP: one address per namespace, the method in the body, one envelope for all.

The documentation prints no address; since GetInputs exists four times and GetOrigins twice, the namespace
has to be in the path.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sandbox.centiacrm import fields as f
from sandbox.centiacrm.actions import (
    countries,
    create,
    edit_product,
    everything,
    get_opportunity,
    login,
    paged,
    profiles,
    reference,
    search_one,
    states,
)
from sandbox.centiacrm.records import KINDS
from sandbox.fields import Complaint
from sandbox.vendor import Answer, Call, Inbound, Operation, Refused, Vendor

COMPANY_FILTERS = {"company_type": "type_id", "company_industry": "industry_id"}
CONTACT_FILTERS = {
    name: name for name in ("company_id", "origin_id", "title_id", "position_id", "department_id")
}
# The filter is called contact_type, while CreateOpportunity says prospect_type.
OPPORTUNITY_FILTERS = {
    "user_id": "user_id",
    "status": "status",
    "contact_type": "prospect_type",
    "operation_type": "operation_type",
    "stage": "stage_id",
}


def _lists(namespace: str, kind: str, words: Mapping[str, str]) -> tuple[Operation, ...]:
    return tuple(
        Operation(
            f"{namespace}_get_{key}",
            namespace,
            method,
            reference(key, f"{kind}_{key}" if kind else key),
            f.PROFILE,
        )
        for key, method in words.items()
    )


OPERATIONS = (
    Operation("auth_login", "auth", "Login", login, f.LOGIN, needs_token=False),
    Operation("profiles_get_profiles", "profiles", "GetProfiles", profiles),
    *_lists("profiles", "", {"stages": "GetStages", "users": "GetUsers"}),
    Operation("profiles_get_countries", "profiles", "GetCountries", countries),
    Operation("profiles_get_states", "profiles", "GetStates", states, f.STATES),
    Operation(
        "companies_get_companies",
        "companies",
        "GetCompanies",
        paged("company", "companies", COMPANY_FILTERS),
        f.LIST_COMPANIES,
    ),
    *_lists(
        "companies", "company", {"types": "GetTypes", "industries": "GetIndustries", "inputs": "GetInputs"}
    ),
    Operation("companies_create_company", "companies", "CreateCompany", create("company"), f.CREATE_COMPANY),
    Operation("companies_get_company", "companies", "GetCompany", search_one("company"), f.GET_COMPANY),
    Operation(
        "contacts_get_contacts",
        "contacts",
        "GetContacts",
        paged("contact", "contacts", CONTACT_FILTERS),
        f.LIST_CONTACTS,
    ),
    *_lists("contacts", "contact", {"origins": "GetOrigins", "titles": "GetTitles", "inputs": "GetInputs"}),
    *_lists("contacts", "contact", {"departments": "GetDepartments", "positions": "GetPositions"}),
    Operation("contacts_create_contact", "contacts", "CreateContact", create("contact"), f.CREATE_CONTACT),
    Operation("contacts_get_contact", "contacts", "GetContact", search_one("contact"), f.GET_CONTACT),
    Operation(
        "products_get_products", "products", "GetProducts", everything("product", "products"), f.LIST_PRODUCTS
    ),
    *_lists("products", "product", {"categories": "GetCategories", "validities": "GetValidities"}),
    *_lists("products", "product", {"discounts": "GetDiscounts", "measures": "GetMeasures"}),
    *_lists("products", "product", {"taxes": "GetTaxes", "inputs": "GetInputs"}),
    Operation("products_create_product", "products", "CreateProduct", create("product"), f.CREATE_PRODUCT),
    Operation("products_edit_product", "products", "EditProduct", edit_product, f.EDIT_PRODUCT),
    *_lists("opportunities", "opportunity", {"inputs": "GetInputs"}),
    Operation(
        "opportunities_get_opportunities",
        "opportunities",
        "GetOpportunities",
        paged("opportunity", "opportunities", OPPORTUNITY_FILTERS),
        f.LIST_OPPORTUNITIES,
    ),
    Operation(
        "opportunities_create_opportunity",
        "opportunities",
        "CreateOpportunity",
        create("opportunity"),
        f.CREATE_OPPORTUNITY,
    ),
    Operation(
        "opportunities_get_opportunity", "opportunities", "GetOpportunity", get_opportunity, f.GET_OPPORTUNITY
    ),
    Operation("tickets_get_tickets", "tickets", "GetTickets", everything("ticket", "tickets"), f.PROFILE),
    *_lists(
        "tickets", "ticket", {"origins": "GetOrigins", "cases": "GetCases", "priorities": "GetPriorities"}
    ),
    Operation("tickets_create_ticket", "tickets", "CreateTicket", create("ticket"), f.CREATE_TICKET),
)


class CentiaCrm(Vendor):
    """centiaCRM as its documentation describes it: every call is a POST, every answer an envelope."""

    name = "centiacrm"
    kinds = tuple(KINDS)
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {"auth_error": ("envelope", "http401")}
    credential_keys = ("email", "password")
    operations = OPERATIONS

    def match(self, inbound: Inbound) -> Call | None:
        """Find the operation by the namespace in the path and the method in the body."""
        if inbound.verb != "POST" or len(inbound.segments) != 3 or inbound.segments[:2] != ("api", "v1"):
            return None
        namespace, method = inbound.segments[2].lower(), inbound.body.get("method")
        parameters = inbound.body.get("parameters", {})
        for operation in OPERATIONS:
            if (operation.group, operation.target) == (namespace, method) and isinstance(parameters, dict):
                return Call(operation, {}, inbound.query, parameters)
        return None

    def accepts(self, inbound: Inbound) -> bool:
        """Say whether Login issued this token and it has not been made to expire."""
        return self.desk.store.knows_token(self.name, inbound.bearer)

    def unknown(self, inbound: Inbound) -> Answer:
        """Answer a failure for any address, method or form of body that is not documented."""
        if inbound.malformed:
            return self.refusal(Refused(400, "The request body is not a JSON object"))
        return self.refusal(Refused(404, "Method not found"))

    def refusal(self, refused: Refused) -> Answer:
        """Answer HTTP 200 with success false; only a login problem can have its own status."""
        own_status = refused.status == 401 and self.desk.options["auth_error"] == "http401"
        body = {"success": False, "response": None, "error": " ".join(refused.messages)}
        return Answer(401 if own_status else 200, body)

    def unauthorised(self) -> Answer:
        """Answer a missing, unknown or expired token."""
        return self.refusal(Refused(401, "Token expired"))

    def expire_token(self) -> None:
        """Forget all issued tokens, so that this request and later ones need a new Login."""
        self.desk.store.forget_tokens(self.name)

    def failure_in_success(self) -> Answer:
        """Answer an unexplained failure in the usual envelope."""
        return self.refusal(Refused(500, "Unexpected error"))

    def complain(self, complaints: Sequence[Complaint]) -> Refused:
        """Word complaints like Laravel's validator."""
        messages = [
            f"The {one.path} field is required."
            if one.reason == "missing"
            else f"The {one.path} {one.phrase}."
            for one in complaints
        ]
        return Refused(400, *messages)
