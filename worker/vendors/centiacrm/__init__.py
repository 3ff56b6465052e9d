"""centiaCRM: RPC over POST with a login; no record carries a key of ours, so titles hold it.

Facts are from the centiaCRM API documentation. It states neither the address nor the namespaces of all methods
(both can be set in relay.toml), nor what a failed call looks like beyond `success` and `error`.
"""

from __future__ import annotations

from typing import Any

from mappings.vendor import Record
from mappings.vendors.centiacrm import CENTIACRM
from worker.errors import CredentialsRefused, OutcomeUnknown, Rejected, VendorDown
from worker.http import Answer, Request
from worker.masking import excerpt, masked
from worker.settings import ConnectionSettings
from worker.vendors.answers import read_json
from worker.vendors.centiacrm.operations import OPERATIONS
from worker.vendors.centiacrm.refusals import meaning_of
from worker.vendors.lookups import FirstOf, LookUp, Same, equal, exact, marked, plain
from worker.vendors.read_back import everything, read_by_id
from worker.vendors.rest import record_id
from worker.vendors.vendor import Call, Caller, Item, Kind, Proof, Reference, Token, Vendor, json_body


def _build(connection: ConnectionSettings, call: Call, token: str) -> Request:
    content = {"method": call.operation.method, "parameters": call.values}
    headers = {"content-type": "application/json", "accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    return Request(
        call.operation.verb, connection.base_url + call.operation.path, headers, {}, json_body(content)
    )


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
    meaning = meaning_of(said)
    if call.operation.name == "auth_login" or meaning == "token":
        return CredentialsRefused(text)
    return Rejected(text, {"": masked(said)}) if meaning == "record" else OutcomeUnknown(text)


def _login(api: Caller) -> Token:
    secrets = api.connection.secrets
    answer = api.exchange("auth_login", {"email": secrets["email"], "password": secrets["password"]})
    if not answer.get("token"):
        raise VendorDown("auth_login: success without a token")
    return Token(str(answer["token"]))


_PROFILE = {"profile_id": "values.profile"}


def _contacts(same: Same, query: str) -> LookUp:
    # Only inside the company: a contact belongs to one, and namesakes work elsewhere.
    ask = {**_PROFILE, "company_id": "body.company_id", "query": query}
    return LookUp("contacts_get_contacts", same, ask)


def _named(item: Item, record: Record) -> bool:
    return plain(f"{item.get('name')} {item.get('surname')}") == plain(record.match["name"])


def _marked(operation: str, **ask: str) -> LookUp:
    return LookUp(operation, marked("title"), {**_PROFILE, **ask})


def _list(operation: str, name: str = "name", **more: Any) -> Reference:
    # No item of any list is documented; these are the usual words for what people see.
    ask = {} if operation == "profiles_get_profiles" else {"profile_id": "profile"}
    return Reference(operation, name, also=("title", "email", "code"), ask=ask, **more)


_LISTS = {
    "profiles": _list("profiles_get_profiles"),
    "users": _list("profiles_get_users", "name surname"),
    "stages": _list("profiles_get_stages"),
    "company types": _list("companies_get_types"),
    "industries": _list("companies_get_industries"),
    "contact origins": _list("contacts_get_origins"),
    "ticket origins": _list("tickets_get_origins"),
    "ticket cases": _list("tickets_get_cases"),
    "priorities": _list("tickets_get_priorities"),
    "product categories": _list("products_get_categories", texts=True),
    # Addresses hold codes. Which field of a country has its code is not documented.
    "countries": Reference("profiles_get_countries", id="code"),
}

_CONTACT = FirstOf(
    {
        "email": _contacts(equal(email="email"), "match.email"),
        "phone": _contacts(equal(phone_mobile="phone"), "match.phone"),
        # The search knows name and surname apart, so a whole name is looked for by the name alone.
        "name": _contacts(_named, "body.name"),
    }
)
_MARKED = "our key in the title, looked up by it"


def _of_person(item: Item, record: Record) -> bool:
    # Not by the whole name: the event that has made it may have called the same person otherwise.
    name, mark = plain(item.get("name")), record.match["mark"]
    return name in (mark, plain(record.match["name"])) or name.endswith(f" ({mark})")


_COMPANY = FirstOf(
    {
        "mark": LookUp("companies_get_companies", _of_person, {**_PROFILE, "query": "match.mark"}),
        "name": LookUp("companies_get_companies", equal(name="name"), {**_PROFILE, "query": "match.name"}),
    }
)
_PRODUCT = LookUp("products_get_products", exact(sku="sku"), _PROFILE)
_OPPORTUNITY = _marked("opportunities_get_opportunities", query="match.marker")
_TICKET = _marked("tickets_get_tickets")
_ONE = {"profile_id": "values.profile", "search_by": "id"}


def _everywhere(operation: str) -> LookUp:
    return everything(operation, _PROFILE)


# No failure has a code, so that a record is gone is believed only where the whole list does not show it either.
_KINDS = (
    (
        "company",
        "companies_create_company",
        "looked up by name, a private person's by e-mail or phone in it",
        _COMPANY,
        Proof(
            read_by_id("companies_get_company", "search_value", "company", also=_ONE),
            everywhere=_everywhere("companies_get_companies").of,
        ),
    ),
    (
        "contact",
        "contacts_create_contact",
        "looked up by e-mail or phone",
        _CONTACT,
        Proof(
            read_by_id("contacts_get_contact", "search_value", "contact", also=_ONE),
            everywhere=_everywhere("contacts_get_contacts").of,
        ),
    ),
    (
        "product",
        "products_create_product",
        "looked up by SKU",
        _PRODUCT,
        Proof(alike=_PRODUCT.of, everywhere=_everywhere("products_get_products").of, whole=True),
    ),
    (
        "opportunity",
        "opportunities_create_opportunity",
        _MARKED,
        _OPPORTUNITY,
        Proof(
            read_by_id("opportunities_get_opportunity", "opportunity_id", "opportunity", int, _PROFILE),
            _OPPORTUNITY.of,
            _everywhere("opportunities_get_opportunities").of,
        ),
    ),
    (
        "ticket",
        "tickets_create_ticket",
        _MARKED,
        _TICKET,
        Proof(alike=_TICKET.of, everywhere=_everywhere("tickets_get_tickets").of, whole=True),
    ),
)

VENDOR = Vendor(
    mapping=CENTIACRM,
    operations=OPERATIONS,
    kinds={
        kind: Kind(create, protection, record_id(kind, "id"), find, proof=proof, reference=int)
        for kind, create, protection, find, proof in _KINDS
    },
    build=_build,
    read=_read,
    login=_login,
    lists=_LISTS,
)
