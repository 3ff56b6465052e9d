"""What we use of Mercado Libre's answers, named as Mercado Libre names it; amounts are JSON numbers.

Facts: developers.mercadolibre.com, "Orders", "Manage questions and answers", "Work with claims".
"""

from __future__ import annotations

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


class Phone(Payload):
    """A telephone number in two parts."""

    area_code = Text(load_default="")
    number = Text(load_default="")


class Buyer(Payload):
    """Who bought; most orders tell the id and the nickname only, and an e-mail address is an alias."""

    id = Text(load_default="")
    nickname = Text(load_default="")
    first_name = Text(load_default="")
    last_name = Text(load_default="")
    email = Text(load_default="")
    phone = part(Phone)


class Choice(Payload):
    """What the buyer chose of an item: its size, its colour."""

    value_name = Text(load_default="")


class Item(Payload):
    """What was sold; `seller_custom_field` is what `seller_sku` was called before."""

    id = Text(load_default="")
    title = Text(load_default="")
    variation_id = Text(load_default="")
    seller_sku = Text(load_default="")
    seller_custom_field = Text(load_default="")
    variation_attributes = items(Choice)


class Position(Payload):
    """A position; `full_unit_price` is the price before what was taken off it."""

    item = part(Item)
    quantity = Amount(required=True, limit=MAX_QUANTITY)
    unit_price = Amount(required=True)
    full_unit_price = Amount(load_default=NOTHING)


class Sum(Payload):
    """An amount of the whole order: its coupon, its taxes."""

    amount = Amount(load_default=NOTHING)


class Payment(Payload):
    """One of the payments."""

    payment_method_id = Text(load_default="")
    date_approved = MomentIfAny(load_default="")
    transaction_amount_refunded = Amount(load_default=NOTHING)


class Shipping(Payload):
    """The shipment, of which an order knows the number only."""

    id = Text(load_default="")


class Cancellation(Payload):
    """Why it was called off, when, and by whom: the buyer, the seller, Mercado Libre."""

    date = MomentIfAny(load_default="")
    requested_by = Text(load_default="")
    description = Text(load_default="")


class Order(Payload):
    """An order; `total_amount` is without the shipping, which stands with the shipment.

    `date_closed` is when it was first confirmed or paid, and its items taken from the stock.
    """

    id = Text(required=True)
    status = Text(required=True)
    date_created = Moment(required=True)
    date_closed = MomentIfAny(load_default="")
    currency_id = Currency(required=True)
    total_amount = Amount(required=True)
    paid_amount = Amount(load_default=NOTHING)
    pack_id = Text(load_default="")
    comment = Text(load_default="")
    coupon = part(Sum)
    taxes = part(Sum)
    buyer = part(Buyer)
    shipping = part(Shipping)
    cancel_detail = part(Cancellation)
    order_items = items(Position)
    payments = items(Payment)


class Asker(Payload):
    """Who asked: a number, and for older versions of the interface a nickname."""

    id = Text(load_default="")
    nickname = Text(load_default="")


class Answer(Payload):
    """What the seller answered."""

    text = Text(load_default="")


class Question(Payload):
    """A question below an item."""

    text = Text(load_default="")
    status = Text(load_default="")
    item_id = Text(load_default="")
    date_created = Text(load_default="")
    asker = part(Asker, "from")
    answer = part(Answer)


class Player(Payload):
    """One of those whom a claim concerns."""

    role = Text(load_default="")
    user_id = Text(load_default="")


class Claim(Payload):
    """A claim on an order, a payment or a shipment; `resource_id` is its number."""

    id = Text(required=True)
    type = Text(load_default="")
    stage = Text(load_default="")
    status = Text(load_default="")
    resource = Text(load_default="")
    resource_id = Text(load_default="")
    reason_id = Text(load_default="")
    date_created = Text(load_default="")
    players = items(Player)
