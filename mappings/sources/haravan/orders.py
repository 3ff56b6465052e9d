"""What Haravan's orders tell beyond those of its family: the advert by which one came, and buyers without a name.

Facts: docs.haravan.com, "Order".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from mappings.commands import Address, Person, RecordOrder, filled
from mappings.families.shopify.dialect import Dialect
from mappings.reading.payloads import Payload, Text
from mappings.source import Event


class CameBy(Payload):
    """The advert by which an order came; Shopify and Sapo leave that in `landing_site`."""

    utm_source = Text(load_default="")
    utm_medium = Text(load_default="")
    utm_campaign = Text(load_default="")
    utm_term = Text(load_default="")
    utm_content = Text(load_default="")


def with_advert(
    record: Callable[[Dialect, Event], Iterable[RecordOrder]], dialect: Dialect, event: Event
) -> Iterable[RecordOrder]:
    """Return what `record` makes of an order, with the advert, and without a buyer of whom nothing is known."""
    advert = filled(**dialect.load(CameBy, event))
    for order in record(dialect, event):
        buyer = None if order.customer and _is_nobody(order.customer) else order.customer
        yield replace(order, customer=buyer, attributes={**order.attributes, **advert})


def _is_nobody(person: Person) -> bool:
    # At a counter and in drafts the addresses are empty but for the country, which is the shop's.
    country = Address(country=person.address.country) if person.address else None
    return person == Person(address=country, language=person.language)
