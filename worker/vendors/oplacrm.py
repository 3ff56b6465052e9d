"""OplaCRM: REST with a static bearer token; `external_id` is the key of leads, accounts and contacts.

Facts are from the OplaCRM API reference. It prints no path and no verb: those of the two lists marked as
confirmed are known from public clients, the others follow their pattern and can be set in relay.toml.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from mappings.vendor import Record
from mappings.vendors.oplacrm import OPLACRM
from worker.http import Answer, Request
from worker.settings import ConnectionSettings
from worker.vendors.answers import by_status, read_json
from worker.vendors.paging import Item, every, listed
from worker.vendors.vendor import Api, Call, Kind, Operation, Vendor, json_body

#: "Maximum 200 records per request" (List opportunities).
PAGE = 200

_OPERATIONS = (
    Operation("lead_list", "GET", "/public/leads", confirmed=True),
    Operation("lead_create", "POST", "/public/leads", changes=True, confirmed=True),
    Operation("account_list", "GET", "/public/accounts"),
    Operation("account_create", "POST", "/public/accounts", changes=True),
    Operation("contact_list", "GET", "/public/contacts"),
    Operation("contact_create", "POST", "/public/contacts", changes=True),
    Operation("product_upsert", "POST", "/public/products/upsert", changes=True),
    Operation("opportunity_list", "GET", "/public/opportunities", confirmed=True),
    Operation("opportunity_create", "POST", "/public/opportunities", changes=True, confirmed=True),
    Operation("opportunity_update", "PUT", "/public/opportunities/{id}", changes=True),
)


def _build(connection: ConnectionSettings, call: Call, token: str) -> Request:
    path = call.operation.path.format(**{name: quote(value, safe="") for name, value in call.path.items()})
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    if call.body is None:
        return Request(call.operation.verb, connection.base_url + path, headers, call.query)
    headers["content-type"] = "application/json"
    return Request(call.operation.verb, connection.base_url + path, headers, call.query, json_body(call.body))


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


def _record_id(content: Any) -> str | None:
    return str(content["id"]) if isinstance(content, dict) and content.get("id") else None


def _pages(api: Api, operation: str, **filters: str) -> Iterator[Item]:
    def page(number: int, skip: int) -> list[Item]:
        query = {"skip": str(skip), "take": str(PAGE), **filters}
        return listed(operation, api.call(operation, query=query))

    return every(operation, page)


def _by_external_id(operation: str, **other_filters: str) -> Any:
    def find(api: Api, record: Record) -> str | None:
        key = record.match["external_id"]
        found = (
            i for i in _pages(api, operation, external_id=key, **other_filters) if i.get("external_id") == key
        )
        return next(map(_record_id, found), None)

    return find


def _opportunity_by_marker(api: Api, record: Record) -> str | None:
    # Neither the list's filters nor its items know external_id, so our key stands in the name, too.
    marker = f"[{record.match['marker']}]"
    found = (item for item in _pages(api, "opportunity_list") if marker in str(item.get("name")))
    return next(map(_record_id, found), None)


_KEYED = "our key as external_id, looked up by it"

VENDOR = Vendor(
    mapping=OPLACRM,
    operations={operation.name: operation for operation in _OPERATIONS},
    kinds={
        "lead": Kind("lead_create", _record_id, _KEYED, find=_by_external_id("lead_list")),
        "account": Kind(
            "account_create",
            _record_id,
            _KEYED,
            find=_by_external_id("account_list", tax_identification_number=""),
        ),
        "contact": Kind(
            "contact_create", _record_id, _KEYED, find=_by_external_id("contact_list", account_external_id="")
        ),
        "product": Kind("product_upsert", _record_id, "documented upsert on external_id", repeatable=True),
        "opportunity": Kind(
            "opportunity_create",
            _record_id,
            "our key in the name, looked up by reading the list",
            find=_opportunity_by_marker,
            update="opportunity_update",
        ),
    },
    build=_build,
    read=_read,
)
