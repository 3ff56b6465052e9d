"""The requests that CRMTop documents and no job fills: searches, and what only people call.

Fields are those of the API reference; one that its samples print as 1 is an enumeration, one printed as 0 a number.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema

from mappings.writing.shape import shape


def _search(name: str, **kinds: Any) -> type[Schema]:
    integer = f"pageNumber pageSize {kinds.pop('integer', '')}"
    return shape(name, integer=integer, text=f"search {kinds.pop('text', '')}", **kinds)


Login = shape("GetTokenForPublicApiRequest", required="clientId clientSecret", text="clientId clientSecret")

Activity = shape(
    "AddOrEditActivityRequest",
    uuid="id ownerId orgUnitId primaryId relatedId",
    integer="type status priority primaryType relatedType",
    moment="startTime endTime dueDate",
    boolean="isAllDay",
    text="subject description ownerName orgUnitName extraData primaryName relatedName",
)
Campaign = shape(
    "SaveCampaignRequest",
    uuid="id ownerId orgUnitId",
    integer="type status",
    moment="startDate endDate",
    number="expectedRevenue budgetedCost actualCost expectedResponseRate actualResponseRate",
    text="code name note ownerName orgUnitName",
)
CampaignMembers = shape("SaveCampMemberRequest", uuid="campaignId", integer="type", uuids="ids")
CustomerGroup = shape("SaveCustomerGroupRequest", uuid="id", text="name note")
#: Like Ticket, these two travel as parameters, which the reference spells with a capital.
MaktEmail = shape(
    "AddOrEditMaktEmailRequest",
    uuid="Id TemplateId SegmentId",
    integer="Supplier SendType Status",
    moment="AppointmentDate",
    text="Code Name Description Subject From DisplayName TemplateName SegmentName FilePath",
)
MaktZalo = shape(
    "AddOrEditMaktZaloRequest",
    uuid="Id SmsTemplateId SegmentId",
    integer="Channel SendType Status",
    number="ZnsTemplatePrice",
    moment="AppointmentDate",
    text="Code Name Description SocialId SocialName ZnsTemplateId ZnsTemplateName ZnsTemplateParam "
    "ZnsTemplatePreviewUrl SmsTemplateName SmsTemplateParam SegmentName FilePath ExcelHeader",
)
Approval = shape("ApproveOrderRequest", uuid="id", boolean="approve", text="note")
Print8cm = shape("CrmPrint8cmOrderRequest", uuids="ids")
PrintA4 = shape("CrmPrintA4OrderRequest", uuids="ids")
#: The sample of a save prints no item; these fields are those of the list's items, `entityState` without a type.
ProductUnit = shape(
    "ProductMultiUnit",
    uuid="id productId",
    integer="unitId",
    number="unitRate importPrice retailPrice wholesalePrice",
    text="unitName note",
    anything="entityState",
)
ProductUnits = shape("SaveProductMuiltiUnitRequest", many={"units": ProductUnit})
Unit = shape("SaveUnitRequest", integer="id", text="name note")
Segment = shape("AddOrEditSegmentRequest", uuid="id", text="name description")
#: The sample prints no item of `maktReports`.
SegmentMembers = shape(
    "AddSegMemberRequest", uuid="segmentId", integer="type", uuids="ids", anything="maktReports"
)
#: Memberships are removed by their own numbers, although people are added by theirs.
SegmentRows = shape("DeleteSegMemberRequest", uuid="segmentId", ids="ids")
Template = shape("AddOrEditTemplateRequest", uuid="id", integer="type", text="name content")
TicketType = shape("AddOrEditTicketTypeRequest", integer="id", text="name note")

_PERIOD = "from to"
OfActivities = _search(
    "SearchActivityRequest",
    integer="type status priority primaryType",
    uuid="ownerId primaryId",
    text="primaryName subject fieldDate",
    moment=_PERIOD,
)
OfCampaigns = _search("SearchCampaignRequest", integer="type status")
OfCampaignMembers = _search("SearchCampMemberRequest", uuid="campaignId", integer="type")
OfContacts = _search("SearchContactRequest", uuid="customerId", text="code fullName email phone")
OfCustomers = _search("SearchCustomerRequest", uuid="groupId", text="code name email phone")
OfCustomerGroups = _search("SearchCustomerGroupRequest")
OfLeads = _search("SearchLeadRequest", text="fullName email phone")
OfMaktEmails = _search("SearchMaktEmailRequest", integer="status supplier")
OfMaktZalos = _search("SearchMaktZaloRequest", integer="status")
OfOpportunities = _search(
    "SearchOpportunityRequest", uuid="customerId contactId leadId", text="customerName contactName leadName"
)
OfOrders = _search(
    "PagingOrderRequest",
    uuid="customerId",
    integer="status",
    boolean="approved",
    text="fieldDate",
    moment=_PERIOD,
)
OfProducts = _search("PagingProductRequest")
OfSegments = _search("SearchSegmentRequest")
OfSegmentMembers = _search("SearchSegMemberRequest", uuid="segmentId", integer="type")
OfTemplates = _search("SearchTemplateRequest", integer="type")
OfComments = _search("SearchCommentRequest", uuid="ticketId", text="tenantCode")
OfTickets = _search(
    "SearchTicketRequest",
    integer="typeId priority status channel",
    uuid="customerId contactId productId orderId ownerId orgUnitId",
    text="fieldDate",
    moment=_PERIOD,
)
OfTicketTypes = _search("SearchTicketTypeRequest")
