"""Overplane: REST with a static secret key; lists have no filters, but show the newest first.

Facts are from the Overplane API reference, which prints no error at all: an answer counts as a success only
where it is the object, the list or the confirmation that the reference shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.vendor import Record
from mappings.vendors.overplane import OVERPLANE
from worker.errors import NotConfigured, OutcomeUnknown, Rejected
from worker.http import Answer
from worker.masking import excerpt
from worker.vendors.answers import read_json
from worker.vendors.lookups import FirstOf, LookUp, Same, equal, exact, marked
from worker.vendors.overplane.operations import OPERATIONS
from worker.vendors.read_back import everything, read_by_id
from worker.vendors.rest import partial_update, record_id, rest
from worker.vendors.vendor import Call, Caller, Item, Kind, Proof, Reference, Vendor

#: What to do where an account does not have an API that the reference describes on another page.
_REMEDIES = {
    "/api/crm/lead": 'where the account has no leads, set values.lead_as = "opportunity" or end the route',
    "/api/support/issue": 'where the account has no issues, set values.tickets = "opportunity" or end the route',
    "/api/stock/item": 'where the account has no items, set values.items = "free"',
}


def _read(call: Call, answer: Answer) -> Any:
    try:
        content = read_json(call, answer)
    except NotConfigured as error:
        remedy = _REMEDIES.get(OPERATIONS[call.operation.name].path)
        if remedy is None:
            raise
        told = NotConfigured(f"{error}; {remedy}")
        told.status = error.status
        raise told from error
    if not _is_success(content):
        raise OutcomeUnknown(
            f"{call.operation.name}: answered {answer.status} with no object of the vendor: {excerpt(answer.body)}"
        )
    return content


def _is_success(content: Any) -> bool:
    if not isinstance(content, Mapping) or content.get("error"):
        return False
    return isinstance(content.get("data"), list) or (
        bool(content.get("id")) and content.get("deleted", True) is True
    )


def _ours(item: Item, record: Record) -> bool:
    # `utm_content` is ours alone, but whether every account keeps it is not known; people see the title.
    return item.get("utm_content") == record.match["marker"] or marked("title")(item, record)


def _same_phone(item: Item, record: Record) -> bool:
    return _digits(item.get("mobile_no")) == _digits(record.match["phone"])


def _digits(phone: Any) -> str:
    return re.sub(r"\D", "", str(phone or ""))


def _newest(operation: str, same: Same) -> LookUp:
    return LookUp(operation, same, newest_first="created_at")


def _of_parent(operation: str, same: Same) -> LookUp:
    return LookUp(operation, same, {"parent_id": "body.opportunity_id"})


_MARKED_LEAD = _newest("lead_list", _ours)
_LEAD_BY_EMAIL = LookUp("lead_list", equal(email_id="email"))


def _find_lead(api: Caller, record: Record, since: datetime | None) -> str | None:
    """Find a lead by our key, else by e-mail where the account refuses a second one for the same address."""
    found = _MARKED_LEAD(api, record, since)
    if found is not None or not record.match.get("email") or not _one_for_an_email(api):
        return found
    return _LEAD_BY_EMAIL(api, record, None)


def _one_for_an_email(api: Caller) -> bool:
    wanted = api.setting("lead_emails")
    if wanted != "ask":
        return bool(wanted == "one")
    try:
        settings = api.call("crm_settings_get")
    except (NotConfigured, Rejected):
        settings = {}  # nobody lets us read them: False is the printed default
    return not settings.get("allow_lead_duplication_based_on_emails")


def _is_the_reason(item: Item, record: Record) -> bool:
    return bool(item.get("lost_reason") == record.body["lost_reason"])


def _proof(name: str, alike: LookUp | None = None, **more: Any) -> Proof:
    return Proof(
        read_by_id(f"{name}_get"),
        alike.of if alike else None,
        everything(f"{name}_list").of,
        whole=True,
        made_at="created_at",
        **more,
    )


def _proof_of_part(name: str, alike: LookUp) -> Proof:
    of_parent = everything(f"{name}_list", {"parent_id": "body.opportunity_id"}).of
    return Proof(alike=alike.of, everywhere=of_parent, whole=True)


def _lists() -> Mapping[str, Reference]:
    """Return the account's lists, each for objects that name its entries and for those that have their ids."""
    named = {
        "stages": ("sales_stage_list", "stage_name"),
        "opportunity types": ("opportunity_type_list", "description"),
        "lost reasons": ("opportunity_lost_reason_list", "lost_reason"),
        "companies": ("company_list", "company_name"),
        "item groups": ("item_group_list", "item_group_name"),
        "territories": ("territory_list", "territory_name"),
        "customer groups": ("customer_group_list", "customer_group_name"),
    }
    by_name = {word: Reference(operation, name, id=name) for word, (operation, name) in named.items()}
    return by_name | {
        f"{word} by id": Reference(operation, name) for word, (operation, name) in named.items()
    }


_ID = record_id("id")
_CUSTOMER = FirstOf(
    {
        "email": _newest("customer_list", equal(email_id="email")),
        "phone": _newest("customer_list", _same_phone),
        "name": _newest("customer_list", equal(customer_name="name")),
    }
)
_ITEM = _newest("item_list", exact(item_code="code"))
_OPPORTUNITY = _newest("opportunity_list", _ours)
_LINE = _of_parent("opportunity_item_list", marked("description"))
_LOST_REASON = _of_parent("opportunity_lost_reason_detail_list", _is_the_reason)
_ISSUE = _newest("issue_list", marked("subject"))

VENDOR = Vendor(
    mapping=OVERPLANE,
    operations=OPERATIONS,
    kinds={
        "lead": Kind(
            "lead_create",
            "our key as utm_content and in the title, looked up by reading the list",
            _ID,
            _find_lead,
            update=partial_update("lead_update"),
            proof=_proof("lead", _MARKED_LEAD, delete="lead_delete"),
        ),
        "customer": Kind(
            "customer_create",
            "looked up by e-mail, else phone, else name",
            _ID,
            _CUSTOMER,
            proof=_proof("customer"),
        ),
        "item": Kind("item_create", "looked up by item code", _ID, _ITEM, proof=_proof("item", _ITEM)),
        "opportunity": Kind(
            "opportunity_create",
            "our key as utm_content and in the title, looked up by reading the list",
            _ID,
            _OPPORTUNITY,
            update=partial_update("opportunity_update"),
            proof=_proof("opportunity", _OPPORTUNITY),
        ),
        "opportunity_item": Kind(
            "opportunity_item_create",
            "our key in the description, looked up among the opportunity's lines",
            _ID,
            _LINE,
            update=partial_update("opportunity_item_update"),
            proof=_proof_of_part("opportunity_item", _LINE),
            remove="opportunity_item_delete",
        ),
        "lost_reason": Kind(
            "opportunity_lost_reason_detail_create",
            "the reason itself, looked up among the opportunity's lost reasons",
            _ID,
            _LOST_REASON,
            update=partial_update("opportunity_lost_reason_detail_update"),
            proof=_proof_of_part("opportunity_lost_reason_detail", _LOST_REASON),
            remove="opportunity_lost_reason_detail_delete",
        ),
        "issue": Kind(
            "issue_create",
            "our key in the subject, looked up by reading the list",
            _ID,
            _ISSUE,
            update=partial_update("issue_update"),
            proof=_proof("issue", _ISSUE, delete="issue_delete"),
        ),
    },
    build=rest(),
    read=_read,
    lists=_lists(),
)
