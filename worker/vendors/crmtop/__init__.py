"""CRMTop: REST with a login; our key is the `code` of a record, and stands in its text where there is none.

Facts are from the API reference at www.developers.crmtop.vn. It shows neither the items of a search nor whether
a create keeps the code: each look-up reads a candidate whole where the item does not tell, and opportunity,
order and ticket bear the key in their text, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from marshmallow import Schema

from mappings.formats.phones import split, to_e164
from mappings.instances import instance
from mappings.vendor import Record
from mappings.vendors.crmtop import CRMTOP, schemas
from worker.errors import VendorDown
from worker.vendors.crmtop.answers import NO_ID, read
from worker.vendors.crmtop.operations import LOGIN, OPERATIONS
from worker.vendors.lookups import FirstOf, InTurn, LookUp, Same, either, equal, exact, marked, plain
from worker.vendors.read_back import everything, read_by_id
from worker.vendors.rest import record_id, rest, whole_update
from worker.vendors.vendor import Caller, Item, Kind, Operation, Proof, Reference, Token, Vendor


def _login(api: Caller) -> Token:
    secrets = api.connection.secrets
    asked = {"clientId": secrets["client_id"], "clientSecret": secrets["client_secret"]}
    # A refresh token comes with it, but no operation takes one.
    answer = api.exchange(LOGIN, asked)
    if not isinstance(answer, Mapping) or not answer.get("accessToken"):
        raise VendorDown(f"{LOGIN}: success without an accessToken")
    seconds = answer["seconds"]
    return Token(str(answer["accessToken"]), timedelta(seconds=seconds) if seconds else None)


def _adapt(operation: Operation, values: Mapping[str, Any]) -> Operation:
    if operation.paging:
        paging = replace(operation.paging, first=values["first_page"], at_most=values["page_size"])
        return replace(operation, paging=paging)
    if operation.sends == "multipart" and values["multipart_fields"] == "form":
        return replace(operation, sends="multipart form")
    return operation


def _record_id(answer: Any) -> str | None:
    return None if answer == NO_ID else record_id()(answer)


def _documented(form: type[Schema]) -> Callable[[Item], Mapping[str, Any]]:
    """Return what keeps of a record the fields that its update takes and that hold something."""
    names = instance(form).fields
    return lambda item: {name: item[name] for name in names if item.get(name) not in (None, NO_ID)}


def _phoned(item: Item, record: Record) -> bool:
    """Return whether the item has the phone, however typed, and no other e-mail: families share a phone."""
    ours, region = record.match["phone"], split(record.match["phone"])
    typed = to_e164(str(item.get("phone") or ""), region[1] if region else None)
    emails = {plain(email) for email in (item.get("email"), record.match.get("email")) if email}
    return typed == ours and len(emails) < 2


def _way(kind: str, same: Same, tells: str, **ask: str) -> LookUp:
    return LookUp(f"{kind}_search", same, ask, whole=f"{kind}_get", tells=tuple(tells.split()))


def _known_by_code(kind: str, **ask: str) -> dict[str, LookUp]:
    return {
        "code": _way(kind, exact(code="code"), "code", code="match.code"),
        "email": _way(kind, equal(email="email"), "email", email="match.email", **ask),
        # Part of a number, because people type it without the country's code.
        "digits": _way(kind, _phoned, "phone", phone="match.digits", **ask),
    }


_CUSTOMER = InTurn(
    {
        **_known_by_code("customer"),
        "name": _way("customer", equal(name="name"), "name", name="match.name"),
    }
)
_CONTACT = InTurn(_known_by_code("contact", customerId="body.customerId"))
_LEAD = FirstOf(
    {
        name: _way("lead", marked("notes"), "notes", **{name: f"match.{name}"})
        for name in ("email", "phone", "fullName")
    }
)
#: Of all of the customer's, because no filter asks for a code and what `search` looks in is not documented.
_ORDER = _way("order", either(exact(code="code"), marked("note")), "code note", customerId="body.customerId")
_TICKET = _way(
    "ticket", either(exact(code="code"), marked("subject")), "code subject", customerId="body.CustomerId"
)
_OPPORTUNITY = _way(
    "opportunity",
    either(exact(code="code"), marked("name")),
    "code name",
    customerId="body.customerId",
    search="match.marker",
)
_PRODUCT = _way("product", exact(code="code"), "code", search="match.code")
_COMMENT = LookUp("ticket_comment_search", marked(), {"ticketId": "body.TicketId"})


def _lowered(form: type[Schema]) -> Mapping[str, str]:
    """Return the fields that a request spells with a capital and an answer does not."""
    return {name: name[0].lower() + name[1:] for name in instance(form).fields}


def _proof(name: str, alike: LookUp | FirstOf, **more: Any) -> Proof:
    return Proof(read_by_id(f"{name}_get"), alike.of, **more)


#: By our key alone: that two people share a phone or two companies a name is no fault.
_CUSTOMER_BY_CODE, _CONTACT_BY_CODE = (
    _way(name, exact(code="code"), "code", code="match.code") for name in ("customer", "contact")
)


def _change_ticket(api: Caller, ticket: str, changes: Mapping[str, Any]) -> None:
    if changes:
        api.call("ticket_change_status", {"id": ticket, **changes})


VENDOR = Vendor(
    mapping=CRMTOP,
    operations=OPERATIONS,
    kinds={
        "lead": Kind(
            "lead_create",
            "our key in the notes, looked up by e-mail, phone or name",
            _record_id,
            _LEAD,
            proof=_proof("lead", _LEAD),
        ),
        "customer": Kind(
            "customer_create",
            "our key as code, looked up by it, e-mail, phone, company name",
            _record_id,
            _CUSTOMER,
            proof=_proof("customer", _CUSTOMER_BY_CODE),
        ),
        "contact": Kind(
            "contact_create",
            "our key as code, looked up by it, then by e-mail and phone",
            _record_id,
            _CONTACT,
            proof=_proof("contact", _CONTACT_BY_CODE),
        ),
        "product": Kind(
            "product_create",
            "the SKU as code, looked up by it",
            _record_id,
            _PRODUCT,
            proof=_proof("product", _PRODUCT),
        ),
        "opportunity": Kind(
            "opportunity_create",
            "our key as code and in the name, looked up among the customer's",
            _record_id,
            _OPPORTUNITY,
            update=whole_update("opportunity_get", "opportunity_update", _documented(schemas.Opportunity)),
            proof=_proof("opportunity", _OPPORTUNITY),
        ),
        "order": Kind(
            "order_create",
            "our key as code and in the note, looked up among the customer's",
            _record_id,
            _ORDER,
            update=whole_update("order_get", "order_update", _documented(schemas.Order), adds=("note",)),
            proof=_proof("order", _ORDER, grows=frozenset({"note"})),
        ),
        "ticket": Kind(
            "ticket_create",
            "our key as code and in the subject, looked up among the customer's",
            _record_id,
            _TICKET,
            update=_change_ticket,
            proof=_proof("ticket", _TICKET, names=_lowered(schemas.Ticket)),
        ),
        "comment": Kind(
            "ticket_send_comment",
            "our key in the message, looked up among the ticket's",
            _record_id,
            _COMMENT,
            proof=Proof(
                alike=_COMMENT.of,
                everywhere=everything("ticket_comment_search", {"ticketId": "body.TicketId"}).of,
                whole=True,
                names=_lowered(schemas.Comment),
            ),
        ),
    },
    build=rest(),
    read=read,
    login=_login,
    lists={
        "customer_groups": Reference("customer_group_search"),
        "ticket_types": Reference("ticket_type_search"),
    },
    adapt=_adapt,
)
