"""OplaCRM: REST with a static bearer token; `external_id` is the key of leads, accounts and contacts.

Facts are from the OplaCRM API reference. It prints no path and no verb: those of the two lists marked as
confirmed are known from public clients, the others follow their pattern and can be set in relay.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mappings.vendors.oplacrm import OPLACRM
from worker.http import Answer
from worker.vendors.answers import by_status, read_json
from worker.vendors.lookups import LookUp, equal, marked
from worker.vendors.rest import by_id, record_id, rest
from worker.vendors.vendor import Call, Kind, Operation, Paging, Vendor, table

#: "Maximum 200 records per request" (List opportunities).
PAGE = 200
_PAGES = Paging("skip", "take", PAGE)

_OPERATIONS = table(
    Operation("lead_list", "GET", "/public/leads", paging=_PAGES, confirmed=True),
    Operation("lead_create", "POST", "/public/leads", changes=True, confirmed=True),
    Operation("account_list", "GET", "/public/accounts", paging=_PAGES),
    Operation("account_create", "POST", "/public/accounts", changes=True),
    Operation("contact_list", "GET", "/public/contacts", paging=_PAGES),
    Operation("contact_create", "POST", "/public/contacts", changes=True),
    Operation("product_upsert", "POST", "/public/products/upsert", changes=True),
    Operation("opportunity_list", "GET", "/public/opportunities", paging=_PAGES, confirmed=True),
    Operation("opportunity_create", "POST", "/public/opportunities", changes=True, confirmed=True),
    Operation("opportunity_update", "PUT", "/public/opportunities/{id}", changes=True),
)


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


_ID = record_id("id")
_KEYED = "our key as external_id, looked up by it"

VENDOR = Vendor(
    mapping=OPLACRM,
    operations=_OPERATIONS,
    kinds={
        "lead": Kind("lead_create", _KEYED, _ID, _by_key("lead_list")),
        "account": Kind("account_create", _KEYED, _ID, _by_key("account_list", tax_identification_number="")),
        "contact": Kind("contact_create", _KEYED, _ID, _by_key("contact_list", account_external_id="")),
        "product": Kind("product_upsert", "documented upsert on external_id", _ID, repeatable=True),
        # Neither the list's filters nor its items know external_id, so our key stands in the name, too.
        "opportunity": Kind(
            "opportunity_create",
            "our key in the name, looked up by reading the list",
            _ID,
            LookUp("opportunity_list", marked("name")),
            update=by_id("opportunity_update"),
        ),
    },
    build=rest(),
    read=_read,
)
