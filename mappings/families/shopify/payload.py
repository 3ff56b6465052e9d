"""What we use of the payloads of Shopify and its relatives, named as Shopify names it."""

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
    Word,
    items,
    part,
)


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
    is_removed = fields.Boolean(load_default=False)
    discount_allocations = items(Share)
    tax_lines = items(Tax)


class LineItem(ShippingLine):
    """One position; `price` is that of one piece before discounts, `name` the title with its variant."""

    name = Text(load_default="")
    variant_title = Text(load_default="")
    sku = Text(load_default="")
    total_discount = Amount(load_default=NOTHING)
    variant_id = Text(load_default="")
    product_id = Text(load_default="")
    quantity = Amount(required=True, limit=MAX_QUANTITY)
    current_quantity = Amount(load_default=None, limit=MAX_QUANTITY)
    properties = fields.Raw(load_default=None)  # a list of names and values; apps write what they like


class PostalAddress(Payload):
    """An address, with the person and the telephone number that go with it; wards are those of Vietnam."""

    name = Text(load_default="")
    first_name = Text(load_default="")
    last_name = Text(load_default="")
    company = Text(load_default="")
    phone = Text(load_default="")
    address1 = Text(load_default="")
    address2 = Text(load_default="")
    ward = Text(load_default="")
    district = Text(load_default="")
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
    accepts_marketing = Text(load_default="")


class NoteAttribute(Payload):
    """A field that the shop added to its cart page."""

    name = Text(load_default="")
    value = Text(load_default="")


class DiscountCode(Payload):
    """A code that the buyer typed; automatic discounts have none."""

    code = Text(load_default="")


class DiscountApplication(Payload):
    """A discount; one with a `title` came by itself or by hand, not by a code."""

    title = Text(load_default="")


class Parcel(Payload):
    """What was sent together; the lists repeat the single values, and have more where there are several."""

    tracking_company = Text(load_default="")
    tracking_number = Text(load_default="")
    tracking_url = Text(load_default="")
    tracking_numbers = items(Text(allow_none=True))
    tracking_urls = items(Text(allow_none=True))


class Transaction(Payload):
    """A movement of money; `amount` is in `currency`, which is the buyer's where that is not the shop's."""

    kind = Word(load_default="")
    status = Word(load_default="")
    amount = Amount(load_default=NOTHING)
    currency = Text(load_default="")


class Refund(Payload):
    """Money given back; without transactions where only goods came back."""

    note = Text(load_default="")
    created_at = MomentIfAny(load_default="")
    transactions = items(Transaction)


class Order(Payload):
    """An order; all amounts are in the currency of the shop."""

    id = Text(load_default="")
    name = Text(load_default="")
    order_number = Text(load_default="")
    created_at = Moment(required=True)
    cancelled_at = Text(load_default="")
    cancel_reason = Text(load_default="")
    financial_status = Text(load_default="")
    fulfillment_status = Text(load_default="")
    refunds = items(Refund)
    currency = Currency(required=True)
    taxes_included = fields.Boolean(load_default=False)
    total_price = Amount(required=True)
    current_total_price = Amount(load_default=None)
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
    discount_applications = items(DiscountApplication)
    fulfillments = items(Parcel)
    note_attributes = items(NoteAttribute)
    payment_gateway_names = items(Text())
    gateway = Text(load_default="")
    source_name = Text(load_default="")
    landing_site = Text(load_default="")
    referring_site = Text(load_default="")
    po_number = Text(load_default="")


class Titled(Payload):
    """A way to ship that was chosen; checkouts have a list of them, drafts one."""

    title = Text(load_default="")


class Cart(Payload):
    """What an unfinished checkout and a draft order have in common: somebody, and what they want."""

    name = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")
    customer = part(Customer)
    billing_address = part(PostalAddress)
    shipping_address = part(PostalAddress)
    customer_locale = Text(load_default="")
    buyer_accepts_marketing = Text(load_default="")
    currency = Text(load_default="")
    total_price = Text(load_default="")
    line_items = items(LineItem)
    note = Text(load_default="")
    tags = Text(load_default="")
    completed_at = Text(load_default="")
    abandoned_checkout_url = Text(load_default="")
    invoice_url = Text(load_default="")
    source_name = Text(load_default="")
    landing_site = Text(load_default="")
    referring_site = Text(load_default="")
    note_attributes = items(NoteAttribute)
    discount_codes = items(DiscountCode)
    applied_discount = part(DiscountApplication)
    shipping_line = part(Titled)
    shipping_lines = items(Titled)
    po_number = Text(load_default="")
    buyer_accepts_sms_marketing = Text(load_default="")
