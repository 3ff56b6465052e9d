"""Shopify. Special: topic and delivery id are in headers, and discounts and taxes hide in allocations.

Facts: shopify.dev, "Order" and "Customer" of the REST Admin API, whose JSON webhooks carry, and "Webhooks".
The order of arrival means nothing: one purchase sends create, paid and updated within seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from mappings.bodies import read_object
from mappings.commands import OrderLine, OrderStatus, Person, RecordOrder, RegisterLead
from mappings.errors import CannotMap
from mappings.order_totals import NOTHING, balanced, money
from mappings.payloads import load, sortable
from mappings.protection import Hmac
from mappings.shopify_payload import Customer, Order, address_of, person_of
from mappings.source import Arrival, Event, Naming, Source

#: Topics whose meaning a CRM does not need, or gets from orders/updated as well.
IGNORED = frozenset(
    """
    app/uninstalled carts/create carts/update checkouts/create checkouts/delete checkouts/update
    customers/data_request customers/delete customers/disable customers/enable
    customers/redact customers/update
    customers_email_marketing_consent/update customers_marketing_consent/update
    fulfillments/create fulfillments/update inventory_levels/update
    orders/delete orders/edited orders/fulfilled orders/partially_fulfilled
    order_transactions/create products/create products/delete products/update
    refunds/create shop/redact shop/update
    """.split()
)


def name_event(arrival: Arrival) -> Naming:
    """Name a webhook by its topic and `X-Shopify-Webhook-Id`, which every retry of a delivery repeats."""
    headers, payload = arrival.headers, arrival.payload if isinstance(arrival.payload, Mapping) else {}
    topic = headers.get("x-shopify-topic", "").strip() or "unknown"
    content = f"{topic}:{payload.get('id')}:{payload.get('updated_at')}:{arrival.body_digest}"
    moments = (payload.get("updated_at"), headers.get("x-shopify-triggered-at"), payload.get("created_at"))
    return Naming(
        type=topic,
        dedup_key=headers.get("x-shopify-webhook-id", "").strip() or content,
        entity=_entity(topic, payload.get("id")),
        version=next(filter(None, map(sortable, moments)), None),
        test=headers.get("x-shopify-test", "").strip().lower() == "true" or payload.get("test") is True,
    )


def _entity(topic: str, number: Any) -> str | None:
    kind = {"orders": "order", "customers": "customer"}.get(topic.partition("/")[0])
    # True is an int to Python, but its text is no number; an id of 4,300 digits is none that Shopify gave.
    usable = isinstance(number, int | str) and re.fullmatch("[0-9]{1,20}", str(number))
    return f"{kind}-{number}" if kind and usable else None


def record_order(event: Event) -> Iterable[RecordOrder]:
    """Turn an order into the command for it as it stands now, in the currency of the shop.

    Raises CannotMap with the JSON path of a figure, date or currency that is missing or garbled.
    """
    order = load(Order, event.payload)
    currency = order["currency"]
    included = order["taxes_included"]
    tax = money(order["total_tax"], currency)
    charges = (_without_tax(line, line["price"], included) for line in order["shipping_lines"])
    shipping = money(sum(charges, NOTHING), currency)
    total = money(order["total_price"], currency)
    lines, discount = balanced(
        [_line(line, included, currency) for line in order["line_items"]],
        total=total,
        besides=shipping + tax,
        discount=money(_unallocated_discount(order), currency),
        extras=[
            ("Tip", money(order["total_tip_received"], currency)),
            ("Duties", _in_shop_money(order["original_total_duties_set"], currency)),
            ("Additional fees", _in_shop_money(order["original_total_additional_fees_set"], currency)),
        ],
    )
    yield RecordOrder(
        key=event.key,
        number=order["name"] or order["order_number"] or order["id"],
        status=_status(order),
        customer=_buyer(order),
        currency=currency,
        total=total,
        tax=tax,
        shipping=shipping,
        discount=discount,
        lines=lines,
        placed_at=order["created_at"],
        reason=order["cancel_reason"],
        attributes=_order_attributes(order),
    )


def _line(line: dict[str, Any], included: bool, currency: str) -> OrderLine:
    return OrderLine(
        sku=_sku(line),
        name=line["name"] or line["title"] or line["sku"],
        quantity=line["quantity"],
        unit_price=line["price"] + NOTHING,
        discount=money(_allocated(line), currency),
        tax=money(_tax(line), currency),
        total=money(_without_tax(line, line["quantity"] * line["price"], included), currency),
    )


def _sku(line: dict[str, Any]) -> str:
    """Return the stock-keeping unit, or another name of the product that is the same in every order of it."""
    if line["sku"]:
        return str(line["sku"])
    for kind in ("variant", "product"):
        if line[f"{kind}_id"]:
            return f"shopify-{kind}-{line[f'{kind}_id']}"
    return re.sub(r"[\W_]+", "-", (line["title"] or line["name"]).casefold()).strip("-")


def _allocated(line: dict[str, Any]) -> Decimal:
    # Not `total_discount`, which knows nothing of automatic discounts and of those on the whole order.
    return sum((share["amount"] for share in line["discount_allocations"]), NOTHING)


def _tax(line: dict[str, Any]) -> Decimal:
    return sum((tax["price"] for tax in line["tax_lines"]), NOTHING)


def _without_tax(line: dict[str, Any], gross: Decimal, included: bool) -> Decimal:
    return gross - _allocated(line) - (_tax(line) if included else NOTHING)


def _unallocated_discount(order: dict[str, Any]) -> Decimal:
    allocated = sum(map(_allocated, order["line_items"] + order["shipping_lines"]), NOTHING)
    return Decimal(order["total_discounts"] - allocated)


def _in_shop_money(amounts: dict[str, Any], currency: str) -> Decimal:
    return money(amounts["shop_money"]["amount"], currency)


def _status(order: dict[str, Any]) -> OrderStatus:
    if order["cancelled_at"]:
        return OrderStatus.CANCELLED
    if order["financial_status"] == "refunded":
        return OrderStatus.REFUNDED
    paid = order["financial_status"] in ("paid", "partially_refunded")
    return OrderStatus.PAID if paid else OrderStatus.OPEN


def _buyer(order: dict[str, Any]) -> Person | None:
    customer = order["customer"]
    return person_of(
        customer,
        addresses=[order["billing_address"], order["shipping_address"], customer["default_address"]],
        emails=[customer["email"], order["email"], order["contact_email"]],
        phones=[order["phone"], customer["phone"]],
        company=order["billing_address"]["company"] or customer["default_address"]["company"],
        language=order["customer_locale"],
    )


def _order_attributes(order: dict[str, Any]) -> dict[str, str]:
    buyer = _buyer(order)
    paid_in = order["total_price_set"]["presentment_money"]
    delivery = address_of(order["shipping_address"])
    foreign = paid_in["currency_code"] not in ("", order["currency"])
    found = {
        "note": order["note"],
        "tags": order["tags"],
        "discount_codes": ", ".join(code["code"] for code in order["discount_codes"] if code["code"]),
        "gateway": ", ".join(filter(None, order["payment_gateway_names"])) or order["gateway"],
        "source_name": order["source_name"],
        "landing_site": order["landing_site"],
        "shipping_method": ", ".join(line["title"] for line in order["shipping_lines"] if line["title"]),
        "presentment_currency": paid_in["currency_code"] if foreign else "",
        "presentment_total": paid_in["amount"] if foreign else "",
        "order_email": order["email"] if buyer and order["email"].lower() != buyer.email.lower() else "",
    }
    if buyer and delivery and delivery != buyer.address:
        parts = (delivery.street, delivery.city, delivery.region, delivery.postcode, delivery.country)
        found["shipping_address"] = ", ".join(filter(None, parts))
    notes = {f"note.{note['name']}": note["value"] for note in order["note_attributes"]}
    return {name: value for name, value in (found | notes).items() if value}


def register_customer(event: Event) -> Iterable[RegisterLead]:
    """Turn a new customer account into a lead; raises CannotMap where it says nothing about who that is."""
    customer = load(Customer, event.payload)
    home = customer["default_address"]
    person = person_of(
        customer,
        addresses=[home],
        emails=[customer["email"]],
        phones=[customer["phone"]],
        company=home["company"],
        language="",
    )
    if person is None or not (person.name or person.email or person.phone):
        raise CannotMap("email", "the customer has no name, e-mail address or telephone number")
    found = {
        "note": customer["note"],
        "tags": customer["tags"],
        "sms_consent": customer["sms_marketing_consent"]["state"],
    }
    yield RegisterLead(
        key=event.key,
        person=person,
        consent=customer["email_marketing_consent"]["state"],
        attributes={name: value for name, value in found.items() if value},
    )


SOURCE = Source(
    type="shopify",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=name_event,
    handlers={
        "orders/create": record_order,
        "orders/updated": record_order,
        "orders/paid": record_order,
        "orders/cancelled": record_order,
        "customers/create": register_customer,
    },
    signatures=(Hmac("x-shopify-hmac-sha256"), Hmac("shopify-hmac-sha256")),
    ignored=IGNORED,
    event_header="x-shopify-topic",
)
