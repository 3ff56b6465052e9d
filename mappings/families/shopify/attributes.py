"""What an order or a cart of Shopify's family says beyond what every shop's order has, by our own names.

Facts: shopify.dev, "Order", "Refund", "Checkout" and "DraftOrder" of the REST Admin API. What is left out on
purpose: ids, tokens and links of the shop's own, the browser, weights, tax rates, and every amount that others
add up to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from mappings.commands import Address, Person
from mappings.families.order_totals import NOTHING
from mappings.families.shopify.dialect import Dialect
from mappings.families.shopify.people import address_of
from mappings.formats.money import written
from mappings.formats.phones import to_e164
from mappings.reading.answers import said

#: What `financial_status` tells that our own status of an order does not.
TELLING = frozenset({"authorized", "partially_paid", "voided", "expired"})


def attributes_of(dialect: Dialect, order: dict[str, Any], buyer: Person | None) -> dict[str, str]:
    """Return what an order says beside its amounts and its buyer."""
    paid_in = order["total_price_set"]["presentment_money"]
    foreign = paid_in["currency_code"] not in ("", order["currency"])
    is_another = order["email"].lower() not in ({buyer.email.lower()} if buyer else set()) | dialect.nobody
    shipped = [line["title"] for line in order["shipping_lines"] if not line["is_removed"]]
    found = {
        "note": order["note"],
        "tags": order["tags"],
        "discount_codes": codes_of(order),
        "discounts": ", ".join(each["title"] for each in order["discount_applications"] if each["title"]),
        "payment_method": ", ".join(filter(None, order["payment_gateway_names"])) or order["gateway"],
        "sales_channel": order["source_name"],
        "landing_site": order["landing_site"],
        "referrer": order["referring_site"],
        "po_number": order["po_number"],
        "shipping_method": ", ".join(filter(None, shipped)),
        "presentment_currency": paid_in["currency_code"] if foreign else "",
        "presentment_total": paid_in["amount"] if foreign else "",
        "order_email": order["email"] if buyer and is_another else "",
        "fulfillment": order["fulfillment_status"] if order["fulfillment_status"] != "notfulfilled" else "",
        "tracking": "; ".join(filter(None, map(_tracking, order["fulfillments"]))),
        "payment_status": order["financial_status"] if order["financial_status"] in TELLING else "",
        "refunded": _refunded(order),
        "current_total": _current(order),
        "taken_back": ", ".join(filter(None, map(_taken_back, order["line_items"]))),
        "line_details": details_of(order["line_items"]),
        "customer_note": order["customer"]["note"],
        "customer_tags": order["customer"]["tags"],
        "marketing_consent": order["customer"]["email_marketing_consent"]["state"],
        **recipient_of(order["shipping_address"], buyer),
    }
    return {name: value for name, value in (found | notes_of(order)).items() if value}


def codes_of(order: Mapping[str, Any]) -> str:
    """Return the codes that the buyer typed."""
    return ", ".join(code["code"] for code in order["discount_codes"] if code["code"])


def notes_of(order: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that the shop added to its cart page."""
    return {f"note.{note['name']}": note["value"] for note in order["note_attributes"]}


def details_of(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return what the buyer asked for with single lines (an engraving, whom a gift card is for), a line each.

    Names that begin with "_" are those that Shopify shows to nobody.
    """
    told = []
    for line in lines:
        listed = line["properties"] if isinstance(line["properties"], list) else []
        for detail in listed:
            name, value = (said(detail.get(key)) if isinstance(detail, Mapping) else "" for key in _DETAIL)
            if name and value and not name.startswith("_"):
                told.append(f"{line['name'] or line['title']}: {name} = {value}")
    return "\n".join(told)


_DETAIL = ("name", "value")


def recipient_of(address: dict[str, Any], buyer: Person | None) -> dict[str, str]:
    """Return where the goods go and to whom, as far as that is another place or somebody else than the buyer."""
    delivery = address_of(address)
    if buyer is None or delivery is None:
        return {}
    full = address["name"] or " ".join(filter(None, (address["first_name"], address["last_name"])))
    phone = to_e164(address["phone"], address["country_code"] or None)
    return {
        "shipping_address": one_line(delivery) if delivery != buyer.address else "",
        "shipping_name": full if _words(full) != _words(buyer.name) else "",
        "shipping_company": address["company"] if address["company"] != buyer.company else "",
        "shipping_phone": phone if phone != buyer.phone else "",
    }


def _words(name: str) -> list[str]:
    # "Hoa Phạm" and "Phạm Hoa" are one person: an address book may turn the two around.
    return sorted(name.casefold().split())


def one_line(address: Address) -> str:
    """Return a postal address on one line."""
    parts = (address.street, address.city, address.region, address.postcode, address.country)
    return ", ".join(filter(None, parts))


def _tracking(parcel: Mapping[str, Any]) -> str:
    numbers = parcel["tracking_numbers"] or [parcel["tracking_number"]]
    urls = parcel["tracking_urls"] or [parcel["tracking_url"]]
    found = (parcel["tracking_company"], ", ".join(filter(None, numbers)), ", ".join(filter(None, urls)))
    return " ".join(filter(None, found)) if any(numbers + urls) else ""


def _current(order: Mapping[str, Any]) -> str:
    """Return what is left of the total after edits, returns and refunds, where that is another amount."""
    left = order["current_total_price"]
    if left is None or left == order["total_price"]:
        return ""
    return f"{written(left, order['currency'])} {order['currency']}"


def _taken_back(line: Mapping[str, Any]) -> str:
    """Return how many pieces of a line an edit took off or the buyer returned, `1 x Gift card`."""
    left = line["quantity"] if line["current_quantity"] is None else line["current_quantity"]
    gone = line["quantity"] - left
    return f"{format(gone.normalize(), 'f')} x {line['name'] or line['title']}" if gone > 0 else ""


def _refunded(order: dict[str, Any]) -> str:
    """Return what was paid back, `20.00 CAD`; in several currencies where the buyers paid so."""
    sums: dict[str, Decimal] = {}
    for refund in order["refunds"]:
        for moved in refund["transactions"]:
            if moved["kind"] == "refund" and moved["status"] in ("", "success"):
                currency = moved["currency"].upper() or order["currency"]
                sums[currency] = sums.get(currency, NOTHING) + abs(moved["amount"])
    return ", ".join(f"{written(amount, currency)} {currency}" for currency, amount in sums.items() if amount)
