"""What the paths of relay.toml lead to, by the names that `paths.py` gives it, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mappings.commands import OrderLine
from mappings.errors import CannotMap
from mappings.families.order_totals import NOTHING, money
from mappings.formats.money import decimals
from mappings.reading.moments import AnyMoment
from mappings.reading.payloads import MAX_QUANTITY, Amount, Currency, Payload, Text
from mappings.source import Event


class PersonFields(Payload):
    """Who it is."""

    name, first_name, last_name = Text(load_default=""), Text(load_default=""), Text(load_default="")
    email, phone = Text(load_default=""), Text(load_default="")
    company, language = Text(load_default=""), Text(load_default="")


class AddressFields(Payload):
    """Where somebody lives."""

    street, city, region = Text(load_default=""), Text(load_default=""), Text(load_default="")
    postcode, country = Text(load_default=""), Text(load_default="")


class LeadFields(Payload):
    """What a lead has beside its person."""

    message, origin, consent = Text(load_default=""), Text(load_default=""), Text(load_default="")


class TicketFields(Payload):
    """What a request for help has beside the one who asks."""

    subject, description = Text(load_default=""), Text(load_default="")
    priority, channel = Text(load_default=""), Text(load_default="")
    order_number, status = Text(load_default=""), Text(load_default="")


class LineFields(Payload):
    """A position of an order; `total` is what it comes to after its discount."""

    sku, name = Text(load_default=""), Text(load_default="")
    quantity = Amount(load_default=Decimal(1), limit=MAX_QUANTITY)
    unit_price, total = Amount(load_default=None), Amount(load_default=None)
    discount, tax = Amount(load_default=NOTHING), Amount(load_default=NOTHING)


class OrderFields(Payload):
    """An order without its lines and its customer; None is what the lines then say."""

    number, status, reason = Text(load_default=""), Text(load_default=""), Text(load_default="")
    currency = Currency(load_default="")
    total, tax = Amount(load_default=None), Amount(load_default=None)
    shipping, discount = Amount(load_default=NOTHING), Amount(load_default=NOTHING)
    placed_at, closed_at = AnyMoment(load_default=""), AnyMoment(load_default="")


def translated(event: Event, where: Mapping[str, Any], word: str, ours: list[str]) -> str:
    """Return our word for a status of the sender; raises CannotMap where relay.toml does not say what it means."""
    known = event.options.get("statuses", {}).get(word, word.lower())
    if known and known not in ours:
        raise CannotMap(where["status"], f"{word[:40]!r} is none of {', '.join(ours)}: name it in [statuses]")
    return str(known)


def amount_of(amount: Decimal, event: Event, currency: str) -> Decimal:
    """Return an amount of the sender in units of `currency`."""
    if event.options.get("minor_units"):
        amount = amount.scaleb(-decimals(currency))
    return money(amount, currency)


def line_of(line: dict[str, Any], event: Event, currency: str) -> OrderLine:
    """Return a position; without a total of its own it comes to its pieces less its discount."""
    discount, tax = (amount_of(line[name], event, currency) for name in ("discount", "tax"))
    price = line["unit_price"] or NOTHING
    total = line["quantity"] * price - abs(line["discount"]) if line["total"] is None else line["total"]
    contained = tax if event.options.get("taxes_included") else NOTHING
    return OrderLine(
        sku=line["sku"],
        name=line["name"] or line["sku"],
        quantity=line["quantity"],
        unit_price=price.scaleb(-decimals(currency)) if event.options.get("minor_units") else price + NOTHING,
        discount=abs(discount),
        tax=tax,
        total=amount_of(total, event, currency) - contained,
    )
