"""All operations of CRMTop, by hand from its API reference, each with an input that its fields allow.

`@lead` stands for the vendor's id of the lead that the tests have made.
"""

from __future__ import annotations

from typing import Any

Row = tuple[str, dict[str, Any]]

_MOMENT = "2026-03-02T09:00:00+07:00"
_USER = "a1a1a1a1-0000-4000-8000-000000000001"
_ACTIVITY = {"subject": "Gọi", "type": 1, "status": 1, "startTime": _MOMENT, "isAllDay": False}
_CAMPAIGN = {"code": "CD-1", "name": "Hè", "status": 1, "startDate": _MOMENT, "budgetedCost": 1.5}
_EMAIL = {"Code": "EM-1", "Name": "Thư", "Status": 1, "AppointmentDate": _MOMENT}
_ZALO = {"Code": "ZL-1", "Name": "Zalo", "ZnsTemplatePrice": 200.5, "Channel": 1}
_PRODUCT = {"code": "SP-1", "name": "Ghế", "retailPrice": 50.0}
_TICKET = {"Code": "TK-1", "Subject": "Trễ", "Description": "Chưa nhận", "TypeId": 205, "Status": 1}
_COMMENT = {"TicketId": "@ticket", "UserId": _USER, "Message": "Chào"}
_MEMBER = {"type": 1, "ids": ["@contact"]}
_OPPORTUNITY = {"code": "CH-1", "name": "Bàn", "amount": 1.5, "customerId": "@customer", "stage": 1}
_ORDER = {
    "code": "DH-1",
    "customerId": "@customer",
    "totalAmount": 100,
    "orderDate": _MOMENT,
    "products": "[]",
}
_CONTACT = {"customerId": "@customer", "fullName": "An", "birthday": _MOMENT, "isPrimary": True}


def _family(
    name: str, path: str, saved: dict[str, Any], search: dict[str, Any] | None = None
) -> dict[str, Row]:
    given = "Id" if any(key[0].isupper() for key in saved) else "id"
    known = {"id": f"@{name}"}
    return {
        f"{name}_create": (f"POST /api/v1/{path}/create", saved),
        f"{name}_get": (f"GET /api/v1/{path}/get/{{id}}", known),
        f"{name}_search": (f"POST /api/v1/{path}/search", search or {}),
        f"{name}_update": (f"PUT /api/v1/{path}/update", {given: f"@{name}", **saved}),
        f"{name}_delete": (f"DELETE /api/v1/{path}/delete/{{id}}", known),
    }


_GROUPS = _family("customer_group", "customer/group", {"name": "Sỉ"})
del _GROUPS["customer_group_get"]

#: Operation → verb and path, and an input.
CRMTOP: dict[str, Row] = {
    "auth_get_token": (
        "POST /api/v1/auth/get-token-for-develop",
        {"clientId": "crmtop-client", "clientSecret": "crmtop-secret"},
    ),
    **_family("activity", "activity", _ACTIVITY, {"from": _MOMENT, "ownerId": _USER}),
    "activity_status": ("GET /api/v1/activity/status/{id}/{status}", {"id": "@activity", "status": 2}),
    **_family("campaign", "campaign", _CAMPAIGN, {"status": 1}),
    "campaign_member_add": ("POST /api/v1/campaign/member/add", {"campaignId": "@campaign", **_MEMBER}),
    "campaign_member_search": ("POST /api/v1/campaign/member/search", {"campaignId": "@campaign"}),
    "campaign_member_delete": ("DELETE /api/v1/campaign/member/delete/{id}", {"id": "@campaign_member"}),
    **_family("contact", "contact", _CONTACT, {"customerId": "@customer"}),
    **_family("customer", "customer", {"code": "KH-1", "name": "An Bình"}, {"code": "KH-1"}),
    **_GROUPS,
    **_family("lead", "lead", {"fullName": "Bích", "source": 1, "assignedTo": 0}, {"fullName": "Bích"}),
    "lead_convert": ("GET /api/v1/lead/convert/{id}", {"id": "@lead"}),
    **_family("maktemail", "maktemail", _EMAIL, {"supplier": 1}),
    **_family("maktzalo", "maktzalo", _ZALO),
    **_family("opportunity", "opportunity", _OPPORTUNITY, {"customerId": "@customer"}),
    **_family("order", "order/crm", _ORDER, {"approved": False, "fieldDate": "orderDate", "to": _MOMENT}),
    "order_approve": ("POST /api/v1/order/crm/approve", {"id": "@order", "approve": True, "note": "ok"}),
    "order_print_8cm": ("POST /api/v1/order/crm/print-8cm", {"ids": ["@order"]}),
    "order_print_a4": ("POST /api/v1/order/crm/print-a4", {"ids": ["@order"]}),
    **_family("product", "product/crm", _PRODUCT),
    "product_multi_unit_save": (
        "POST /api/v1/product/crm/multi-unit/save",
        {"units": [{"productId": "@product", "unitId": 102, "unitRate": 10}]},
    ),
    "product_multi_unit_list": (
        "GET /api/v1/product/crm/multi-unit/{productId}",
        {"productId": "@product"},
    ),
    "product_unit_create": ("POST /api/v1/product/crm/unit/create", {"name": "Lố", "note": ""}),
    **_family("segment", "segment", {"name": "VIP", "description": ""}),
    "segment_member_add": ("POST /api/v1/segment/member/add", {"segmentId": "@segment", **_MEMBER}),
    "segment_member_search": ("POST /api/v1/segment/member/search", {"segmentId": "@segment"}),
    "segment_member_delete": (
        "POST /api/v1/segment/member/delete",
        {"segmentId": "@segment", "ids": ["@segment_member"]},
    ),
    **_family("template", "template", {"type": 1, "name": "Chào", "content": "<p>Chào</p>"}, {"type": 1}),
    **_family("ticket", "ticket", _TICKET, {"typeId": 205}),
    "ticket_change_status": (
        "GET /api/v1/ticket/change/status/{id}/{status}",
        {"id": "@ticket", "status": 3},
    ),
    "ticket_comment_search": ("POST /api/v1/ticket/comment/search", {"ticketId": "@ticket"}),
    "ticket_send_comment": ("POST /api/v1/ticket/send/comment", _COMMENT),
    "ticket_type_create": ("POST /api/v1/ticket/type/create", {"name": "Khác"}),
    "ticket_type_search": ("POST /api/v1/ticket/type/search", {}),
    "ticket_type_delete": ("DELETE /api/v1/ticket/type/{id}", {"id": "@ticket_type"}),
}
#: What the tests make first, in this order: kind and the operation that makes it.
FIRST = {
    kind: f"{kind}_create"
    for kind in (
        "customer contact lead opportunity order product ticket activity campaign segment template maktemail "
        "maktzalo customer_group ticket_type"
    ).split()
}
#: Operations that only read, among them all searches, which are POSTs.
READS = ("_get", "_search", "_list", "_print_8cm", "_print_a4", "auth_get_token")
#: Changes that leave the same behind however often they are carried out.
AGAIN = ("_update", "_delete", "_status", "order_approve")
