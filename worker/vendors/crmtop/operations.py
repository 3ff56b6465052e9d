"""The 90 operations of CRMTop's API reference, which states path and verb of all.

Searches are POSTs that only read; three GETs change something.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from marshmallow import Schema

from mappings.vendors.crmtop import schemas
from worker.vendors.crmtop import requests as asked
from worker.vendors.vendor import Item, Operation, Paging, table

Form = type[Schema]

LOGIN = "auth_get_token"


def _is_last(page: Item) -> bool:
    return page.get("hasNextPage") is False


#: `values.first_page` and `values.page_size` say where pages begin and how long they are.
_PAGES = Paging("pageNumber", "pageSize", 100, counts="pages", first=1, is_last=_is_last)


def _call(group: str, name: str, verb: str, path: str, form: Form | None = None, **more: Any) -> Operation:
    return Operation(name, verb, f"/api/v1/{path}", group, form, confirmed=True, **more)


def _search(group: str, name: str, path: str, form: Form) -> Operation:
    return _call(group, f"{name}_search", "POST", f"{path}/search", form, items="data", paging=_PAGES)


def _change(group: str, name: str, verb: str, path: str, form: Form | None = None, **more: Any) -> Operation:
    return _call(group, name, verb, path, form, changes=True, **more)


def _family(
    group: str,
    name: str,
    path: str,
    saved: Form,
    found: Form,
    sends: Literal["body", "multipart"] = "body",
    get: bool = True,
) -> Iterator[Operation]:
    """Yield what nearly every entity has: create, update, delete, search and get."""
    probe = f"{name}_get" if get else f"{name}_search"
    yield _change(
        group, f"{name}_create", "POST", f"{path}/create", saved, probe=f"{name}_search", sends=sends
    )
    # "Update" replaces the whole record and its id is in the body, so it may be repeated.
    yield _change(
        group, f"{name}_update", "PUT", f"{path}/update", saved, probe=probe, sends=sends, repeatable=True
    )
    yield _change(group, f"{name}_delete", "DELETE", f"{path}/delete/{{id}}", probe=probe, repeatable=True)
    yield _search(group, name, path, found)
    if get:
        yield _call(group, f"{name}_get", "GET", f"{path}/get/{{id}}")


def _status(group: str, name: str, path: str, probe: str) -> Operation:
    return _change(group, name, "GET", f"{path}/{{id}}/{{status}}", probe=probe, repeatable=True)


OPERATIONS = table(
    _call("Auth", LOGIN, "POST", "auth/get-token-for-develop", asked.Login),
    *_family("Activity", "activity", "activity", asked.Activity, asked.OfActivities),
    _status("Activity", "activity_status", "activity/status", "activity_get"),
    *_family("Campaign", "campaign", "campaign", asked.Campaign, asked.OfCampaigns),
    _change(
        "Campaign",
        "campaign_member_add",
        "POST",
        "campaign/member/add",
        asked.CampaignMembers,
        probe="campaign_member_search",
    ),
    _change(
        "Campaign",
        "campaign_member_delete",
        "DELETE",
        "campaign/member/delete/{id}",
        probe="campaign_member_search",
        repeatable=True,
    ),
    _search("Campaign", "campaign_member", "campaign/member", asked.OfCampaignMembers),
    *_family("Contact", "contact", "contact", schemas.Contact, asked.OfContacts),
    *_family("Customer", "customer", "customer", schemas.Customer, asked.OfCustomers),
    *_family(
        "Customer",
        "customer_group",
        "customer/group",
        asked.CustomerGroup,
        asked.OfCustomerGroups,
        get=False,
    ),
    *_family("Lead", "lead", "lead", schemas.Lead, asked.OfLeads),
    # It answers only true, and a second call may make customer and contact a second time.
    _change("Lead", "lead_convert", "GET", "lead/convert/{id}", probe="customer_search"),
    *_family("MaktEmail", "maktemail", "maktemail", asked.MaktEmail, asked.OfMaktEmails, sends="multipart"),
    *_family("MaktZalo", "maktzalo", "maktzalo", asked.MaktZalo, asked.OfMaktZalos, sends="multipart"),
    *_family("Opportunity", "opportunity", "opportunity", schemas.Opportunity, asked.OfOpportunities),
    *_family("Order", "order", "order/crm", schemas.Order, asked.OfOrders),
    _change(
        "Order",
        "order_approve",
        "POST",
        "order/crm/approve",
        asked.Approval,
        probe="order_get",
        repeatable=True,
    ),
    _call("Order", "order_print_8cm", "POST", "order/crm/print-8cm", asked.Print8cm),
    _call("Order", "order_print_a4", "POST", "order/crm/print-a4", asked.PrintA4),
    *_family("Product", "product", "product/crm", schemas.Product, asked.OfProducts),
    _change(
        "Product",
        "product_multi_unit_save",
        "POST",
        "product/crm/multi-unit/save",
        asked.ProductUnits,
        probe="product_multi_unit_list",
    ),
    _call("Product", "product_multi_unit_list", "GET", "product/crm/multi-unit/{productId}"),
    # No operation lists units, so nothing tells whether one was made.
    _change("Product", "product_unit_create", "POST", "product/crm/unit/create", asked.Unit),
    *_family("Segment", "segment", "segment", asked.Segment, asked.OfSegments),
    _change(
        "Segment",
        "segment_member_add",
        "POST",
        "segment/member/add",
        asked.SegmentMembers,
        probe="segment_member_search",
    ),
    _change(
        "Segment",
        "segment_member_delete",
        "POST",
        "segment/member/delete",
        asked.SegmentRows,
        probe="segment_member_search",
        repeatable=True,
    ),
    _search("Segment", "segment_member", "segment/member", asked.OfSegmentMembers),
    *_family("Template", "template", "template", asked.Template, asked.OfTemplates),
    *_family("Ticket", "ticket", "ticket", schemas.Ticket, asked.OfTickets, sends="multipart"),
    _status("Ticket", "ticket_change_status", "ticket/change/status", "ticket_get"),
    _search("Ticket", "ticket_comment", "ticket/comment", asked.OfComments),
    _change(
        "Ticket",
        "ticket_send_comment",
        "POST",
        "ticket/send/comment",
        schemas.Comment,
        probe="ticket_comment_search",
        sends="multipart",
    ),
    _change(
        "Ticket",
        "ticket_type_create",
        "POST",
        "ticket/type/create",
        asked.TicketType,
        probe="ticket_type_search",
    ),
    _search("Ticket", "ticket_type", "ticket/type", asked.OfTicketTypes),
    _change(
        "Ticket",
        "ticket_type_delete",
        "DELETE",
        "ticket/type/{id}",
        probe="ticket_type_search",
        repeatable=True,
    ),
)
