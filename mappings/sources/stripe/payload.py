"""What we use of Stripe's checkout sessions and invoices, named as Stripe names it; amounts in its minor units."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields

from mappings.commands import Address, Person
from mappings.families.order_totals import NOTHING
from mappings.formats.phones import to_e164
from mappings.reading.event_ids import at
from mappings.reading.moments import UnixTime
from mappings.reading.payloads import MAX_QUANTITY, Amount, Currency, Payload, Text, items, part


class PostalAddress(Payload):
    """An address; `country` is ISO 3166-1 alpha-2."""

    line1 = Text(load_default="")
    line2 = Text(load_default="")
    city = Text(load_default="")
    state = Text(load_default="")
    postal_code = Text(load_default="")
    country = Text(load_default="")


class Details(Payload):
    """Who paid, or where it is sent."""

    name = Text(load_default="")
    email = Text(load_default="")
    individual_name = Text(load_default="")
    phone = Text(load_default="")
    business_name = Text(load_default="")
    tax_ids = fields.Raw(load_default=None)
    address = part(PostalAddress)


class Taken(Payload):
    """A part of an amount: a discount or a tax. `inclusive` and `tax_behavior` are of different versions."""

    amount = Amount(load_default=NOTHING)
    inclusive = fields.Boolean(load_default=False)
    tax_behavior = Text(load_default="")


class Price(Payload):
    """What one piece costs."""

    id = Text(load_default="")
    product = fields.Raw(load_default="")
    unit_amount = Amount(load_default=None)
    unit_amount_decimal = Amount(load_default=None)


class PriceDetails(Payload):
    """Where newer versions name price and product of an invoice's line."""

    price = Text(load_default="")
    product = Text(load_default="")


class Pricing(Payload):
    """The price of an invoice's line in newer versions."""

    price_details = part(PriceDetails)
    unit_amount_decimal = Amount(load_default=None)


class SessionLine(Payload):
    """A line of a checkout; `amount_total` is after discounts and with tax, whether or not the price has it."""

    id = Text(load_default="")
    description = Text(load_default="")
    quantity = Amount(load_default=Decimal(1), limit=MAX_QUANTITY)
    price = part(Price)
    amount_discount = Amount(load_default=NOTHING)
    amount_tax = Amount(load_default=NOTHING)
    amount_total = Amount(required=True)


class SessionLines(Payload):
    """One page of the lines of a checkout."""

    data = fields.List(fields.Nested(SessionLine), required=True)
    has_more = fields.Boolean(load_default=False)


class InvoiceLine(Payload):
    """A line of an invoice; `amount` is before discounts, and with tax only where that is inclusive."""

    id = Text(load_default="")
    description = Text(load_default="")
    quantity = Amount(load_default=Decimal(1), limit=MAX_QUANTITY)
    amount = Amount(required=True)
    price = part(Price)
    pricing = part(Pricing)
    discount_amounts = items(Taken)
    tax_amounts = items(Taken)
    taxes = items(Taken)


class InvoiceLines(Payload):
    """One page of the lines of an invoice."""

    data = items(InvoiceLine)
    has_more = fields.Boolean(load_default=False)


class Totals(Payload):
    """What a checkout's total is made of."""

    amount_discount = Amount(load_default=NOTHING)
    amount_shipping = Amount(load_default=NOTHING)
    amount_tax = Amount(load_default=NOTHING)


class Shipping(Payload):
    """What shipping costs; `amount_total` is with its tax."""

    amount_tax = Amount(load_default=NOTHING)
    amount_total = Amount(load_default=None)


class Collected(Payload):
    """What newer versions have collected in the checkout."""

    business_name = Text(load_default="")
    shipping_details = part(Details)


class Consent(Payload):
    """Whether the customer wants advertising (`opt_in`, `opt_out`) and has `accepted` the terms."""

    promotions = Text(load_default="")
    terms_of_service = Text(load_default="")


class Session(Payload):
    """A checkout session, or a payment link's."""

    id = Text(required=True)
    mode = Text(load_default="")
    created = UnixTime(required=True)
    currency = Currency(load_default="")
    amount_total = Amount(load_default=None)
    total_details = part(Totals)
    shipping_cost = part(Shipping)
    payment_status = Text(load_default="")
    payment_intent = fields.Raw(load_default="")
    invoice = fields.Raw(load_default="")
    customer_details = part(Details)
    customer_email = Text(load_default="")
    shipping_details = part(Details)
    collected_information = part(Collected)
    client_reference_id = Text(load_default="")
    locale = Text(load_default="")
    consent = part(Consent)
    payment_link = fields.Raw(load_default="")
    subscription = fields.Raw(load_default="")
    custom_fields = fields.Raw(load_default=None)
    presentment_details = fields.Raw(load_default=None)
    metadata = fields.Dict(keys=fields.String(), values=Text(), load_default=dict)


class Transitions(Payload):
    """When an invoice came to stand as it does."""

    paid_at = UnixTime(load_default="")


class Invoice(Payload):
    """An invoice, of a subscription or by itself."""

    id = Text(required=True)
    number = Text(load_default="")
    created = UnixTime(required=True)
    currency = Currency(required=True)
    status_transitions = part(Transitions)
    total = Amount(required=True)
    tax = Amount(load_default=None)
    total_tax_amounts = items(Taken)
    total_taxes = items(Taken)
    total_discount_amounts = items(Taken)
    shipping_cost = part(Shipping)
    lines = part(InvoiceLines)
    customer_name = Text(load_default="")
    customer_email = Text(load_default="")
    customer_phone = Text(load_default="")
    customer_address = part(PostalAddress)
    customer_shipping = part(Details)
    customer_tax_ids = fields.Raw(load_default=None)
    custom_fields = fields.Raw(load_default=None)
    description = Text(load_default="")
    subscription = fields.Raw(load_default="")
    subscription_details = fields.Raw(load_default=None)  # until 2025; then within `parent`
    parent = fields.Raw(load_default=None)
    billing_reason = Text(load_default="")
    hosted_invoice_url = Text(load_default="")
    attempt_count = Text(load_default="")
    metadata = fields.Dict(keys=fields.String(), values=Text(), load_default=dict)


class Told(Payload):
    """An event; `created` is when what it tells of happened."""

    created = UnixTime(load_default="")


def id_of(value: Any) -> str:
    """Return the id of what Stripe refers to by id, or holds whole where it was asked to expand it."""
    found = value.get("id") if isinstance(value, dict) else value
    return found.strip() if isinstance(found, str) else ""


def person_of(
    details: dict[str, Any], region: str | None, company: str = "", language: str = ""
) -> Person | None:
    """Return who paid; None where Stripe says nothing. Stripe has the name in one piece only.

    `region` is where a telephone number belongs whose address names no country.
    """
    place = details["address"]
    postal = Address(
        street=", ".join(filter(None, (place["line1"], place["line2"]))),
        city=place["city"],
        region=place["state"],
        postcode=place["postal_code"],
        country=place["country"],
    )
    name = details["name"] or details.get("individual_name", "")
    if not (name or details["email"] or details["phone"]):
        return None
    return Person(
        name=name,
        email=details["email"],
        phone=to_e164(details["phone"], place["country"] or region),
        company=details.get("business_name") or company,
        address=None if postal == Address() else postal,
        language=language if language != "auto" else "",
    )


def object_of(payload: Any) -> Mapping[str, Any]:
    """Return what an event is about, empty where it says nothing of it."""
    found = at(payload, "data", "object")
    return found if isinstance(found, Mapping) else {}
