"""The bodies that CRMTop documents and jobs fill, and the values that its connection may hold.

Fields are those of the API reference at www.developers.crmtop.vn. It marks none as required, and of its
enumerations it explains only the status of a ticket and of an activity: all others are whole numbers here.
"""

from __future__ import annotations

from functools import partial

from marshmallow import Schema, fields, validate

from mappings.writing.shape import Entry, a_uuid, shape

_whole = partial(fields.Integer, strict=True)
_wholes = partial(fields.Dict, keys=fields.String(), values=fields.Integer(strict=True))


class Values(Schema):
    """`[connections.X.values]`. Staff, organisational units, product groups and units have no list: ids only."""

    owner = a_uuid()
    owner_name = fields.String()
    org_unit = a_uuid()
    org_unit_name = fields.String()
    lead_source = _whole()
    lead_status = _whole()
    industry = _whole()
    rating = _whole()
    assigned_to = _whole()
    # The type of a customer who is a person, and of one who is a company.
    person_type = _whole()
    company_type = _whole()
    customer_group = Entry("customer_groups", uuids=True)
    product_group = _whole()
    product_group_name = fields.String()
    unit = _whole()
    unit_name = fields.String()
    stage = _whole()
    # Status of an order ("paid") → stage of the opportunity, and → status of the order in the CRM.
    stages = _wholes()
    order_status = _whole()
    order_statuses = _wholes()
    opportunity_priority = _whole()
    opportunity_source = fields.String()
    ticket_type = Entry("ticket_types")
    # "1: Tiếp nhận, 2: Thực hiện, 3: Hoàn thành, 4: Huỷ" (ticket/change/status).
    ticket_status = _whole(load_default=1)
    ticket_statuses = _wholes(load_default={"open": 1, "pending": 2, "solved": 3})
    priority = _whole()
    # Priority and channel as the sender words them → theirs.
    priorities = _wholes()
    channel = _whole()
    channels = _wholes()
    tenant_code = fields.String()
    # `products` of an order is documented as a text, and of what is not.
    products_format = fields.String(load_default="json", validate=validate.OneOf(["json", "text"]))
    # Of multipart operations the tables list the fields as parameters in the query; the form would be usual.
    multipart_fields = fields.String(load_default="query", validate=validate.OneOf(["query", "form"]))
    # Whether a create keeps the `id` that its body shows is not documented.
    client_ids = fields.Boolean(load_default=False)
    # The samples print pageNumber 0 and currentPage 0, as they do for every number.
    first_page = _whole(load_default=1, validate=validate.OneOf([0, 1]))
    page_size = _whole(load_default=100, validate=validate.Range(1, 1000))
    close_days = _whole(load_default=30, validate=validate.Range(0, 3650))
    # No length is documented; 250 fits the usual column of 255 characters.
    title_length = _whole(load_default=250, validate=validate.Range(100, 5000))
    default_region = fields.String(validate=validate.Length(equal=2))
    # An order's amounts bear no currency: with this set, an order in another one is refused.
    currency = fields.String(validate=validate.Length(equal=3))
    anonymous_customer = fields.String(load_default="Web shop customer", validate=validate.Length(min=1))


_OWNED = "ownerName orgUnitName"
_OWNERS = {
    "ownerId": "values.owner",
    "ownerName": "values.owner_name",
    "orgUnitId": "values.org_unit",
    "orgUnitName": "values.org_unit_name",
}

Lead = shape(
    "AddOrEditLeadRequest",
    uuid="id ownerId orgUnitId",
    integer="source status industry rating probability assignedTo",
    text=f"fullName email phone company position notes {_OWNED}",
    sources={
        "source": "values.lead_source",
        "status": "values.lead_status",
        "email": "person.email",
        "company": "person.company",
        "position": "attributes.job_title",
        "industry": "values.industry",
        "rating": "values.rating",
        "assignedTo": "values.assigned_to",
        **_OWNERS,
    },
)

Customer = shape(
    "AddOrEditCustomerRequest",
    uuid="id groupId ownerId orgUnitId",
    integer="type",
    text=f"code name taxCode businessType groupName phone email website address note {_OWNED}",
    sources={"taxCode": "attributes.tax_number", "groupId": "values.customer_group", **_OWNERS},
)

Contact = shape(
    "AddOrEditContactRequest",
    uuid="id customerId ownerId orgUnitId",
    integer="gender",
    moment="birthday",
    boolean="isPrimary",
    text="customerName code fullName position department phone email nationalId address status note "
    + _OWNED,
    sources={"email": "person.email", "position": "attributes.job_title", **_OWNERS},
)

Product = shape(
    "SaveProductRequest",
    uuid="id",
    integer="groupId unitId",
    number="importPrice retailPrice wholesalePrice",
    text="code name groupName unitName config note image",
    sources={
        "groupId": "values.product_group",
        "groupName": "values.product_group_name",
        "unitId": "values.unit",
        "unitName": "values.unit_name",
    },
)

Opportunity = shape(
    "AddOrEditOpportunityRequest",
    uuid="id customerId contactId leadId ownerId orgUnitId",
    number="amount probability",
    integer="stage priority",
    moment="expectedCloseDate actualCloseDate",
    text=f"code name description customerName contactName leadName currency source {_OWNED}",
    sources={
        "code": "key",
        "currency": "currency",
        "priority": "values.opportunity_priority",
        "source": "values.opportunity_source",
        **_OWNERS,
    },
)

#: `products` is one text; `key` lets the ids of products in it be filled in by the engine.
Order = shape(
    "SaveOrderRequest",
    uuid="id customerId",
    moment="orderDate dueDate",
    number="totalAmount taxAmount discountAmount",
    integer="status",
    boolean="approved",
    text="code customerName note receiverName receiverPhone receiverEmail receiverAddress",
    key="products",
    sources={
        "code": "key",
        "receiverEmail": "person.email",
    },
)

#: AddOrEditTicketRequest as the parameters of ticket/create and ticket/update spell it.
Ticket = shape(
    "AddOrEditTicketRequest",
    uuid="Id CustomerId ContactId ProductId OrderId OwnerId OrgUnitId",
    id="TypeId",
    integer="Priority Status Channel",
    moment="CreatedOn",
    text="Code Subject Description TypeName CustomerName ContactName ProductName OrderCode OwnerName OrgUnitName",
    sources={
        "Code": "key",
        "TypeId": "values.ticket_type",
        "OrderCode": "order_number",
        **{f"{name[0].upper()}{name[1:]}": value for name, value in _OWNERS.items()},
    },
)

Comment = shape(
    "SendTicketComment",
    uuid="TicketId UserId",
    text="TenantCode UserName Message",
    sources={"TenantCode": "values.tenant_code"},
)
