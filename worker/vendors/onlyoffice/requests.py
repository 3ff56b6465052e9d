"""The input of ONLYOFFICE's operations that no job fills: logins, filters, changes of single fields.

Names and types are those of the parameters of the server's methods, as its OpenAPI file prints them.
"""

from __future__ import annotations

from mappings.writing.shape import shape

#: What every list takes besides its own filter.
_NUMBERS, _TEXTS = "count startIndex", "filterValue filterBy filterOp sortBy sortOrder"
_ENTITY = ("contact", "person", "company", "opportunity", "case")

Login = shape("Login", required="userName password", text="userName password")
UserByEmail = shape("UserByEmail", required="email", text="email")
Page = shape("Page", integer=_NUMBERS, text=_TEXTS)
OpportunityFilter = shape(
    "OpportunityFilter",
    text=f"{_TEXTS} tags",
    uuid="responsibleid",
    id="opportunityStagesid contactid",
    boolean="contactAlsoIsParticipant",
    when="fromDate toDate",
    integer=_NUMBERS,
    one_of={"stageType": ("Open", "ClosedAndWon", "ClosedAndLost")},
)
OpportunityByPrefix = shape(
    "OpportunityByPrefix",
    required="prefix",
    text=f"{_TEXTS} prefix",
    id="contactID",
    boolean="internalSearch",
    integer=_NUMBERS,
)
#: The server reads `stageid` from here and not from the path, where it stands as well.
SetStage = shape("SetStage", required="stageid", id="stageid")
ContactFilter = shape(
    "ContactFilter",
    text=f"{_TEXTS} tags",
    id="contactStage contactType",
    uuid="responsibleid",
    boolean="isShared",
    when="fromDate toDate",
    integer=_NUMBERS,
    one_of={"contactListView": ("company", "person", "withopportunity")},
)
#: An empty `data` would find everybody.
ContactByInfo = shape(
    "ContactByInfo",
    required="infoType data",
    key="data",
    text=_TEXTS,
    integer=f"{_NUMBERS} category",
    boolean="isPrimary",
    one_of={"infoType": tuple(range(18))},
)
_InfoItem = shape(
    "InfoItem",
    required="infoType data",
    text="data",
    integer="category",
    boolean="isPrimary",
    one_of={"infoType": tuple(range(18))},
)
InfoBatch = shape("InfoBatch", required="items", many={"items": _InfoItem})
CaseFilter = shape(
    "CaseFilter",
    text=f"{_TEXTS} tags",
    id="contactid",
    boolean="isClosed",
    integer=_NUMBERS,
)
TaskFilter = shape(
    "TaskFilter",
    text=_TEXTS,
    uuid="responsibleid",
    id="categoryid entityid",
    boolean="isClosed",
    when="fromDate toDate",
    integer=_NUMBERS,
    one_of={"entityType": _ENTITY},
)
HistoryFilter = shape(
    "HistoryFilter",
    text=_TEXTS,
    uuid="createBy",
    id="categoryId entityId",
    when="fromDate toDate",
    integer=_NUMBERS,
    one_of={"entityType": _ENTITY},
)
InvoiceFilter = shape(
    "InvoiceFilter",
    text=f"{_TEXTS} status currency",
    id="entityid",
    when="issueDateFrom issueDateTo dueDateFrom dueDateTo",
    integer=_NUMBERS,
    one_of={"entityType": _ENTITY},
)
InvoiceItemFilter = shape(
    "InvoiceItemFilter",
    text=_TEXTS,
    integer=f"{_NUMBERS} status",
    boolean="inventoryStock",
)
CustomValue = shape("CustomValue", required="fieldValue", text="fieldValue")
