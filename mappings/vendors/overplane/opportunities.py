"""Opportunities at Overplane: the customer they are for, and the lines that are objects of their own."""

from __future__ import annotations

from typing import Any

from mappings.errors import ValueMissing
from mappings.vendor import Record, Ref
from mappings.vendors.overplane import schemas
from mappings.writing.fields import FieldLedger
from mappings.writing.orders import Charge, priced, product_key, tell_charge
from mappings.writing.parties import Party, company_name, tell_name, told_phone


def customer_of(ledger: FieldLedger, party: Party) -> Record:
    """Return the customer: a company known by its name, or a private person by e-mail, else phone, else name."""
    # Named by their names, two private people need names that tell them apart.
    by_name = bool(party.company) or ledger.values["party_name_is"] == "name"
    called = company_name if by_name else tell_name
    name = called(ledger, party, "customer.customer_name")
    # A colleague's e-mail and phone are not the company's.
    email = "" if party.company else str(ledger.take("person.email", "customer.email_id"))
    phone = "" if party.company else told_phone(ledger, party, "customer.mobile_no")
    body = ledger.body(
        "customer",
        schemas.Customer,
        customer_name=name,
        customer_type="Company" if party.company else "Individual",
        email_id=email,
        mobile_no=phone,
        customer_details=ledger.address("customer.customer_details"),
    )
    match = {"email": email} if email else {"phone": phone} if phone else {"name": name}
    return Record("customer", party.account_key, body, match, shared=party.account_shared)


def party_name(ledger: FieldLedger, party: Party) -> Ref:
    """Return what other records call the customer by: its id, or the name that it really has at the vendor."""
    by_name = ledger.values["party_name_is"] == "name"
    return Ref("customer", party.account_key, "customer_name" if by_name else "")


def opportunity_of(ledger: FieldLedger, party: Party, **own: Any) -> dict[str, Any]:
    """Return the body of an opportunity for the party's customer, `own` being what its command says of it."""
    return ledger.body(
        "opportunity",
        schemas.Opportunity,
        **placed(
            ledger,
            "opportunity",
            **own,
            opportunity_from="Customer",
            party_name=party_name(ledger, party),
            contact_display=tell_name(ledger, party, "opportunity.contact_display"),
            contact_mobile=told_phone(ledger, party, "opportunity.contact_mobile"),
            address_display=ledger.address("opportunity.address_display"),
            country=country(ledger, "opportunity.country"),
            utm_source=utm_source(ledger, "opportunity.utm_source"),
        ),
    )


def placed(ledger: FieldLedger, kind: str, **filled: Any) -> dict[str, Any]:
    """Return `filled` with what relay.toml places in other fields of the record.

    Raises ValueMissing where it places something in a field that is filled: our key may be in it.
    """
    custom = dict(ledger.custom(kind))
    taken = [name for name in custom if filled.get(name) or name == "utm_content"]
    if taken:
        raise ValueMissing(f"custom_fields.{kind}", f"{taken[0]} is filled already: name another field")
    return {**filled, **custom}


def utm_source(ledger: FieldLedger, target: str) -> str:
    """Return where the visitor came from: the campaign's own word, else the name of the form."""
    path = "attributes.utm_source" if ledger.peek("attributes.utm_source") else "origin"
    return str(ledger.take(path, target))


def country(ledger: FieldLedger, target: str) -> str:
    """Return the person's country in the account's words, where relay.toml has them."""
    names, written = ledger.values.get("countries", {}), str(ledger.peek("person.address.country"))
    if written not in names:
        return str(ledger.take("person.address.country", target))
    ledger.tell("person.address.country", target)
    ledger.setting("countries", target)
    return str(names[written])


def items_of(ledger: FieldLedger, asked: tuple[Charge, ...]) -> tuple[Record, ...]:
    """Return the items that the lines of `asked` name, where lines must name items of the account.

    They have no price: theirs would be in the company's currency, and an order has a currency of its own.
    """
    if ledger.values["items"] == "free":
        return ()
    found: dict[str, Record] = {}
    for charge in asked:
        if product_key(charge) in found:
            continue
        goods = charge.source.startswith("lines[")
        ledger.tell(f"{charge.source}.sku", "item.item_code", "mapped")
        ledger.tell(f"{charge.source}.name", "item.item_name", "mapped")
        body = ledger.body(
            "item",
            schemas.Item,
            item_code=charge.sku,
            item_name=_short(ledger, charge.name),
            # Nobody keeps shipping and tax in a warehouse; of goods the account's own default decides.
            is_stock_item=None if goods else False,
        )
        found[product_key(charge)] = Record(
            "item", product_key(charge), body, {"code": charge.sku}, shared=True
        )
    return tuple(found.values())


def lines_of(ledger: FieldLedger, asked: tuple[Charge, ...], currency: str) -> tuple[Record, ...]:
    """Return the lines of the command's opportunity, whose amounts sum exactly to the charges' totals."""
    lines: list[Record] = []
    for charge in asked:
        tell_charge(ledger, charge, "opportunity_item.rate", currency, described=True)
        ledger.tell(f"{charge.source}.sku", "opportunity_item.item_code", "mapped")
        lines += [
            line_of(ledger, charge, n, *pair)
            for n, pair in enumerate(priced(charge, currency), len(lines) + 1)
        ]
    return tuple(lines)


def line_of(ledger: FieldLedger, charge: Charge, number: int, pieces: int, rate: Any) -> Record:
    """Return the line in place `number`, from 1; its description ends in its key, by which it is found again."""
    key = f"{ledger.command.key}.{number}"
    body = ledger.body(
        "opportunity_item",
        schemas.OpportunityItem,
        opportunity_id=Ref("opportunity", ledger.command.key),
        idx=number,
        item_code=charge.sku,
        item_name=_short(ledger, charge.name),
        description=f"{charge.description} [{key}]",
        qty=pieces,
        rate=rate,
    )
    changes = {name: value for name, value in body.items() if name != "opportunity_id"}
    return Record("opportunity_item", key, body, {"marker": key}, changes=changes)


def _short(ledger: FieldLedger, name: str) -> str:
    return name[: ledger.values["title_length"]]
