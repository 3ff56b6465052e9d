"""What we use of Shopify's orders and customers, named as Shopify names it, and the people in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from marshmallow import fields

from mappings.commands import Address, Person
from mappings.order_totals import NOTHING
from mappings.payloads import MAX_QUANTITY, Amount, Currency, Moment, Payload, Text, items, part
from mappings.phones import to_e164


class Money(Payload):
    """An amount in one currency."""

    amount = Amount(load_default=NOTHING)
    currency_code = Text(load_default="")


class PresentedMoney(Payload):
    """An amount as the buyer saw it; never reckoned with, so any text will do."""

    amount = Text(load_default="")
    currency_code = Text(load_default="")


class MoneySet(Payload):
    """An amount in the currency of the shop and in that of the buyer."""

    shop_money = part(Money)
    presentment_money = part(PresentedMoney)


class Share(Payload):
    """What one discount takes off one line."""

    amount = Amount(load_default=NOTHING)


class Tax(Payload):
    """One tax on one line, for its whole quantity and after its discounts."""

    price = Amount(load_default=NOTHING)


class ShippingLine(Payload):
    """One shipping charge."""

    title = Text(load_default="")
    price = Amount(required=True)
    discount_allocations = items(Share)
    tax_lines = items(Tax)


class LineItem(ShippingLine):
    """One position; `price` is that of one piece before discounts, `name` the title with its variant."""

    name = Text(load_default="")
    sku = Text(load_default="")
    variant_id = Text(load_default="")
    product_id = Text(load_default="")
    quantity = Amount(required=True, limit=MAX_QUANTITY)


class PostalAddress(Payload):
    """An address, with the person and the telephone number that go with it."""

    name = Text(load_default="")
    first_name = Text(load_default="")
    last_name = Text(load_default="")
    company = Text(load_default="")
    phone = Text(load_default="")
    address1 = Text(load_default="")
    address2 = Text(load_default="")
    city = Text(load_default="")
    province = Text(load_default="")
    zip = Text(load_default="")
    country = Text(load_default="")
    country_code = Text(load_default="")


class Consent(Payload):
    """Whether the customer wants advertising; `state` is `subscribed`, `not_subscribed`, `pending` or such."""

    state = Text(load_default="")


class Customer(Payload):
    """A customer account; in an order all of it may be missing (point of sale, draft orders)."""

    first_name = Text(load_default="")
    last_name = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")
    note = Text(load_default="")
    tags = Text(load_default="")
    default_address = part(PostalAddress)
    email_marketing_consent = part(Consent)
    sms_marketing_consent = part(Consent)


class NoteAttribute(Payload):
    """A field that the shop added to its cart page."""

    name = Text(load_default="")
    value = Text(load_default="")


class DiscountCode(Payload):
    """A code that the buyer typed; automatic discounts have none."""

    code = Text(load_default="")


class Order(Payload):
    """An order; all amounts are in the currency of the shop."""

    id = Text(load_default="")
    name = Text(load_default="")
    order_number = Text(load_default="")
    created_at = Moment(required=True)
    cancelled_at = Text(load_default="")
    cancel_reason = Text(load_default="")
    financial_status = Text(load_default="")
    currency = Currency(required=True)
    taxes_included = fields.Boolean(load_default=False)
    total_price = Amount(required=True)
    total_tax = Amount(load_default=NOTHING)
    total_discounts = Amount(load_default=NOTHING)
    total_tip_received = Amount(load_default=NOTHING)
    total_price_set = part(MoneySet)
    original_total_duties_set = part(MoneySet)
    original_total_additional_fees_set = part(MoneySet)
    line_items = items(LineItem)
    shipping_lines = items(ShippingLine)
    customer = part(Customer)
    billing_address = part(PostalAddress)
    shipping_address = part(PostalAddress)
    email = Text(load_default="")
    contact_email = Text(load_default="")
    phone = Text(load_default="")
    customer_locale = Text(load_default="")
    note = Text(load_default="")
    tags = Text(load_default="")
    discount_codes = items(DiscountCode)
    note_attributes = items(NoteAttribute)
    payment_gateway_names = items(Text())
    gateway = Text(load_default="")
    source_name = Text(load_default="")
    landing_site = Text(load_default="")


def address_of(address: dict[str, Any]) -> Address | None:
    """Return the postal part of an address, None where all of it is empty, as Shopify sends it for drafts."""
    postal = Address(
        street=", ".join(filter(None, (address["address1"], address["address2"]))),
        city=address["city"],
        region=address["province"],
        postcode=address["zip"],
        country=address["country_code"] or address["country"],
    )
    return None if postal == Address() else postal


def person_of(
    customer: dict[str, Any],
    *,
    addresses: list[dict[str, Any]],
    emails: list[str],
    phones: list[str],
    company: str,
    language: str,
) -> Person | None:
    """Return who this is, from the first place that says something; None where nothing says anything.

    A telephone number of an address belongs to the country of that address, any other to that of the first.
    """
    named = next((who for who in (customer, *addresses) if who["first_name"] or who["last_name"]), customer)
    full_name = " ".join(filter(None, (named["first_name"], named["last_name"])))
    region = next((address["country_code"] for address in addresses if address["country_code"]), None)
    numbers = [(phone, region) for phone in phones]
    numbers += [(address["phone"], address["country_code"] or region) for address in addresses]
    phone, where = next((pair for pair in numbers if pair[0]), ("", None))
    person = Person(
        name=full_name or next((a["name"] for a in addresses if a["name"]), ""),
        first_name=named["first_name"],
        last_name=named["last_name"],
        email=next(filter(None, emails), ""),
        phone=to_e164(phone, where),
        company=company,
        address=next(filter(None, map(address_of, addresses)), None),
    )
    # A language alone is the browser's, not a person's.
    return None if person == Person() else replace(person, language=language)
