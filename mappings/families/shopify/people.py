"""Who is behind an order, an account or a cart of Shopify's family."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mappings.commands import Address, Person
from mappings.families.shopify.dialect import Dialect
from mappings.formats.phones import to_e164
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
    home = next((address for address in addresses if address_of(address)), None)
    person = Person(
        name=next(iter(spelt), "") or joined or next((a["name"] for a in addresses if a["name"]), ""),
        first_name=named["first_name"],
        last_name=named["last_name"],
        email=next((email for email in emails if email and email.lower() not in dialect.nobody), ""),
        phone=to_e164(phone, where),
        company=company or (home["company"] if home else ""),
        address=address_of(home) if home else None,
    )
    # A language alone is the browser's, not a person's.
    return None if person == Person() else replace(person, language=language)
