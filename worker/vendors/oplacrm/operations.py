"""The operations of OplaCRM's API reference, which prints neither their paths nor their verbs.

`GET /public/leads` and `GET /public/opportunities` are known from public clients; what is confirmed beside them
is the POST to the same place. The other paths follow that pattern, and all can be set in relay.toml.
"""

from __future__ import annotations

from dataclasses import replace

from marshmallow import Schema

from mappings.vendors.oplacrm import schemas
from worker.vendors.oplacrm import requests as asked
from worker.vendors.vendor import Operation, Paging, table

Form = type[Schema]

#: "Maximum 200 records per request" (List opportunities); the other lists state no limit and get the same.
PAGE = 200
_PAGES = Paging("skip", "take", PAGE)


def _list(name: str, path: str, form: Form, confirmed: bool = False) -> Operation:
    return Operation(name, "GET", path, request=form, sends="query", paging=_PAGES, confirmed=confirmed)


def _new(name: str, path: str, form: Form, probe: str = "", confirmed: bool = False) -> Operation:
    return Operation(name, "POST", path, request=form, changes=True, probe=probe, confirmed=confirmed)


def _change(name: str, path: str, form: Form, probe: str = "") -> Operation:
    # PUT or PATCH is not documented; either way a repetition writes the same once more.
    return Operation(name, "PUT", path, request=form, changes=True, repeatable=True, probe=probe)


def _group(group: str, *operations: Operation) -> tuple[Operation, ...]:
    return tuple(replace(operation, group=group) for operation in operations)


def _employee_action(number: int) -> Operation:
    path = f"/public/accounts/employees#{number}"
    meaning = "which of assigning, removing and handing over an account's employee it is, nobody knows"
    return replace(
        _new(f"account_employee_action_{number}", path, asked.AccountEmployee),
        unclear=f"{meaning}, nor its path and verb",
    )


_CONTACT, _ACCOUNT = "/public/contacts/{external_id}", "/public/accounts/{external_id}"
_OPPORTUNITIES = "/public/opportunities"

OPERATIONS = table(
    *_group(
        "contacts",
        Operation("contact_get", "GET", _CONTACT),
        _change("contact_update", _CONTACT, asked.ContactChanges, "contact_get"),
        Operation(
            "contact_delete",
            "DELETE",
            _CONTACT,
            changes=True,
            repeatable=True,
            probe="contact_get",
            unclear="the reference shows an external_id of a contact and nothing of what becomes of it",
        ),
        _list("contact_list", "/public/contacts", asked.OfContacts),
        _new("contact_create", "/public/contacts", schemas.Contact, "contact_list"),
    ),
    *_group(
        "accounts",
        Operation("account_get", "GET", _ACCOUNT),
        _change("account_update", _ACCOUNT, asked.AccountChanges, "account_get"),
        _list("account_list", "/public/accounts", asked.OfAccounts),
        _new("account_create", "/public/accounts", schemas.Account, "account_list"),
        _change(
            "account_update_by_uuid", "/public/accounts/uuid/{uuid}", asked.AccountChanges, "account_list"
        ),
        *(_employee_action(number) for number in (1, 2, 3)),
    ),
    *_group(
        "opportunities",
        Operation("opportunity_get", "GET", f"{_OPPORTUNITIES}/{{id}}"),
        _change(
            "opportunity_update", f"{_OPPORTUNITIES}/{{id}}", schemas.OpportunityChanges, "opportunity_get"
        ),
        # The reference has both twice without a word on the difference; most likely these take an external id.
        Operation("opportunity_get_alt", "GET", f"{_OPPORTUNITIES}/external/{{id}}"),
        _change(
            "opportunity_update_alt",
            f"{_OPPORTUNITIES}/external/{{id}}",
            schemas.OpportunityChanges,
            "opportunity_get_alt",
        ),
        _list("opportunity_list", _OPPORTUNITIES, asked.OfOpportunities, confirmed=True),
        _new("opportunity_create", _OPPORTUNITIES, schemas.Opportunity, "opportunity_list", confirmed=True),
        # Whether a second one of the same e-mail replaces the first is not documented, and no answer shows it.
        _new("opportunity_add_contributor", f"{_OPPORTUNITIES}/{{id}}/contributors", schemas.Contributor),
        _list("opportunity_list_optimized", f"{_OPPORTUNITIES}/optimized", asked.OfOpportunities),
    ),
    *_group(
        "leads",
        _list("lead_list", "/public/leads", asked.OfLeads, confirmed=True),
        _new("lead_create", "/public/leads", schemas.Lead, "lead_list", confirmed=True),
        _change("lead_update", "/public/leads/{id}", schemas.LeadChanges, "lead_list"),
    ),
    *_group(
        "employees",
        _new("employee_create", "/public/employees", asked.NewEmployee, "employee_list"),
        _list("employee_list", "/public/employees", asked.OfEmployees),
        _change("employee_update", "/public/employees/{id}", asked.EmployeeChanges, "employee_list"),
    ),
    *_group(
        "products",
        _new("product_create", "/public/products", asked.NewProduct, "product_list"),
        # No parameters are printed for this one, so it gives all in one piece.
        Operation("product_list", "GET", "/public/products"),
        _change("product_update", "/public/products/{external_id}", asked.ProductChanges, "product_list"),
        # "Create or update a product based on external_id".
        replace(
            _new("product_upsert", "/public/products/upsert", schemas.Product, "product_list"),
            repeatable=True,
        ),
    ),
    # Of the following, nothing can be read.
    *_group(
        "suppliers",
        _new("supplier_create", "/public/suppliers", asked.NewSupplier),
        _change("supplier_update", "/public/suppliers/{id}", asked.SupplierChanges),
    ),
    *_group(
        "unit-of-measures",
        _new("unit_of_measure_create", "/public/unit-of-measures", asked.Described),
        # "by external_id", although the parameter is called id.
        _change("unit_of_measure_update", "/public/unit-of-measures/{id}", asked.DescribedChanges),
    ),
    *_group(
        "buyer-groups",
        _new("buyer_group_create", "/public/buyer-groups", asked.Described),
        _change("buyer_group_update", "/public/buyer-groups/{id}", asked.DescribedChanges),
    ),
)
