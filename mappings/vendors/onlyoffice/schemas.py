"""The requests that the jobs make at ONLYOFFICE, and the values that its connection may hold.

Create-opportunity is as the vendor's document prints it; the others, and what is required, are as in its OpenAPI
file (community-server.yaml) and in the source of the server (CommunityServer, module/ASC.Api/ASC.Api.CRM). Its
lists are the portal's own; the names that stand here are those of a portal set up in English.
"""

from __future__ import annotations

from decimal import Decimal

from marshmallow import Schema, fields, validate

from mappings.vendor import Named
from mappings.writing.shape import Entry, shape

#: Types of contact information, as their numbers.
PHONE, EMAIL = 0, 1


def _days(default: int) -> fields.Integer:
    return fields.Integer(strict=True, load_default=default, validate=validate.Range(0, 3650))


def _by_default(of_list: str, name: str, key: str) -> Entry:
    return Entry(of_list, load_default=Named(of_list, name, f"values.{key}"))


class Values(Schema):
    """`[connections.X.values]`. What only one of the jobs needs is demanded when there is one to plan."""

    # A user's id or e-mail; "@self" is the one that we log in as.
    owner = Entry("users", uuids=True, load_default=Named("users", "@self", "values.owner"))
    managers = fields.List(Entry("users", uuids=True))
    stage = Entry("stages")
    # The list's first stage of type 1 (ClosedAndWon) and of type 2 (ClosedAndLost).
    stage_won = Entry("stages", load_default=Named("stage types", "1", "values.stage_won"))
    stage_lost = Entry("stages", load_default=Named("stage types", "2", "values.stage_lost"))
    stages = fields.Dict(keys=fields.String(), values=Entry("stages"))
    history_category = _by_default("history categories", "Note", "history_category")
    task_category = _by_default("task categories", "Follow-up", "task_category")
    contact_status = Entry("contact statuses")
    lead_tag = fields.String(load_default="lead")
    # 0 shows a contact to its managers alone, 1 lets everybody read and write it, 2 lets them read.
    share_type = fields.Integer(strict=True, load_default=1, validate=validate.OneOf([0, 1, 2]))
    info_category = fields.String(load_default="Work", validate=validate.OneOf(["Home", "Work", "Other"]))
    lines = fields.String(load_default="description", validate=validate.OneOf(["description", "invoice"]))
    # The invoice's currency in that of the portal.
    exchange_rate = fields.Decimal(
        load_default=Decimal(1), validate=validate.Range(min=0, min_inclusive=False)
    )
    invoice_terms = fields.String(load_default="As ordered", validate=validate.Length(min=1))
    invoice_language = fields.String(load_default="en-US", validate=validate.Length(min=2))
    close_days = _days(30)
    ticket_days = _days(3)
    # Titles are columns of 255 characters.
    title_length = fields.Integer(strict=True, load_default=250, validate=validate.Range(100, 255))
    default_region = fields.String(validate=validate.Length(equal=2))
    currency = fields.String(validate=validate.Length(equal=3))
    anonymous_customer = fields.String(load_default="Web shop customer", validate=validate.Length(min=1))
    # The server takes an empty surname, but not a missing one.
    no_surname = fields.String(load_default="")


#: A custom field and its text. The document's own sample, [{1: "value"}], is one that the server cannot read.
CustomField = shape("CustomField", required="key value", id="key", text="value")
_CUSTOM = {"customFieldList": CustomField}
_SHARED = {"shareType": "values.share_type", "managerList": "values.managers"}

PersonBody = shape(
    "Person",
    required="firstName",
    text="firstName jobTitle about",
    blank="lastName",
    id="companyId",
    uuids="managerList",
    one_of={"shareType": (0, 1, 2)},
    many=_CUSTOM,
    sources={"jobTitle": "attributes.job_title", **_SHARED},
)
CompanyBody = shape(
    "Company",
    required="companyName",
    text="companyName about",
    ids="personList",
    uuids="managerList",
    one_of={"shareType": (0, 1, 2)},
    many=_CUSTOM,
    sources=_SHARED,
)
ContactInfoBody = shape(
    "ContactInfo",
    required="infoType data category",
    text="data category",
    boolean="isPrimary",
    one_of={"infoType": tuple(range(18))},
    sources={"category": "values.info_category"},
)
ContactStatusBody = shape(
    "ContactStatus",
    required="contactStatusid",
    id="contactStatusid",
    sources={"contactStatusid": "values.contact_status"},
)
TagBody = shape("Tag", required="tagName", text="tagName", sources={"tagName": "values.lead_tag"})
HistoryBody = shape(
    "History",
    required="content categoryId",
    text="content",
    id="entityId contactId categoryId",
    ids="fileId",
    uuids="notifyUserList",
    when="created",
    one_of={"entityType": ("opportunity", "case")},
    sources={"categoryId": "values.history_category"},
)
OpportunityBody = shape(
    "CreateOpportunity",
    required="title responsibleid bidCurrencyAbbr stageid",
    text="title description bidCurrencyAbbr",
    id="contactid stageid successProbability",
    ids="members",
    uuid="responsibleid",
    number="bidValue",
    integer="perPeriodValue",
    when="actualCloseDate expectedCloseDate",
    uuids="accessList",
    boolean="isPrivate isNotify",
    one_of={"bidType": (0, 1, 2, 3, 4, 5)},
    many=_CUSTOM,
    sources={"responsibleid": "values.owner"},
)
CaseBody = shape(
    "Case",
    required="title",
    text="title",
    ids="members",
    uuids="accessList",
    boolean="isPrivate isNotify",
    many=_CUSTOM,
)
TaskBody = shape(
    "Task",
    required="title deadline categoryId",
    text="title description",
    when="deadline",
    uuid="responsibleId",
    id="categoryId contactId entityId",
    boolean="isNotify",
    integer="alertValue",
    one_of={"entityType": ("opportunity", "case")},
    sources={"categoryId": "values.task_category", "responsibleId": "values.owner"},
)
InvoiceItemBody = shape(
    "InvoiceItem",
    required="title price",
    text="title description sku",
    number="price stockQuantity",
    boolean="trackInventory",
    id="invoiceTax1id invoiceTax2id",
)
InvoiceLineBody = shape(
    "InvoiceLine",
    required="invoiceItemID quantity price",
    id="invoiceItemID invoiceTax1ID invoiceTax2ID",
    text="description",
    number="quantity price discount",
    integer="sortOrder",
)
InvoiceBody = shape(
    "Invoice",
    required="number issueDate dueDate contactId currency exchangeRate terms invoiceLines",
    text="number language currency purchaseOrderNumber terms description",
    when="issueDate dueDate",
    integer="templateType",
    id="contactId consigneeId entityId billingAddressID deliveryAddressID",
    number="exchangeRate",
    many={"invoiceLines": InvoiceLineBody},
    sources={
        "exchangeRate": "values.exchange_rate",
        "terms": "values.invoice_terms",
        "language": "values.invoice_language",
    },
)
