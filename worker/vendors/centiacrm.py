"""centiaCRM: RPC over POST with a login; no record carries a key of ours, so titles hold it.

Facts are from the centiaCRM API documentation. It states neither the address nor the namespaces of all methods
(both can be set in relay.toml), nor what a failed call looks like beyond `success` and `error`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mappings.vendor import Record
from mappings.vendors.centiacrm import CENTIACRM
from worker.errors import CredentialsRefused, OutcomeUnknown, Rejected, VendorDown
from worker.http import Answer, Request
from worker.masking import excerpt, masked
from worker.settings import ConnectionSettings
from worker.vendors.answers import read_json
from worker.vendors.paging import Item, every, listed
from worker.vendors.vendor import Api, Call, Kind, Operation, Vendor, json_body

#: "Number of items to paginate. Default is 500" (GetCompanies, GetContacts, GetOpportunities).
PAGE = 500

#: The error is a text without a code, in Spanish or English; these words decide what we do next, and an error
#: that none of them fits is tried again until the connection's patience ends.
_REFUSED_TOKEN = re.compile(r"(?i)token|unauth|no autorizad|expired|expirad|sesi[oó]n|session|log ?in")
_REFUSED_RECORD = re.compile(
    r"(?i)required|obligatori|requerid|invalid|inv[aá]lid|no existe|not exist|not found|no encontrad"
    r"|must |debe |belong|pertenece"
)

# The documentation's methods, as namespace and method; the namespace travels in the URL, because GetInputs and
# GetOrigins exist in several.
_METHODS = {
    "auth_login": ("auth", "Login", False),
    "companies_get_companies": ("companies", "GetCompanies", False),
    "companies_create_company": ("companies", "CreateCompany", True),
    "contacts_get_contacts": ("contacts", "GetContacts", False),
    "contacts_create_contact": ("contacts", "CreateContact", True),
    "products_get_products": ("products", "GetProducts", False),
    "products_create_product": ("products", "CreateProduct", True),
    "opportunities_get_opportunities": ("opportunities", "GetOpportunities", False),
    "opportunities_create_opportunity": ("opportunities", "CreateOpportunity", True),
    "tickets_get_tickets": ("tickets", "GetTickets", False),
    "tickets_create_ticket": ("tickets", "CreateTicket", True),
}


def _build(connection: ConnectionSettings, call: Call, token: str) -> Request:
    content = {"method": _METHODS[call.operation.name][1], "parameters": call.body or {}}
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return Request("POST", connection.base_url + call.operation.path, headers, {}, json_body(content))


def _read(call: Call, answer: Answer) -> Any:
    content = read_json(call, answer)
    if not isinstance(content, dict) or "success" not in content:
        raise OutcomeUnknown(f"{call.operation.name}: answered without `success`: {excerpt(answer.body)!r}")
    if content["success"] is not True:
        raise _failure(call, str(content.get("error") or content.get("message") or "no error text"))
    if not isinstance(content.get("response"), dict):
        raise OutcomeUnknown(f"{call.operation.name}: success without `response`")
    return content["response"]


def _failure(call: Call, said: str) -> Exception:
    text = f"{call.operation.name}: {excerpt(said)}"
    if call.operation.name == "auth_login" or _REFUSED_TOKEN.search(said):
        return CredentialsRefused(text)
    if _REFUSED_RECORD.search(said):
        return Rejected(text, {"": masked(said)})
    return OutcomeUnknown(text)


def _login(api: Api) -> str:
    secrets = api.connection.secrets
    call = Call(
        api.vendor.operations["auth_login"], {"email": secrets["email"], "password": secrets["password"]}
    )
    token = api.exchange(call, "").get("token")
    if not token:
        raise VendorDown("auth_login: success without a token")
    return str(token)


def _created(name: str) -> Any:
    def record_id(response: Mapping[str, Any]) -> str | None:
        item = response.get(name)
        return str(item["id"]) if isinstance(item, dict) and item.get("id") is not None else None

    return record_id


def _pages(api: Api, operation: str, name: str, parameters: Mapping[str, Any]) -> Iterator[Item]:
    profile = {"profile_id": api.connection.account.values["profile_id"]}

    def page(number: int, skip: int) -> list[Item]:
        place = {"pagination": PAGE, "page": number + 1}
        return listed(operation, api.call(operation, {**profile, **parameters, **place}).get(name))

    return every(operation, page)


def _whole(api: Api, operation: str, name: str) -> Iterator[Item]:
    """Yield a list that has neither pages nor filters (GetProducts, GetTickets)."""
    profile = {"profile_id": api.connection.account.values["profile_id"]}
    yield from listed(operation, api.call(operation, profile).get(name))


def _same(item: Item, match: Mapping[str, str]) -> bool:
    # Their search finds parts of words and ignores case; we want this very record.
    return all(_plain(str(item.get(name) or "")) == _plain(wanted) for name, wanted in match.items())


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _company(api: Api, record: Record) -> str | None:
    items = _pages(api, "companies_get_companies", "companies", {"query": record.match["name"]})
    return next((str(item["id"]) for item in items if _same(item, record.match)), None)


def _contact(api: Api, record: Record) -> str | None:
    # Only inside the company: a contact belongs to one, and namesakes work elsewhere.
    company = record.body["company_id"]
    said = next(iter(record.match.values()))
    # The search knows name and surname apart, so a whole name is looked for by its first word.
    items = _pages(
        api, "contacts_get_contacts", "contacts", {"company_id": company, "query": said.split(" ")[0]}
    )
    for item in items:
        whole = {
            "email": item.get("email"),
            "phone": item.get("phone_mobile"),
            "name": f"{item.get('name')} {item.get('surname')}",
        }
        if _same(whole, record.match) and str(item.get("company_id", company)) == str(company):
            return str(item["id"])
    return None


def _product(api: Api, record: Record) -> str | None:
    items = _whole(api, "products_get_products", "products")
    return next((str(item["id"]) for item in items if _same(item, record.match)), None)


def _marked(items: Iterator[Item], record: Record) -> str | None:
    marker = f"[{record.match['marker']}]"
    return next((str(item["id"]) for item in items if marker in str(item.get("title"))), None)


def _opportunity(api: Api, record: Record) -> str | None:
    query = {"query": record.match["marker"]}
    return _marked(_pages(api, "opportunities_get_opportunities", "opportunities", query), record)


def _ticket(api: Api, record: Record) -> str | None:
    return _marked(_whole(api, "tickets_get_tickets", "tickets"), record)


_MARKED = "our key in the title, looked up by it"

VENDOR = Vendor(
    mapping=CENTIACRM,
    operations={
        name: Operation(name, "POST", f"/api/v1/{namespace}", changes=changes)
        for name, (namespace, _, changes) in _METHODS.items()
    },
    kinds={
        kind: Kind(create, _created(kind), protection, find=find, reference=int)
        for kind, create, protection, find in (
            ("company", "companies_create_company", "looked up by name", _company),
            ("contact", "contacts_create_contact", "looked up by e-mail or phone", _contact),
            ("product", "products_create_product", "looked up by SKU", _product),
            ("opportunity", "opportunities_create_opportunity", _MARKED, _opportunity),
            ("ticket", "tickets_create_ticket", _MARKED, _ticket),
        )
    },
    build=_build,
    read=_read,
    login=_login,
)
