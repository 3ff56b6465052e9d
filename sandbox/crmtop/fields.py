"""Lists the request fields of CRMTop as the samples of its API reference print them.

The reference marks no field as required, and its answers show every field, so a field may be absent or
null. Enumerations travel as integers; only two have documented meanings.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.fields import Check, Field, boolean, items, json_object, number, one_of, passes, record, text

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NO_ID = "00000000-0000-0000-0000-000000000000"
INT32 = range(-(2**31), 2**31)
# The reference names no enumeration's values except the two statuses; 20 is far above any plausible one.
ENUM = range(21)


def _whole_in(allowed: range) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


def _whole(written: str) -> object:
    return int(written) if re.fullmatch(r"-?\d{1,10}", written) else written


def _double(written: str) -> object:
    return float(written) if re.fullmatch(r"-?\d+(\.\d+)?", written) else written


uuid_text = passes(
    lambda value: isinstance(value, str) and UUID.fullmatch(value) is not None, "is not a valid uuid"
)
whole = passes(_whole_in(INT32), "is not a valid int32")
# "2026-02-27T00:00:00+07:00": a time without its offset would mean another hour to the server.
moment = passes(_is_moment, "is not a valid date-time with an offset")

# What each word of `dto` means: the check of a JSON value, and how a query parameter is read.
TYPES: Mapping[str, tuple[Check, Callable[[str], object]]] = {
    "texts": (text, str),
    "ids": (uuid_text, str),
    "ints": (whole, _whole),
    "numbers": (number, _double),
    "times": (moment, str),
    "flags": (boolean, str),
    "enums": (passes(_whole_in(ENUM), "is not a value of the enumeration"), _whole),
    # "1: Kế hoạch, 2: Đang thực hiện, 3: Hoàn thành, 4: Huỷ" (activity), the same four for a ticket.
    "steps": (one_of(1, 2, 3, 4), _whole),
    "id_lists": (items(uuid_text), str),
    "row_lists": (items(whole), str),
}


@dataclass(frozen=True)
class Typed(Field):
    """A field that knows its type, a key of TYPES, because queries carry it as text."""

    type: str = "texts"


def dto(**names: str) -> tuple[Typed, ...]:
    """Give optional, nullable fields; each keyword is a key of TYPES, its value the names with spaces."""
    return tuple(
        Typed(name, TYPES[key][0], False, True, key)
        for key, listed in names.items()
        for name in listed.split()
    )


OWNED = dto(ids="ownerId orgUnitId", texts="ownerName orgUnitName")
LINKED = dto(ids="customerId contactId", texts="customerName contactName")

CUSTOMER = (
    *dto(ids="id groupId", enums="type", texts="code name taxCode businessType groupName phone email"),
    *dto(texts="website address note"),
    *OWNED,
)
CUSTOMER_GROUP = dto(ids="id", texts="name note")
CONTACT = (
    *dto(ids="id customerId", texts="customerName code fullName position department phone email"),
    # The status of a contact is a string, unlike every other.
    *dto(enums="gender", times="birthday", texts="nationalId address status note", flags="isPrimary"),
    *OWNED,
)
LEAD = (
    *dto(ids="id", enums="source status industry rating", ints="probability assignedTo"),
    *dto(texts="fullName email phone company position notes"),
    *OWNED,
)
OPPORTUNITY = (
    *LINKED,
    *dto(ids="id leadId", texts="code name description leadName currency source"),
    *dto(numbers="amount probability", enums="stage priority", times="expectedCloseDate actualCloseDate"),
    *OWNED,
)
ORDER = (
    *dto(ids="id customerId", texts="code customerName note", times="orderDate dueDate", enums="status"),
    *dto(numbers="totalAmount taxAmount discountAmount", flags="approved"),
    # "products" is one string, in a format that the reference does not name.
    *dto(texts="receiverName receiverPhone receiverEmail receiverAddress products"),
)
PRODUCT = (
    *dto(ids="id", ints="groupId unitId", numbers="importPrice retailPrice wholesalePrice"),
    *dto(texts="code name groupName unitName config note image"),
)
NAMED_BY_NUMBER = dto(ints="id", texts="name note")
PRODUCT_UNIT = (
    *dto(ids="id productId", ints="unitId entityState", texts="unitName note"),
    *dto(numbers="unitRate importPrice retailPrice wholesalePrice"),
)
TICKET = (
    *LINKED,
    *dto(ids="id productId orderId", ints="typeId", enums="priority channel", steps="status"),
    *dto(texts="code subject description typeName productName orderCode", times="createdOn"),
    *OWNED,
)
TICKET_COMMENT = dto(ids="ticketId userId", texts="tenantCode userName message")
ACTIVITY = (
    *dto(ids="id primaryId relatedId", enums="type priority primaryType relatedType", steps="status"),
    *dto(texts="subject description extraData primaryName relatedName", flags="isAllDay"),
    *dto(times="startTime endTime dueDate"),
    *OWNED,
)
CAMPAIGN = (
    *dto(ids="id", texts="code name note", enums="type status", times="startDate endDate"),
    *dto(numbers="expectedRevenue budgetedCost actualCost expectedResponseRate actualResponseRate"),
    *OWNED,
)
SEGMENT = dto(ids="id", texts="name description")
TEMPLATE = dto(ids="id", enums="type", texts="name content")
MAKT = (
    *dto(ids="id segmentId", texts="code name description segmentName filePath"),
    *dto(enums="sendType status", times="appointmentDate"),
)
MAKTEMAIL = (
    *MAKT,
    *dto(texts="subject from displayName templateName", enums="supplier", ids="templateId"),
)
MAKTZALO = (
    *MAKT,
    *dto(texts="socialId socialName znsTemplateId znsTemplateName znsTemplateParam znsTemplatePreviewUrl"),
    *dto(texts="smsTemplateName smsTemplateParam excelHeader", ids="smsTemplateId"),
    *dto(enums="channel", numbers="znsTemplatePrice"),
)

PAGE = dto(ints="pageNumber pageSize", texts="search")
PERIOD = dto(texts="fieldDate", times="from to")
FIND_CUSTOMER = (*PAGE, *dto(ids="groupId", texts="code name email phone"))
FIND_CONTACT = (*PAGE, *dto(ids="customerId", texts="code fullName email phone"))
FIND_LEAD = (*PAGE, *dto(texts="fullName email phone"))
FIND_OPPORTUNITY = (*PAGE, *LINKED, *dto(ids="leadId", texts="leadName"))
FIND_ORDER = (*PAGE, *PERIOD, *dto(flags="approved", enums="status", ids="customerId"))
FIND_TICKET = (
    *PAGE,
    *PERIOD,
    *dto(ints="typeId", enums="priority channel", steps="status"),
    *dto(ids="customerId contactId productId orderId ownerId orgUnitId"),
)
FIND_TICKET_COMMENT = (*PAGE, *dto(ids="ticketId", texts="tenantCode"))
FIND_ACTIVITY = (
    *PAGE,
    *PERIOD,
    *dto(enums="type priority primaryType", steps="status", ids="ownerId primaryId"),
    *dto(texts="primaryName subject"),
)
FIND_CAMPAIGN = (*PAGE, *dto(enums="type status"))
FIND_TEMPLATE = (*PAGE, *dto(enums="type"))
FIND_MAKTEMAIL = (*PAGE, *dto(enums="status supplier"))
FIND_MAKTZALO = (*PAGE, *dto(enums="status"))

TOKEN = dto(texts="clientId clientSecret")
APPROVE = dto(ids="id", flags="approve", texts="note")
PRINT = dto(id_lists="ids")
SAVE_PRODUCT_UNITS = (Field("units", items(record(PRODUCT_UNIT)), False, True),)
ADD_CAMPAIGN_MEMBERS = dto(ids="campaignId", enums="type", id_lists="ids")
ADD_SEGMENT_MEMBERS = (
    *dto(ids="segmentId", enums="type", id_lists="ids"),
    Field("maktReports", items(json_object), False, True),
)
DELETE_SEGMENT_MEMBERS = dto(ids="segmentId", row_lists="ids")
