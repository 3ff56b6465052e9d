"""What we use of BigCommerce's orders (V2), named as BigCommerce names it; amounts are decimal strings."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from mappings.commands import Address, OrderLine, OrderStatus, Person
from mappings.families.order_totals import NOTHING, money
from mappings.formats.phones import to_e164
from mappings.reading.moments import MailDate
from mappings.reading.payloads import MAX_QUANTITY, Amount, Currency, Payload, Text, items, part

#: `status_id` ("Get Order Statuses"); all others are open: pending, awaiting payment, under verification.
STATUSES = {
    "2": OrderStatus.PAID,  # shipped
    "3": OrderStatus.PAID,  # partially shipped
    "4": OrderStatus.REFUNDED,
    "5": OrderStatus.CANCELLED,
    "6": OrderStatus.CANCELLED,  # declined
    "8": OrderStatus.PAID,  # awaiting pickup
    "9": OrderStatus.PAID,  # awaiting shipment
    "10": OrderStatus.PAID,  # completed
    "11": OrderStatus.PAID,  # awaiting fulfillment
    "13": OrderStatus.PAID,  # disputed
    "14": OrderStatus.PAID,  # partially refunded
}


class Answer(Payload):
    """What the buyer wrote into a field of a product or of the checkout."""

    name = Text(load_default="")
    value = Text(load_default="")


class PostalAddress(Payload):
    """The buyer's address, and the buyer."""

    first_name = Text(load_default="")
    last_name = Text(load_default="")
    company = Text(load_default="")
    street_1 = Text(load_default="")
    street_2 = Text(load_default="")
    city = Text(load_default="")
    state = Text(load_default="")
    zip = Text(load_default="")
    country = Text(load_default="")
    country_iso2 = Text(load_default="")
    phone = Text(load_default="")
    email = Text(load_default="")
    form_fields = items(Answer)


class Fee(Payload):
    """A charge that the shop adds to an order: for packing, for a small quantity."""

    name = Text(load_default="")
    display_name_customer = Text(load_default="")
    cost_ex_tax = Amount(load_default=NOTHING)


class Order(Payload):
    """An order. `default_currency_code` is what the amounts are in, `currency_code` what the shop displayed."""

    id = Text(required=True)
    status_id = Text(required=True)
    status = Text(load_default="")
    date_created = MailDate(required=True)
    default_currency_code = Currency(load_default="")
    currency_code = Currency(load_default="")
    total_inc_tax = Amount(required=True)
    total_tax = Amount(load_default=NOTHING)
    shipping_cost_ex_tax = Amount(load_default=NOTHING)
    handling_cost_ex_tax = Amount(load_default=NOTHING)
    wrapping_cost_ex_tax = Amount(load_default=NOTHING)
    discount_amount = Amount(load_default=NOTHING)
    coupon_discount = Amount(load_default=NOTHING)
    refunded_amount = Amount(load_default=NOTHING)
    billing_address = part(PostalAddress)
    customer_locale = Text(load_default="")
    customer_message = Text(load_default="")
    staff_notes = Text(load_default="")
    payment_method = Text(load_default="")
    order_source = Text(load_default="")
    payment_status = Text(load_default="")
    store_credit_amount = Amount(load_default=NOTHING)
    gift_certificate_amount = Amount(load_default=NOTHING)
    external_id = Text(load_default="")
    external_order_id = Text(load_default="")
    fees = items(Fee)


class Choice(Payload):
    """What the buyer chose of a product: its size, its colour."""

    display_value = Text(load_default="")


class Discount(Payload):
    """A coupon or promotion that took something off a position."""

    code = Text(load_default="")


class Product(Payload):
    """A position; its prices and totals are before discounts, which V2 takes off the order."""

    product_id = Text(load_default="")
    name = Text(load_default="")
    sku = Text(load_default="")
    quantity = Amount(required=True, limit=MAX_QUANTITY)
    price_ex_tax = Amount(load_default=NOTHING)
    total_ex_tax = Amount(required=True)
    total_tax = Amount(load_default=NOTHING)
    product_options = items(Choice)
    configurable_fields = items(Answer)
    applied_discounts = items(Discount)
    event_name = Text(load_default="")
    event_date = Text(load_default="")
    wrapping_name = Text(load_default="")
    wrapping_message = Text(load_default="")


def line_of(product: dict[str, Any], currency: str) -> OrderLine:
    """Return a position, with what the buyer chose and wrote in its name."""
    written = [(answer["name"], answer["value"]) for answer in product["configurable_fields"]]
    written += [(product["event_name"], product["event_date"])]
    written += [(product["wrapping_name"], product["wrapping_message"])]
    told = [choice["display_value"] for choice in product["product_options"]]
    told += [
        ": ".join(filter(None, pair)) for pair in written if pair[1] or pair[0] == product["wrapping_name"]
    ]
    chosen = ", ".join(filter(None, told))
    number = product["product_id"]  # 0 where the shop typed the product by hand
    return OrderLine(
        sku=product["sku"] or (f"bigcommerce-product-{number}" if number not in ("", "0") else ""),
        name=f"{product['name']} ({chosen})" if chosen else product["name"],
        quantity=product["quantity"],
        unit_price=product["price_ex_tax"] + NOTHING,
        discount=Decimal(0),
        tax=money(product["total_tax"], currency),
        total=money(product["total_ex_tax"], currency),
    )


def buyer_of(order: dict[str, Any], region: str | None) -> Person | None:
    """Return who bought, as in the billing address; None where it is empty, as in orders by hand.

    `region` is where a telephone number belongs whose address names no country.
    """
    address = order["billing_address"]
    postal = Address(
        street=", ".join(filter(None, (address["street_1"], address["street_2"]))),
        city=address["city"],
        region=address["state"],
        postcode=address["zip"],
        country=address["country_iso2"] or address["country"],
    )
    person = Person(
        name=" ".join(filter(None, (address["first_name"], address["last_name"]))),
        first_name=address["first_name"],
        last_name=address["last_name"],
        email=address["email"],
        phone=to_e164(address["phone"], address["country_iso2"] or region),
        company=address["company"],
        address=None if postal == Address() else postal,
    )
    if person == Person():
        return None
    return replace(person, language=order["customer_locale"])
