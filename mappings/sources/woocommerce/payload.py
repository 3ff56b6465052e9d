"""What we use of WooCommerce's orders and customers, named as WooCommerce names it, and the people in them."""

from __future__ import annotations

import html
from dataclasses import replace
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from mappings.commands import Address, Person
from mappings.families.order_totals import NOTHING
from mappings.formats.html_text import text_of
from mappings.formats.phones import to_e164
from mappings.reading.answers import said
from mappings.reading.payloads import MAX_QUANTITY, Amount, Currency, Payload, Text, items, part, sortable


class Typed(Text):
    """Text that somebody typed: WordPress keeps some signs in it as HTML writes them (`&amp;`, `&#8482;`)."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        return html.unescape(super()._deserialize(value, attr, data)).strip()


class UtcMoment(fields.Field[str]):
    """A `…_gmt` date: ISO 8601 in UTC, which WooCommerce writes without saying so."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if in_utc(value) is None:
            raise ValidationError("is not a date and time")
        return value if sortable(value) else f"{value}+00:00"


class UtcMomentIfAny(fields.Field[str]):
    """As `UtcMoment`, empty for what is none: that nobody knows when an order was paid is no reason to park it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if in_utc(value) is None:
            return ""
        return value if sortable(value) else f"{value}+00:00"


def in_utc(moment: Any) -> str | None:
    """Return a `…_gmt` date as text that sorts; None for what is none."""
    return sortable(moment) or (sortable(f"{moment}+00:00") if isinstance(moment, str) else None)


class PostalAddress(Payload):
    """An address, with whom it belongs to; only the billing address has an e-mail address."""

    first_name = Typed(load_default="")
    last_name = Typed(load_default="")
    company = Typed(load_default="")
    address_1 = Typed(load_default="")
    address_2 = Typed(load_default="")
    city = Typed(load_default="")
    state = Typed(load_default="")
    postcode = Typed(load_default="")
    country = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")


class Meta(Payload):
    """What a plugin added; its value may be anything, and only text and figures are of use."""

    key = fields.Raw(load_default="")
    value = fields.Raw(load_default="")
    display_key = fields.Raw(load_default=None)
    display_value = fields.Raw(load_default=None)


class GiftCard(Payload):
    """A gift card that paid a part (extension "Gift Cards"); its code is worth money, and stays at the shop."""

    amount = Amount(load_default=NOTHING)


class Fee(Payload):
    """A charge without a product, or a shipping line: `total` is without tax, and below zero where it is a gift."""

    name = Typed(load_default="")
    method_title = Typed(load_default="")
    total = Amount(load_default=NOTHING)
    total_tax = Amount(load_default=NOTHING)


class LineItem(Payload):
    """One position: `subtotal` before and `total` after discounts, both for the whole line and without tax."""

    name = Typed(load_default="")
    sku = Text(load_default="")
    product_id = Text(load_default="")
    variation_id = Text(load_default="")
    quantity = Amount(required=True, limit=MAX_QUANTITY)
    subtotal = Amount(load_default=None)
    total = Amount(required=True)
    total_tax = Amount(load_default=NOTHING)
    meta_data = items(Meta)


class Coupon(Payload):
    """A coupon that was used; what it took off is in the lines already."""

    code = Typed(load_default="")


class Refund(Payload):
    """A refund; its total is below zero."""

    reason = Typed(load_default="")
    total = Amount(load_default=NOTHING)


class Order(Payload):
    """An order of version 3 of the REST interface."""

    id = Text(load_default="")
    number = Text(load_default="")
    status = Text(load_default="")
    currency = Currency(required=True)
    date_created_gmt = UtcMoment(required=True)
    date_paid_gmt = UtcMomentIfAny(load_default="")
    date_paid = Text(load_default="")
    date_completed_gmt = UtcMomentIfAny(load_default="")
    total = Amount(required=True)
    total_tax = Amount(load_default=NOTHING)
    shipping_total = Amount(load_default=NOTHING)
    billing = part(PostalAddress)
    shipping = part(PostalAddress)
    line_items = items(LineItem)
    fee_lines = items(Fee)
    shipping_lines = items(Fee)
    coupon_lines = items(Coupon)
    refunds = items(Refund)
    gift_cards = items(GiftCard)
    meta_data = items(Meta)
    customer_note = Typed(load_default="")
    payment_method_title = Typed(load_default="")
    transaction_id = Text(load_default="")
    created_via = Text(load_default="")


class Customer(Payload):
    """A customer account."""

    email = Text(load_default="")
    first_name = Typed(load_default="")
    last_name = Typed(load_default="")
    role = Text(load_default="")
    billing = part(PostalAddress)
    shipping = part(PostalAddress)
    meta_data = items(Meta)


def meta_of(found: list[dict[str, Any]]) -> dict[str, str]:
    """Return the entries of `meta_data` whose value is text or a figure, by key."""
    readable = (m for m in found if isinstance(m["key"], str) and isinstance(m["value"], str | int | Decimal))
    return {m["key"]: html.unescape(said(m["value"])).strip() for m in readable}


def visible(meta: dict[str, str]) -> dict[str, str]:
    """Return the entries that WordPress shows to people: a key that begins with "_" is a plugin's own."""
    usual = ("is_vat_exempt", "wpml_language")
    return {f"meta.{k}": v for k, v in meta.items() if k and not k.startswith("_") and k not in usual}


