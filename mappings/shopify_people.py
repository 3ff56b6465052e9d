"""Who is behind an order, an account or a cart of Shopify's family, and the leads that the latter two make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mappings.commands import Address, Person, RegisterLead
from mappings.errors import CannotMap
from mappings.phones import to_e164
from mappings.shopify_dialect import Dialect
from mappings.shopify_payload import Cart, Customer
from mappings.source import Event


def address_of(address: dict[str, Any]) -> Address | None:
    """Return the postal part of an address, None where all of it is empty, as Shopify sends it for drafts.

    Where a country has wards, they belong to the street, and the district stands for a city that is not there.
    """
    city, district = address["city"], address["district"]
    streets = (address["address1"], address["address2"], address["ward"], district if city else "")
    postal = Address(
        street=", ".join(filter(None, streets)),
        city=city or district,
        region=address["province"],
        postcode=address["zip"],
        country=address["country_code"].upper() or address["country"],
    )
    return None if postal == Address() else postal


def person_of(
    dialect: Dialect,
    event: Event,
    customer: dict[str, Any],
    *,
    addresses: list[dict[str, Any]],
    emails: list[str],
    phones: list[str],
    company: str,
    language: str = "",
) -> Person | None:
    """Return who this is, from the first place that says something; None where nothing says anything.

    A telephone number of an address belongs to the country of that address, any other to that of the first,
    and without one to the source's default_region.
    """
    named = next((who for who in (customer, *addresses) if who["first_name"] or who["last_name"]), customer)
    parts = [named["first_name"], named["last_name"]]
    # An address repeats its name in full, in the order that its writer meant.
    spelt = [a["name"] for a in addresses if a["name"] and [a["first_name"], a["last_name"]] == parts]
    joined = " ".join(filter(None, reversed(parts) if dialect.family_name_first else parts))
    countries = [address["country_code"] for address in addresses if address["country_code"]]
    region = next(iter(countries), None) or event.options.get("default_region")
    numbers = [(phone, region) for phone in phones]
    numbers += [(address["phone"], address["country_code"] or region) for address in addresses]
    phone, where = next((pair for pair in numbers if pair[0]), ("", None))
    person = Person(
        name=next(iter(spelt), "") or joined or next((a["name"] for a in addresses if a["name"]), ""),
        first_name=named["first_name"],
        last_name=named["last_name"],
        email=next((email for email in emails if email and email.lower() not in dialect.nobody), ""),
        phone=to_e164(phone, where),
        company=company,
        address=next(filter(None, map(address_of, addresses)), None),
    )
    # A language alone is the browser's, not a person's.
    return None if person == Person() else replace(person, language=language)


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
        "note": customer["note"],
        "tags": customer["tags"],
        "sms_consent": customer["sms_marketing_consent"]["state"],
    }
    yield RegisterLead(
        key=event.key,
        person=person,
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
    found = {
        "cart_total": f"{cart['total_price']} {cart['currency']}".strip(),
        "checkout_url": cart["abandoned_checkout_url"] or cart["invoice_url"],
        "draft_order": cart["name"] if is_draft else "",
        "tags": cart["tags"],
        "source_name": cart["source_name"],
        "landing_site": cart["landing_site"],
        "referring_site": cart["referring_site"],
    }
    notes = {f"note.{note['name']}": note["value"] for note in cart["note_attributes"]}
    yield RegisterLead(
        key=event.key,
        person=person,
        message="\n".join(filter(None, (cart["note"], *map(_wanted, cart["line_items"])))),
        origin="draft order" if is_draft else "checkout",
        consent=consent,
        attributes={name: value for name, value in (found | notes).items() if value},
    )


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
