"""The parameters of ONLYOFFICE's operations, as the server's methods declare them.

A JSON body is bound to a method's parameters by name, whatever the case, and every value is read from its
text: "5" is as good as 5. No parameter is marked as required; what is really needed is checked in actions.py.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sandbox.fields import DECIMAL, Check, Field, Json, items, may, passes, record, text
from sandbox.onlyoffice.reference import BID_TYPES, INFO_TYPES, SHARE_TYPES

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# yyyy-MM-dd alone or with whole seconds, 3 or 7 digits of a second; Python's 6 digits are not among them.
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(?:(\d\d:\d\d:\d\d)|(\d\d-\d\d-\d\d))(\.\d{3}|\.\d{7})?(Z|[+-]\d\d:\d\d)?)?"
)
# More digits than these could not be the server's 32-bit integers.
WHOLE = re.compile(r"-?[0-9]{1,10}")
UNSET_TIME = "0001-01-01T00:00:00.0000000Z"


def time_of(written: object) -> str:
    """Return a date as the server answers it, in UTC with seven digits; "" where it cannot read it.

    The played portal keeps UTC, so a time without an offset is taken as UTC.
    """
    match = TIME.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        return ""
    day, clock, dashed, part, offset = match.groups()
    clock = clock or (dashed or "00:00:00").replace("-", ":")
    try:
        read = datetime.fromisoformat(f"{day}T{clock}{(offset or 'Z').replace('Z', '+00:00')}")
        shown = read.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    # A year before 1000 would lose its zeros with %Y.
    return f"{shown.year:04d}{shown:-%m-%dT%H:%M:%S}.{(part or '.')[1:]:0<7}Z"


def whole_of(body: Mapping[str, object], name: str) -> int:
    """Return an integer parameter; 0 where it is absent."""
    return int(str(body.get(name) or 0))


def amount_of(body: Mapping[str, object], name: str) -> Decimal:
    """Return a decimal parameter; 0 where it is absent."""
    return Decimal(str(body.get(name) or 0))


def flag_of(body: Mapping[str, object], name: str) -> bool:
    """Return a yes/no parameter; no where it is absent."""
    return str(body.get(name)).lower() == "true"


def text_of(body: Mapping[str, object], name: str) -> str:
    """Return a text parameter; empty where it is absent or null."""
    return str(body.get(name) or "")


def choice_of(names: Sequence[str], given: object) -> int:
    """Return the number of an enumeration's value, given as number or name; -1 where it has none such."""
    written = str(given)
    if written.isdecimal():
        return int(written) if int(written) < len(names) else -1
    return next((place for place, name in enumerate(names) if name.lower() == written.lower()), -1)


def _choice(names: Sequence[str]) -> Check:
    return passes(
        lambda value: not isinstance(value, bool) and choice_of(names, value) >= 0,
        f"must be one of {', '.join(names)}",
    )


_whole = passes(
    lambda value: not isinstance(value, bool | float) and WHOLE.fullmatch(str(value)) is not None,
    "must be an integer",
)
_decimal = passes(
    lambda value: not isinstance(value, bool) and DECIMAL.fullmatch(str(value)) is not None,
    "must be a number with a point and without an exponent",
)
_flag = passes(lambda value: str(value).lower() in ("true", "false"), "must be a boolean")
_guid = passes(lambda value: isinstance(value, str) and GUID.fullmatch(value) is not None, "must be a GUID")
_time = passes(lambda value: time_of(value) != "", "has an invalid date time format")

# [{"key": <id of the field>, "value": "text"}]; the old sample [{1: "text"}] cannot be bound.
CUSTOM = may(_whole, "key") + may(text, "value", nullable=True)
INFO = (
    may(_choice(INFO_TYPES), "infoType")
    + may(_whole, "category")
    + may(text, "data categoryName", nullable=True)
    + may(_flag, "isPrimary")
)
LINE = (
    may(_whole, "invoiceItemID invoiceTax1ID invoiceTax2ID sortOrder")
    + may(text, "description", nullable=True)
    + may(_decimal, "quantity price discount")
)
NESTED: Mapping[str, tuple[Field, ...]] = {"customFieldList": CUSTOM, "items": INFO, "invoiceLines": LINE}

LOGIN = may(text, "userName password")
ACCESS = may(_flag, "isPrivate isNotify") + may(items(_guid), "accessList")
_CUSTOM_LIST = may(items(record(CUSTOM)), "customFieldList")
OPPORTUNITY = (
    may(_whole, "contactid perPeriodValue stageid successProbability")
    + may(items(_whole), "members")
    + may(text, "title description bidCurrencyAbbr", nullable=True)
    + may(_guid, "responsibleid")
    + may(_choice(BID_TYPES), "bidType")
    + may(_decimal, "bidValue")
    + may(_time, "actualCloseDate expectedCloseDate")
    + ACCESS
    + _CUSTOM_LIST
)
SET_STAGE = may(_whole, "opportunityid stageid")
_CONTACT = (
    may(text, "about", nullable=True)
    + may(_choice(SHARE_TYPES), "shareType")
    + may(items(_guid), "managerList")
    + _CUSTOM_LIST
)
PERSON = _CONTACT + may(text, "firstName lastName jobTitle", nullable=True) + may(_whole, "companyId")
COMPANY = _CONTACT + may(text, "companyName", nullable=True) + may(items(_whole), "personList")
CONTACT_INFO = (
    may(_choice(INFO_TYPES), "infoType") + may(text, "data category", nullable=True) + may(_flag, "isPrimary")
)
INFO_BATCH = may(items(record(INFO)), "items")
SET_STATUS = may(_whole, "contactStatusid")
CASE = may(text, "title", nullable=True) + may(items(_whole), "members") + ACCESS + _CUSTOM_LIST
TASK = (
    may(text, "title description entityType", nullable=True)
    + may(_time, "deadline")
    + may(_guid, "responsibleId")
    + may(_whole, "categoryId contactId entityId alertValue")
    + may(_flag, "isNotify")
)
HISTORY = (
    may(text, "entityType content", nullable=True)
    + may(_whole, "entityId contactId categoryId")
    + may(_time, "created")
    + may(items(_whole), "fileId")
    + may(items(_guid), "notifyUserList")
)
CUSTOM_VALUE = may(text, "fieldValue", nullable=True)
TAG = may(text, "tagName", nullable=True)
INVOICE_ITEM = (
    may(text, "title description sku", nullable=True)
    + may(_decimal, "price stockQuantity")
    + may(_flag, "trackInventory")
    + may(_whole, "invoiceTax1id invoiceTax2id")
)
INVOICE = (
    may(text, "number language currency purchaseOrderNumber terms description", nullable=True)
    + may(_time, "issueDate dueDate")
    + may(_whole, "templateType contactId consigneeId entityId billingAddressID deliveryAddressID")
    + may(_decimal, "exchangeRate")
    + may(items(record(LINE)), "invoiceLines")
)


def bound(fields: Sequence[Field], body: Json) -> Json:
    """Rename the keys of a body to the parameters they mean; keys that mean none stay as they are."""
    names = {field.name.lower(): field.name for field in fields}
    renamed = {names.get(name.lower(), name): value for name, value in body.items()}
    for name, inner in NESTED.items():
        if name in names.values() and isinstance(renamed.get(name), list):
            renamed[name] = [bound(inner, one) if isinstance(one, dict) else one for one in renamed[name]]
    return renamed