def details_of(lines: list[dict[str, Any]]) -> str:
    """Return what was chosen with single lines (a colour, an engraving), a line each, as the shop shows it."""
    told = []
    for line in lines:
        for meta in line["meta_data"]:
            key = meta["key"] if isinstance(meta["key"], str) else ""
            name = said(key if meta["display_key"] is None else meta["display_key"])
            value = text_of(said(meta["value"] if meta["display_value"] is None else meta["display_value"]))
            if key and not key.startswith("_") and name and value:
                told.append(f"{line['name'] or line['sku']}: {html.unescape(name)} = {value}")
    return "\n".join(told)


def recipient_of(shipping: dict[str, Any], buyer: Person | None) -> dict[str, str]:
    """Return where the goods go and to whom, as far as that is another place or somebody else than the buyer."""
    delivery = address_of(shipping)
    if buyer is None or delivery is None:
        return {}
    full = " ".join(filter(None, (shipping["first_name"], shipping["last_name"])))
    phone = to_e164(shipping["phone"], shipping["country"] or None)
    parts = (delivery.street, delivery.city, delivery.region, delivery.postcode, delivery.country)
    return {
        "shipping_address": ", ".join(filter(None, parts)) if delivery != buyer.address else "",
        "shipping_name": full if full != buyer.name else "",
        "shipping_company": shipping["company"] if shipping["company"] != buyer.company else "",
        "shipping_phone": phone if phone != buyer.phone else "",
    }


def address_of(address: dict[str, Any]) -> Address | None:
    """Return the postal part of an address, None where all of it is empty."""
    postal = Address(
        street=", ".join(filter(None, (address["address_1"], address["address_2"]))),
        city=address["city"],
        region=address["state"],
        postcode=address["postcode"],
        country=address["country"],
    )
    return None if postal == Address() else postal


def person_of(
    account: dict[str, Any],
    billing: dict[str, Any],
    shipping: dict[str, Any],
    region: str | None,
    language: str,
) -> Person | None:
    """Return who this is, from the account, the billing and the shipping address; None where all are empty.

    `region` is where a telephone number belongs whose address names no country.
    """
    named = next(
        (who for who in (account, billing, shipping) if who["first_name"] or who["last_name"]), billing
    )
    reached = next((who for who in (billing, shipping) if who["phone"]), billing)
    person = Person(
        name=" ".join(filter(None, (named["first_name"], named["last_name"]))),
        first_name=named["first_name"],
        last_name=named["last_name"],
        email=billing["email"] or account["email"],
        phone=to_e164(reached["phone"], reached["country"] or region),
        company=billing["company"] or ("" if address_of(billing) else shipping["company"]),
        address=address_of(billing) or address_of(shipping),
    )
    return None if person == Person() else replace(person, language=language)
