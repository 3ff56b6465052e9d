"""The operations of ONLYOFFICE's API that a CRM is kept by.

Paths and verbs are those of the vendor's OpenAPI file (community-server.yaml); its pages print the parts of a
path with their patterns, `{caseid:[0-9]+}`. `opportunity_by_prefix` is in the server's source alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.vendor import SchemaType
from mappings.vendors.onlyoffice import schemas
from worker.vendors.onlyoffice import requests as asked
from worker.vendors.vendor import Operation, Paging, table


def _ends(answer: Mapping[str, Any]) -> bool:
    # `nextIndex` passes over an item, so it is not asked. Where there is no total, an empty page is the end.
    total, start = answer.get("total"), answer.get("startindex") or 0
    return isinstance(total, int) and start + len(answer["response"] or ()) >= total


#: "count" is 1000 at most, as the server is shipped (ItemsPerPage).
_PAGES = Paging("startIndex", "count", 1000, is_last=_ends)


def _listed(
    group: str, name: str, path: str, request: SchemaType | None = asked.Page, **more: Any
) -> Operation:
    return Operation(
        name,
        "GET",
        f"/api/2.0/{path}",
        group,
        request,
        items="response",
        paging=_PAGES,
        **{"confirmed": True, **more},
    )


def _got(group: str, name: str, path: str, request: SchemaType | None = None, verb: str = "GET") -> Operation:
    return Operation(name, verb, f"/api/2.0/{path}", group, request, confirmed=True)


def _made(
    group: str, name: str, path: str, request: SchemaType | None, probe: str = "", repeatable: bool = False
) -> Operation:
    return Operation(
        name,
        "POST",
        f"/api/2.0/{path}",
        group,
        request,
        changes=True,
        repeatable=repeatable,
        probe=probe,
        confirmed=True,
    )


def _put(
    group: str, name: str, path: str, request: SchemaType | None = None, probe: str = "", verb: str = "PUT"
) -> Operation:
    return Operation(
        name,
        verb,
        f"/api/2.0/{path}",
        group,
        request,
        changes=True,
        repeatable=True,
        probe=probe,
        confirmed=True,
    )


_DEALS, _CONTACTS, _CASES, _TASKS = "crm/Opportunities", "crm/Contacts", "crm/Cases", "crm/Tasks"
_HISTORY, _FIELDS, _TAGS, _BILLS = "crm/History", "crm/Custom fields", "crm/Tags", "crm/Invoices"
_DEAL, _CONTACT, _CASE = "crm/opportunity/{id}", "crm/contact/{id}", "crm/case/{id}"

OPERATIONS = table(
    _got("authentication", "auth_token", "authentication", asked.Login, verb="POST"),
    _got("people", "people_self", "people/@self"),
    _got("people", "people_by_email", "people/email", asked.UserByEmail),
    _made(_DEALS, "opportunity_create", "crm/opportunity", schemas.OpportunityBody, "opportunity_by_prefix"),
    _got(_DEALS, "opportunity_get", _DEAL),
    _put(_DEALS, "opportunity_update", _DEAL, schemas.OpportunityBody, "opportunity_get"),
    _put(_DEALS, "opportunity_delete", _DEAL, None, "opportunity_get", verb="DELETE"),
    _listed(_DEALS, "opportunity_filter", "crm/opportunity/filter", asked.OpportunityFilter),
    _listed(_DEALS, "opportunity_by_contact", "crm/opportunity/bycontact/{contactid}"),
    _listed(
        _DEALS,
        "opportunity_by_prefix",
        "crm/opportunity/byprefix",
        asked.OpportunityByPrefix,
        confirmed=False,
    ),
    _listed(_DEALS, "opportunity_stage_list", "crm/opportunity/stage"),
    _put(_DEALS, "opportunity_set_stage", f"{_DEAL}/stage/{{stageid}}", asked.SetStage, "opportunity_get"),
    _made(_DEALS, "opportunity_add_contact", f"{_DEAL}/contact/{{contactid}}", None, "opportunity_get", True),
    _got(_CONTACTS, "contact_get", _CONTACT),
    _listed(_CONTACTS, "contact_filter", "crm/contact/filter", asked.ContactFilter),
    _listed(_CONTACTS, "contact_by_contact_info", "crm/contact/bycontactinfo", asked.ContactByInfo),
    _made(_CONTACTS, "person_create", "crm/contact/person", schemas.PersonBody, "contact_by_contact_info"),
    _made(_CONTACTS, "company_create", "crm/contact/company", schemas.CompanyBody, "contact_filter"),
    _made(_CONTACTS, "contact_info_add", f"{_CONTACT}/data", schemas.ContactInfoBody, "contact_info_list"),
    _made(_CONTACTS, "contact_info_batch", f"{_CONTACT}/batch", asked.InfoBatch, "contact_info_list"),
    _listed(_CONTACTS, "contact_info_list", f"{_CONTACT}/data"),
    _listed(_CONTACTS, "contact_status_list", "crm/contact/status"),
    _listed(_CONTACTS, "contact_type_list", "crm/contact/type"),
    _put(_CONTACTS, "contact_set_status", f"{_CONTACT}/status", schemas.ContactStatusBody, "contact_get"),
    _made(_CASES, "case_create", "crm/case", schemas.CaseBody, "case_filter"),
    _got(_CASES, "case_get", _CASE),
    _put(_CASES, "case_update", _CASE, schemas.CaseBody, "case_get"),
    _listed(_CASES, "case_filter", "crm/case/filter", asked.CaseFilter),
    _put(_CASES, "case_close", f"{_CASE}/close", None, "case_get"),
    _put(_CASES, "case_reopen", f"{_CASE}/reopen", None, "case_get"),
    _made(_TASKS, "task_create", "crm/task", schemas.TaskBody, "task_filter"),
    _listed(_TASKS, "task_filter", "crm/task/filter", asked.TaskFilter),
    _put(_TASKS, "task_close", "crm/task/{id}/close", None, "task_filter"),
    _listed(_TASKS, "task_category_list", "crm/task/category"),
    _made(_HISTORY, "history_add", "crm/history", schemas.HistoryBody, "history_filter"),
    _listed(_HISTORY, "history_filter", "crm/history/filter", asked.HistoryFilter),
    _listed(_HISTORY, "history_category_list", "crm/history/category"),
    _listed(_FIELDS, "customfield_definitions", "crm/{entityType}/customfield/definitions"),
    _made(
        _FIELDS,
        "customfield_set",
        "crm/{entityType}/{entityid}/customfield/{fieldid}",
        asked.CustomValue,
        repeatable=True,
    ),
    # The server replaces the link of an entity to a tag that it has already (TagDao).
    _made(_TAGS, "tag_add", "crm/{entityType}/{entityid}/tag", schemas.TagBody, "tag_list", True),
    _got(_TAGS, "tag_list", "crm/{entityType}/tag/{entityid}"),
    _listed("crm/Currencies", "currency_list", "crm/settings/currency"),
    _listed(_BILLS, "invoiceitem_filter", "crm/invoiceitem/filter", asked.InvoiceItemFilter),
    _made(_BILLS, "invoiceitem_create", "crm/invoiceitem", schemas.InvoiceItemBody, "invoiceitem_filter"),
    _listed(_BILLS, "invoice_filter", "crm/invoice/filter", asked.InvoiceFilter),
    _listed(_BILLS, "invoice_by_entity", "crm/{entityType}/invoicelist/{entityid}"),
    _made(_BILLS, "invoice_create", "crm/invoice", schemas.InvoiceBody, "invoice_by_entity"),
)
