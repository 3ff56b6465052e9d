"""The methods of centiaCRM's API documentation, which states neither their address nor all of their namespaces.

The namespace travels in the URL, because GetInputs exists in four of them and GetOrigins in two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema

from mappings.vendors.centiacrm import schemas
from worker.vendors.centiacrm import requests as asked
from worker.vendors.vendor import Operation, Paging, table

Form = type[Schema] | None

#: "Number of items to paginate. Default is 500" (GetCompanies, GetContacts, GetOpportunities).
PAGE = 500


def _is_last(answer: Any) -> bool:
    last = answer.get("last_page") if isinstance(answer, Mapping) else None
    return isinstance(last, int) and last > 0 and answer.get("current_page") == last


_PAGES = Paging("page", "pagination", PAGE, counts="pages", first=1, is_last=_is_last)


def _path(name: str) -> tuple[str, str]:
    namespace = name.partition("_")[0]
    return namespace, f"/api/v1/{namespace}"


def _get(name: str, method: str, form: Form, items: str = "", paging: Paging | None = None) -> Operation:
    group, path = _path(name)
    return Operation(name, "POST", path, group=group, request=form, method=method, items=items, paging=paging)


def _new(name: str, method: str, form: Form, probe: str) -> Operation:
    group, path = _path(name)
    return Operation(name, "POST", path, group=group, request=form, changes=True, probe=probe, method=method)


def _lists(namespace: str, methods: str) -> tuple[Operation, ...]:
    """Return the methods that list what the profile has to choose from: GetTypes gives `types`."""
    return tuple(
        _get(f"{namespace}_get_{word.lower()}", f"Get{word}", asked.OfProfile, items=word.lower())
        for word in methods.split()
    )


OPERATIONS = table(
    _get("auth_login", "Login", asked.Login),
    _get("profiles_get_profiles", "GetProfiles", None, items="profiles"),
    _get("profiles_get_countries", "GetCountries", None, items="countries"),
    _get("profiles_get_states", "GetStates", asked.OfCountry, items="states"),
    # That GetUsers is one of Profiles is told by its place alone.
    *_lists("profiles", "Stages Users"),
    _get("companies_get_companies", "GetCompanies", asked.OfCompanies, "companies", _PAGES),
    _get("companies_get_company", "GetCompany", asked.OneCompany),
    *_lists("companies", "Types Industries Inputs"),
    _new("companies_create_company", "CreateCompany", schemas.Company, "companies_get_companies"),
    _get("contacts_get_contacts", "GetContacts", asked.OfContacts, "contacts", _PAGES),
    _get("contacts_get_contact", "GetContact", asked.OneContact),
    *_lists("contacts", "Origins Titles Departments Positions Inputs"),
    _new("contacts_create_contact", "CreateContact", schemas.Contact, "contacts_get_contacts"),
    _get("products_get_products", "GetProducts", asked.OfProducts, items="products"),
    *_lists("products", "Categories Validities Discounts Measures Taxes Inputs"),
    _new("products_create_product", "CreateProduct", schemas.Product, "products_get_products"),
    Operation(
        "products_edit_product",
        "POST",
        "/api/v1/products",
        group="products",
        request=asked.ProductChanges,
        changes=True,
        repeatable=True,
        probe="products_get_products",
        method="EditProduct",
    ),
    *_lists("opportunities", "Inputs"),
    _get(
        "opportunities_get_opportunities", "GetOpportunities", asked.OfOpportunities, "opportunities", _PAGES
    ),
    _get("opportunities_get_opportunity", "GetOpportunity", asked.OneOpportunity),
    _new(
        "opportunities_create_opportunity",
        "CreateOpportunity",
        schemas.Opportunity,
        "opportunities_get_opportunities",
    ),
    # All tickets of the profile: no filter, no pages, and no method that gets a single one.
    _get("tickets_get_tickets", "GetTickets", asked.OfProfile, items="tickets"),
    *_lists("tickets", "Origins Cases Priorities"),
    _new("tickets_create_ticket", "CreateTicket", schemas.Ticket, "tickets_get_tickets"),
)
