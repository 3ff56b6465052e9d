"""centiaCRM: RPC over POST with a login; no record carries a key of ours, so titles hold it.

Facts are from the centiaCRM API documentation. It states neither the address nor the namespaces of all methods
(both can be set in relay.toml), nor what a failed call looks like beyond `success` and `error`.
"""

from __future__ import annotations

import re
from typing import Any

from mappings.vendors.centiacrm import CENTIACRM
from worker.errors import CredentialsRefused, OutcomeUnknown, Rejected, VendorDown
from worker.http import Answer, Request
from worker.masking import excerpt, masked
from worker.settings import ConnectionSettings
from worker.vendors.answers import read_json
from worker.vendors.lookups import FirstOf, LookUp, Same, equal, marked, plain
from worker.vendors.rest import record_id
from worker.vendors.vendor import Call, Caller, Item, Kind, Operation, Paging, Token, Vendor, json_body, table

#: "Number of items to paginate. Default is 500" (GetCompanies, GetContacts, GetOpportunities).
PAGE = 500

#: The error is a text without a code, in Spanish or English; these words decide what we do next, and an error
#: that none of them fits is tried again until the connection's patience ends.
_REFUSED_TOKEN = re.compile(r"(?i)token|unauth|no autorizad|expired|expirad|sesi[oó]n|session|log ?in")
_REFUSED_RECORD = re.compile(
    r"(?i)required|obligatori|requerid|invalid|inv[aá]lid|no existe|not exist|not found|no encontrad"
    r"|must |debe |belong|pertenece"
)

_PAGES = Paging("page", "pagination", PAGE, counts="pages", first=1)


def _method(name: str, method: str, changes: bool = False, items: str = "", pages: bool = False) -> Operation:
    # The namespace travels in the URL, because GetInputs and GetOrigins exist in several.
    path = f"/api/v1/{name.split('_', maxsplit=1)[0]}"
    return Operation(
        name, "POST", path, changes=changes, method=method, items=items, paging=_PAGES if pages else None
    )


_OPERATIONS = table(
    _method("auth_login", "Login"),
    _method("companies_get_companies", "GetCompanies", items="companies", pages=True),
    _method("companies_create_company", "CreateCompany", changes=True),
    _method("contacts_get_contacts", "GetContacts", items="contacts", pages=True),
    _method("contacts_create_contact", "CreateContact", changes=True),
    _method("products_get_products", "GetProducts", items="products"),
    _method("products_create_product", "CreateProduct", changes=True),
    _method("opportunities_get_opportunities", "GetOpportunities", items="opportunities", pages=True),
    _method("opportunities_create_opportunity", "CreateOpportunity", changes=True),
    _method("tickets_get_tickets", "GetTickets", items="tickets"),
    _method("tickets_create_ticket", "CreateTicket", changes=True),
)


def _build(connection: ConnectionSettings, call: Call, token: str) -> Request:
    content = {"method": call.operation.method, "parameters": call.values}
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


def _login(api: Caller) -> Token:
    secrets = api.connection.secrets
    answer = api.exchange("auth_login", {"email": secrets["email"], "password": secrets["password"]})
    if not answer.get("token"):
        raise VendorDown("auth_login: success without a token")
    return Token(str(answer["token"]))


_PROFILE = {"profile_id": "values.profile_id"}


def _contacts(same: Same, query: str) -> LookUp:
    # Only inside the company: a contact belongs to one, and namesakes work elsewhere.
    ask = {**_PROFILE, "company_id": "body.company_id", "query": query}
    return LookUp("contacts_get_contacts", same, ask)


def _named(item: Item, record: Any) -> bool:
    return plain(f"{item.get('name')} {item.get('surname')}") == plain(record.match["name"])


def _marked(operation: str, **ask: str) -> LookUp:
    return LookUp(operation, marked("title"), {**_PROFILE, **ask})


_CONTACT = FirstOf(
    {
        "email": _contacts(equal(email="email"), "match.email"),
        "phone": _contacts(equal(phone_mobile="phone"), "match.phone"),
        # The search knows name and surname apart, so a whole name is looked for by the name alone.
        "name": _contacts(_named, "body.name"),
    }
)
_MARKED = "our key in the title, looked up by it"

VENDOR = Vendor(
    mapping=CENTIACRM,
    operations=_OPERATIONS,
    kinds={
        kind: Kind(create, protection, record_id(kind, "id"), find, reference=int)
        for kind, create, protection, find in (
            (
                "company",
                "companies_create_company",
                "looked up by name",
                LookUp("companies_get_companies", equal(name="name"), {**_PROFILE, "query": "match.name"}),
            ),
            ("contact", "contacts_create_contact", "looked up by e-mail or phone", _CONTACT),
            (
                "product",
                "products_create_product",
                "looked up by SKU",
                LookUp("products_get_products", equal(sku="sku"), _PROFILE),
            ),
            (
                "opportunity",
                "opportunities_create_opportunity",
                _MARKED,
                _marked("opportunities_get_opportunities", query="match.marker"),
            ),
            ("ticket", "tickets_create_ticket", _MARKED, _marked("tickets_get_tickets")),
        )
    },
    build=_build,
    read=_read,
    login=_login,
)
