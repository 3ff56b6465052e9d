"""OplaCRM: REST with a static bearer token; `external_id` is the key of leads, accounts and contacts.

Facts are from the OplaCRM API reference. `worker.vendors.oplacrm.operations` says which of its
paths and verbs are known; all can be set in relay.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mappings.vendors.oplacrm import OPLACRM
from mappings.vendors.oplacrm.schemas import LeadChanges
from worker.errors import NotConfigured, VendorDown
from worker.http import Answer
from worker.vendors.answers import by_status, read_json
from worker.vendors.lookups import LookUp, equal, exact, marked
from worker.vendors.oplacrm.operations import OPERATIONS
from worker.vendors.read_back import everything, read_by_id
from worker.vendors.rest import partial_update, record_id, rest
from worker.vendors.vendor import Call, Caller, Kind, Proof, Reference, Vendor


def _read(call: Call, answer: Answer) -> Any:
    content = read_json(call, answer)
    # No error envelope in a 200 is documented, but the account and employee answers carry a statusCode.
    if isinstance(content, dict) and _says_failure(content):
        code = content.get("statusCode")
        raise by_status(call, replace(answer, status=code if isinstance(code, int) and code >= 400 else 500))
    return content


def _says_failure(content: Mapping[str, Any]) -> bool:
    code = content.get("statusCode")
    return content.get("success") is False or (isinstance(code, int) and code >= 400)


def _by_key(operation: str, **all_of_them: str) -> LookUp:
    ask = {"external_id": "match.external_id"}
    return LookUp(operation, equal(external_id="external_id"), ask, always=all_of_them)


#: What an update of a lead may restate: all of it but the custom fields, which a list shows without their ids.
_RESTATED = set(LeadChanges._declared_fields) - {"custom_fields"}


def _update_lead(api: Caller, record: str, changes: Mapping[str, Any]) -> None:
    """Change a lead, restating what else it holds: whether fields that are left out stay is not documented.

    Raises NotConfigured where the lead has more custom fields than the update names, which might empty them,
    VendorDown where the list does not show the lead.
    """
    found = api.each("lead_list", {"external_id": changes["external_id"]})
    before = next((item for item in found if str(item.get("id")) == record), None)
    if before is None:
        raise VendorDown(
            "lead_list: does not show the lead, and without it an update may empty its other fields"
        )
    named = changes["custom_fields"]
    if len(before.get("custom_fields") or ()) > len(named) and not api.setting("drop_lead_fields"):
        place = f"connections.{api.connection.name}"
        raise NotConfigured(
            "the lead has custom fields that an update without their ids may empty: name the ids of all in "
            f"{place}.custom_fields.lead_update, or allow it by {place}.values.drop_lead_fields = true"
        )
    kept = {name: before[name] for name in _RESTATED if before.get(name) is not None}
    changed = {name: value for name, value in changes.items() if name != "external_id"}
    api.call("lead_update", {**kept, **changed, "id": record})


#: The answer's `owner_id` is of another kind than the one that a request takes.
_OWNER = {"owner_id": "owner.external_id"}


def _kept_by_key(operation: str, **all_of_them: str) -> Proof:
    # No operation reads one by the vendor's id; a key that people have changed still stands in the whole list.
    whole_list = everything(operation, always={"external_id": "", **all_of_them}).of
    return Proof(alike=_by_key(operation, **all_of_them).of, everywhere=whole_list, whole=True, names=_OWNER)


_ID = record_id("id")
_KEYED = "our key as external_id, looked up by it"
_PRODUCT = LookUp("product_list", exact(external_id="external_id"))
_OPPORTUNITY = LookUp("opportunity_list", marked("name"))
_NO_TAX_NUMBER = {"tax_identification_number": ""}

VENDOR = Vendor(
    mapping=OPLACRM,
    operations=OPERATIONS,
    kinds={
        "lead": Kind(
            "lead_create",
            _KEYED,
            _ID,
            _by_key("lead_list"),
            update=_update_lead,
            proof=_kept_by_key("lead_list"),
        ),
        "account": Kind(
            "account_create",
            _KEYED,
            _ID,
            _by_key("account_list", **_NO_TAX_NUMBER),
            proof=_kept_by_key("account_list", **_NO_TAX_NUMBER),
        ),
        "contact": Kind(
            "contact_create",
            _KEYED,
            _ID,
            _by_key("contact_list", account_external_id=""),
            proof=_kept_by_key("contact_list", account_external_id=""),
        ),
        "product": Kind(
            "product_upsert",
            "documented upsert on external_id",
            _ID,
            repeatable=True,
            proof=Proof(alike=_PRODUCT.of, everywhere=everything("product_list").of, whole=True),
        ),
        # Neither the list's filters nor its items know external_id, so our key stands in the name, too.
        "opportunity": Kind(
            "opportunity_create",
            "our key in the name, looked up by reading the list",
            _ID,
            _OPPORTUNITY,
            update=partial_update("opportunity_update"),
            proof=Proof(
                read_by_id("opportunity_get"),
                _OPPORTUNITY.of,
                everything("opportunity_list").of,
                whole=True,
                names={"stage_close": "stage_compact"},
            ),
        ),
    },
    build=rest(),
    read=_read,
    lists={
        "employees": Reference(
            "employee_list",
            "first_name last_name",
            "external_id",
            also=("email", "last_name first_name"),
            always={"search": ""},
        )
    },
)
