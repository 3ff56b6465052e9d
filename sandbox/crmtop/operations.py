"""Lists CRMTop's 90 operations: most follow one pattern of five per kind, the rest stand alone."""

from collections.abc import Mapping

from sandbox.crmtop import fields as f
from sandbox.crmtop import workflow as w
from sandbox.crmtop.actions import Action, create, delete, get, update
from sandbox.crmtop.records import KINDS
from sandbox.crmtop.search import search
from sandbox.fields import Field
from sandbox.vendor import Operation

# Where the operations of each regular kind are.
PATHS: Mapping[str, str] = {
    **{kind: kind for kind in "activity campaign contact customer lead maktemail maktzalo".split()},
    **{kind: kind for kind in "opportunity segment template ticket".split()},
    "customer_group": "customer/group",
    "order": "order/crm",
    "product": "product/crm",
}
# "Content-Type | multipart/form-data", with the fields listed among the parameters "in query".
MULTIPART = frozenset(
    f"{kind}_{verb}" for kind in ("maktemail", "maktzalo", "ticket") for verb in ("create", "update")
)
MULTIPART |= {"ticket_send_comment"}


def _regular(kind: str, path: str) -> tuple[Operation, ...]:
    fields = KINDS[kind].fields
    return (
        Operation(f"{kind}_create", "POST", f"{path}/create", create(kind), fields),
        Operation(f"{kind}_get", "GET", f"{path}/get/{{id}}", get(kind)),
        Operation(f"{kind}_search", "POST", f"{path}/search", search(kind), KINDS[kind].filters),
        Operation(f"{kind}_update", "PUT", f"{path}/update", update(kind), fields),
        Operation(f"{kind}_delete", "DELETE", f"{path}/delete/{{id}}", delete(kind)),
    )


def _post(name: str, path: str, action: Action, fields: tuple[Field, ...]) -> Operation:
    return Operation(name, "POST", path, action, fields)


REGULAR = tuple(operation for kind, path in PATHS.items() for operation in _regular(kind, path))
OPERATIONS = (
    Operation(
        "auth_get_token", "POST", "auth/get-token-for-develop", w.get_token, f.TOKEN, needs_token=False
    ),
    # The one regular kind that cannot be read by its id.
    *(operation for operation in REGULAR if operation.name != "customer_group_get"),
    Operation("activity_status", "GET", "activity/status/{id}/{status}", w.set_status("activity")),
    _post(
        "campaign_member_add",
        "campaign/member/add",
        w.add_members("campaign_member"),
        f.ADD_CAMPAIGN_MEMBERS,
    ),
    Operation("campaign_member_delete", "DELETE", "campaign/member/delete/{id}", delete("campaign_member")),
    _post(
        "campaign_member_search",
        "campaign/member/search",
        search("campaign_member"),
        KINDS["campaign_member"].filters,
    ),
    Operation("lead_convert", "GET", "lead/convert/{id}", w.convert_lead),
    _post("order_approve", "order/crm/approve", w.approve_order, f.APPROVE),
    _post("order_print_8cm", "order/crm/print-8cm", w.print_orders("8cm"), f.PRINT),
    _post("order_print_a4", "order/crm/print-a4", w.print_orders("21cm"), f.PRINT),
    _post(
        "product_multi_unit_save", "product/crm/multi-unit/save", w.save_product_units, f.SAVE_PRODUCT_UNITS
    ),
    Operation("product_multi_unit_list", "GET", "product/crm/multi-unit/{productId}", w.list_product_units),
    _post("product_unit_create", "product/crm/unit/create", w.save_unit, f.NAMED_BY_NUMBER),
    _post("segment_member_add", "segment/member/add", w.add_members("segment_member"), f.ADD_SEGMENT_MEMBERS),
    _post(
        "segment_member_delete", "segment/member/delete", w.delete_segment_members, f.DELETE_SEGMENT_MEMBERS
    ),
    _post(
        "segment_member_search",
        "segment/member/search",
        search("segment_member"),
        KINDS["segment_member"].filters,
    ),
    Operation("ticket_change_status", "GET", "ticket/change/status/{id}/{status}", w.set_status("ticket")),
    _post("ticket_comment_search", "ticket/comment/search", search("ticket_comment"), f.FIND_TICKET_COMMENT),
    _post("ticket_send_comment", "ticket/send/comment", create("ticket_comment"), f.TICKET_COMMENT),
    _post("ticket_type_create", "ticket/type/create", create("ticket_type"), f.NAMED_BY_NUMBER),
    _post("ticket_type_search", "ticket/type/search", search("ticket_type"), f.PAGE),
    Operation("ticket_type_delete", "DELETE", "ticket/type/{id}", delete("ticket_type")),
)
