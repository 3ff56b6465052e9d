"""Plays OplaCRM over HTTP: its paths, its bearer token and the NestJS form of its errors.

The reference prints neither paths nor verbs; those here follow the two paths known from practice
(/public/leads and /public/opportunities).
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sandbox.fields import Complaint, Json
from sandbox.oplacrm import fields as f
from sandbox.oplacrm.actions import (
    account_employee,
    add_contributor,
    by_id,
    by_key,
    create,
    delete,
    list_employees,
    list_products,
    listing,
    read,
    update,
    upsert,
)
from sandbox.oplacrm.records import KINDS
from sandbox.rest import RestVendor
from sandbox.vendor import Answer, Inbound, Operation, Refused

# Stands for the verb of an update, which may be PUT or PATCH.
CHANGE = "CHANGE"
REASONS: Mapping[int, str] = {400: "Bad Request", 404: "Not Found", 409: "Conflict"}
STAGES = {"sales_process": "sale_process", "sales_process_stages": "sale_process_stage"}
OPPORTUNITIES_PER_PAGE = 200
KEY = {"external_id": "external_id"}

OPERATIONS = (
    Operation("contact_get", "GET", "contacts/{external_id}", read("contact", by_key)),
    Operation(
        "contact_update", CHANGE, "contacts/{external_id}", update("contact", by_key), f.UPDATE_CONTACT
    ),
    Operation(
        "contact_list",
        "GET",
        "contacts",
        listing("contact", {**KEY, "account_external_id": "account_external_id"}),
    ),
    Operation("contact_create", "POST", "contacts", create("contact"), f.CREATE_CONTACT),
    Operation("contact_delete", "DELETE", "contacts/{external_id}", delete("contact", by_key)),
    Operation("account_get", "GET", "accounts/{external_id}", read("account", by_key)),
    Operation(
        "account_update", CHANGE, "accounts/{external_id}", update("account", by_key), f.UPDATE_ACCOUNT
    ),
    Operation(
        "account_list",
        "GET",
        "accounts",
        listing("account", {**KEY, "tax_identification_number": "tax_identification_number"}),
    ),
    Operation("account_create", "POST", "accounts", create("account"), f.CREATE_ACCOUNT),
    Operation(
        "account_update_by_uuid", CHANGE, "accounts/uuid/{uuid}", update("account", by_id), f.UPDATE_ACCOUNT
    ),
    # Three operations that the reference prints alike; where they are is our own guess.
    *(
        Operation(
            f"account_employee_action_{number}",
            "POST",
            f"accounts/employees/{number}",
            account_employee,
            f.ACCOUNT_EMPLOYEE,
        )
        for number in (1, 2, 3)
    ),
    # Before opportunity_get, whose pattern would also match this path.
    Operation(
        "opportunity_list_optimized",
        "GET",
        "opportunities/optimized",
        listing("opportunity", STAGES, OPPORTUNITIES_PER_PAGE),
    ),
    Operation("opportunity_get", "GET", "opportunities/{id}", read("opportunity", by_id)),
    Operation(
        "opportunity_update", CHANGE, "opportunities/{id}", update("opportunity", by_id), f.UPDATE_OPPORTUNITY
    ),
    Operation("opportunity_get_alt", "GET", "opportunities/external/{id}", read("opportunity", by_key)),
    Operation(
        "opportunity_update_alt",
        CHANGE,
        "opportunities/external/{id}",
        update("opportunity", by_key),
        f.UPDATE_OPPORTUNITY,
    ),
    Operation(
        "opportunity_list", "GET", "opportunities", listing("opportunity", STAGES, OPPORTUNITIES_PER_PAGE)
    ),
    Operation("opportunity_create", "POST", "opportunities", create("opportunity"), f.CREATE_OPPORTUNITY),
    Operation(
        "opportunity_add_contributor",
        "POST",
        "opportunities/{id}/contributors",
        add_contributor,
        f.CONTRIBUTOR,
    ),
    Operation("lead_list", "GET", "leads", listing("lead", KEY)),
    Operation("lead_create", "POST", "leads", create("lead"), f.CREATE_LEAD),
    Operation("lead_update", CHANGE, "leads/{id}", update("lead", by_id), f.UPDATE_LEAD),
    Operation("employee_create", "POST", "employees", create("employee"), f.CREATE_EMPLOYEE),
    Operation("employee_list", "GET", "employees", list_employees),
    Operation("employee_update", CHANGE, "employees/{id}", update("employee", by_id), f.UPDATE_EMPLOYEE),
    Operation("product_create", "POST", "products", create("product"), f.CREATE_PRODUCT),
    Operation("product_list", "GET", "products", list_products),
    Operation(
        "product_update", CHANGE, "products/{external_id}", update("product", by_key), f.UPDATE_PRODUCT
    ),
    Operation("product_upsert", "POST", "products/upsert", upsert("product"), f.UPSERT_PRODUCT),
    Operation("supplier_create", "POST", "suppliers", create("supplier"), f.CREATE_SUPPLIER),
    Operation("supplier_update", CHANGE, "suppliers/{id}", update("supplier", by_id), f.UPDATE_SUPPLIER),
    Operation("unit_of_measure_create", "POST", "unit-of-measures", create("unit_of_measure"), f.CREATE_UNIT),
    # "Update unit of measures by external_id", although the parameter is called id.
    Operation(
        "unit_of_measure_update",
        CHANGE,
        "unit-of-measures/{id}",
        update("unit_of_measure", by_key),
        f.UPDATE_UNIT,
    ),
    Operation("buyer_group_create", "POST", "buyer-groups", create("buyer_group"), f.CREATE_BUYER_GROUP),
    Operation(
        "buyer_group_update", CHANGE, "buyer-groups/{id}", update("buyer_group", by_id), f.UPDATE_BUYER_GROUP
    ),
)


class OplaCrm(RestVendor):
    """OplaCRM as its API reference describes it: bare objects and arrays, 201 on create."""

    name = "oplacrm"
    prefix = ("api", "public")
    kinds = tuple(KINDS)
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "repeat_create": ("duplicate", "conflict", "refuse", "update"),
        "id_paths": ("internal", "either"),
        "update_verb": ("PUT", "PATCH"),
        "create_discount": ("percent", "amount"),
        "locked": ("refuse", "ignore"),
    }
    credential_keys = ("token",)
    operations = OPERATIONS

    def verb(self, operation: Operation) -> str:
        """Return the verb; that of an update is not documented."""
        return str(self.desk.options["update_verb"]) if operation.group == CHANGE else operation.group

    def accepts(self, inbound: Inbound) -> bool:
        """Compare the token with the static ones; there is no login."""
        return any(one["token"] == inbound.bearer for one in self.desk.credentials)

    def unknown(self, inbound: Inbound) -> Answer:
        """Answer 404 as NestJS does for a route it does not have."""
        return self.refusal(Refused(404, f"Cannot {inbound.verb} /{'/'.join(inbound.segments)}"))

    def refusal(self, refused: Refused) -> Answer:
        """Answer in NestJS form; validation messages are a list, any other message a string."""
        message: object = list(refused.messages) if refused.status == 400 else refused.messages[0]
        body: Json = {"statusCode": refused.status, "message": message, "error": REASONS[refused.status]}
        return Answer(refused.status, body)

    def unauthorised(self) -> Answer:
        """Answer the 401 that the reference shows (Create employee, response sample)."""
        return Answer(401, {"statusCode": 401, "message": "Unauthorized"})

    def expire_token(self) -> Answer:
        """Refuse the static token for this one request."""
        return self.unauthorised()

    def failure_in_success(self) -> Answer:
        """Use the envelope of the account-employee operations with a failure in it."""
        return Answer(200, {"statusCode": 500, "message": "Request failed"})

    def complain(self, complaints: Sequence[Complaint]) -> Refused:
        """Word complaints like NestJS's validation pipe."""
        wording = {"missing": "should not be empty", "unknown": "should not exist"}
        messages = [f"{one.path} {wording.get(one.reason, one.phrase)}" for one in complaints]
        return Refused(400, *messages)
