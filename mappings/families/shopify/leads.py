"""The leads that the accounts and the carts of Shopify's family make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mappings.commands import Person, RegisterLead
from mappings.errors import CannotMap
from mappings.families.shopify.attributes import codes_of, details_of, notes_of, recipient_of
from mappings.families.shopify.dialect import Dialect
from mappings.families.shopify.payload import Cart, Customer
from mappings.families.shopify.people import person_of
from mappings.source import Event


def register_customer(dialect: Dialect, event: Event) -> Iterable[RegisterLead]:
    """Turn a customer account into a lead; raises CannotMap where it says nothing about who that is."""
    customer = dialect.load(Customer, event)
    home = customer["default_address"]
    person = person_of(
        dialect,
        event,
        customer,
        addresses=[home],
        emails=[customer["email"]],
        phones=[customer["phone"]],
        company=home["company"],
    )
    if person is None or not (person.name or person.email or person.phone):
        raise CannotMap("email", "the customer has no name, e-mail address or telephone number")
    found = {
        "customer_note": customer["note"],
        "customer_tags": customer["tags"],
        "sms_consent": customer["sms_marketing_consent"]["state"],
    }
    yield RegisterLead(
        key=event.key,
        person=person,
        origin="customer account",
        consent=customer["email_marketing_consent"]["state"] or customer["accepts_marketing"],
        attributes={name: value for name, value in found.items() if value},
    )


def register_cart(dialect: Dialect, event: Event) -> Iterable[RegisterLead]:
    """Turn an unfinished checkout or draft order into a lead with what is wanted, line by line, as its message.

    Nothing comes of one that was completed, for then there is an order, and of one whose buyer has not yet
    left an e-mail address or a telephone number: every checkout begins so, and nobody could be called.
    """
    cart = dialect.load(Cart, event)
    person = _of_cart(dialect, event, cart)
    if cart["completed_at"] or person is None or not (person.email or person.phone):
        return
    consent = cart["customer"]["email_marketing_consent"]["state"] or cart["buyer_accepts_marketing"]
    is_draft = event.type.startswith("draft_orders/")
    yield RegisterLead(
        key=event.key,
        person=person,
        message="\n".join(filter(None, (cart["note"], *map(_wanted, cart["line_items"])))),
        origin="draft order" if is_draft else "checkout",
        consent=consent,
        attributes={name: value for name, value in _of_what(cart, person, is_draft).items() if value},
    )


def _of_what(cart: dict[str, Any], person: Person, is_draft: bool) -> dict[str, str]:
    shipped = (each["title"] for each in [*cart["shipping_lines"], cart["shipping_line"]])
    return {
        "cart_total": f"{cart['total_price']} {cart['currency']}".strip(),
        "checkout_url": cart["abandoned_checkout_url"] or cart["invoice_url"],
        "draft_order": cart["name"] if is_draft else "",
        "tags": cart["tags"],
        "discount_codes": codes_of(cart),
        "discounts": cart["applied_discount"]["title"],
        "shipping_method": ", ".join(filter(None, shipped)),
        "po_number": cart["po_number"],
        "line_details": details_of(cart["line_items"]),
        "customer_note": cart["customer"]["note"],
        "customer_tags": cart["customer"]["tags"],
        "sms_consent": cart["customer"]["sms_marketing_consent"]["state"]
        or cart["buyer_accepts_sms_marketing"],
        "sales_channel": cart["source_name"],
        "landing_site": cart["landing_site"],
        "referrer": cart["referring_site"],
        **recipient_of(cart["shipping_address"], person),
        **notes_of(cart),
    }


def _of_cart(dialect: Dialect, event: Event, cart: dict[str, Any]) -> Person | None:
    customer, billing = cart["customer"], cart["billing_address"]
    home = customer["default_address"]
    return person_of(
        dialect,
        event,
        customer,
        addresses=[billing, home, cart["shipping_address"]],
        emails=[cart["email"], customer["email"]],
        phones=[cart["phone"], customer["phone"]],
        company=billing["company"] or home["company"],
        language=cart["customer_locale"],
    )


def _wanted(line: dict[str, Any]) -> str:
    name = line["name"] or " - ".join(filter(None, (line["title"], line["variant_title"]))) or line["sku"]
    return f"{format(line['quantity'].normalize(), 'f')} x {name}"
