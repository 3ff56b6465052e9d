"""What we use of Tiendanube's orders, named as Tiendanube names it; amounts are decimal strings with the tax."""

from __future__ import annotations

from marshmallow import fields

from mappings.families.order_totals import NOTHING
from mappings.reading.payloads import (
    MAX_QUANTITY,
    Amount,
    Currency,
    Moment,
    MomentIfAny,
    Payload,
    Text,
    items,
    part,
)


class Customer(Payload):
    """The account of the buyer; `note` is the shop's about him."""

    note = Text(load_default="")

    name = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")


class Delivery(Payload):
    """Where the goods go, and to whom."""

    name = Text(load_default="")
    address = Text(load_default="")
    number = Text(load_default="")
    floor = Text(load_default="")
    locality = Text(load_default="")
    city = Text(load_default="")
    province = Text(load_default="")
    zipcode = Text(load_default="")
    country = Text(load_default="")
    phone = Text(load_default="")


class PaymentDetails(Payload):
    """How it is paid: a card, a transfer, Pix, and in how many parts."""

    method = Text(load_default="")
    credit_card_company = Text(load_default="")
    installments = Text(load_default="")


class Product(Payload):
    """A position; `name` has the variant in it, `price` is that of one piece."""

    product_id = Text(load_default="")
    variant_id = Text(load_default="")
    name = Text(load_default="")
    sku = Text(load_default="")
    quantity = Amount(required=True, limit=MAX_QUANTITY)
    price = Amount(required=True)
    properties = fields.Raw(load_default=None)


class Coupon(Payload):
    """A code that the buyer typed."""

    code = Text(load_default="")


class Order(Payload):
    """An order; `discount` is that of coupon, promotion and means of payment together."""

    id = Text(required=True)
    number = Text(load_default="")
    created_at = Moment(required=True)
    status = Text(load_default="")
    payment_status = Text(load_default="")
    cancel_reason = Text(load_default="")
    paid_at = MomentIfAny(load_default="")
    cancelled_at = MomentIfAny(load_default="")
    currency = Currency(required=True)
    total = Amount(required=True)
    shipping_cost_customer = Amount(load_default=NOTHING)
    discount = Amount(load_default=NOTHING)
    products = items(Product)
    coupon = items(Coupon)
    customer = part(Customer)
    contact_name = Text(load_default="")
    contact_email = Text(load_default="")
    contact_phone = Text(load_default="")
    contact_identification = Text(load_default="")
    billing_business_name = Text(load_default="")
    billing_phone = Text(load_default="")
    billing_address = Text(load_default="")
    billing_number = Text(load_default="")
    billing_floor = Text(load_default="")
    billing_locality = Text(load_default="")
    billing_city = Text(load_default="")
    billing_province = Text(load_default="")
    billing_zipcode = Text(load_default="")
    billing_country = Text(load_default="")
    language = Text(load_default="")
    note = Text(load_default="")
    owner_note = Text(load_default="")
    gateway = Text(load_default="")
    gateway_name = Text(load_default="")
    shipping_option = Text(load_default="")
    storefront = Text(load_default="")
    landing_url = Text(load_default="")
    shipping_tracking_number = Text(load_default="")
    shipping_tracking_url = Text(load_default="")
    shipping_address = part(Delivery)
    payment_details = part(PaymentDetails)
    extra = fields.Raw(load_default=None)
