"""What Stripe's checkouts and invoices say beside amounts and buyers, by our own names; nothing here ever fails.

Facts: docs.stripe.com, "The Checkout Session object" and "The Invoice object". What is left out on purpose:
Stripe's settings of the page, links back to the shop, its own ids of customers, rates and coupons, periods, and
every amount that others add up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from mappings.formats.money import written
from mappings.reading.answers import said
from mappings.reading.event_ids import at
from mappings.sources.stripe.amounts import in_units
from mappings.sources.stripe.payload import id_of


def of_checkout(session: dict[str, Any]) -> dict[str, str]:
    """Return the attributes of a checkout; empty ones are still among them."""
    sent_to = session["collected_information"]["shipping_details"]
    sent_to = sent_to if sent_to["address"]["line1"] else session["shipping_details"]
    return {
        "checkout_session": session["id"],
        "client_reference_id": session["client_reference_id"],
        "payment_link": id_of(session["payment_link"]),
        "subscription": id_of(session["subscription"]),
        "marketing_consent": session["consent"]["promotions"],
        "terms_consent": session["consent"]["terms_of_service"],
        "tax_number": _tax_ids(session["customer_details"]["tax_ids"]),
        **_presented(session["presentment_details"]),
        **_sent_to(sent_to),
        **_asked(session["custom_fields"]),
        **_noted(session["metadata"]),
    }


def of_invoice(invoice: dict[str, Any], failed: bool) -> dict[str, str]:
    """Return the attributes of an invoice; its subscription's metadata stand behind its own."""
    parent = at(invoice["parent"], "subscription_details")
    subscription = invoice["subscription"] or at(parent, "subscription")
    noted = at(parent, "metadata") or at(invoice["subscription_details"], "metadata")
    return {
        "billing_reason": invoice["billing_reason"],
        "invoice_url": invoice["hosted_invoice_url"],
        "payment_attempts": invoice["attempt_count"] if failed else "",
        "description": invoice["description"],
        "subscription": id_of(subscription),
        "tax_number": _tax_ids(invoice["customer_tax_ids"]),
        **_sent_to(invoice["customer_shipping"]),
        **_asked(invoice["custom_fields"]),
        **_noted(noted),
        **_noted(invoice["metadata"]),
    }


def _noted(metadata: Any) -> dict[str, str]:
    """Return what the shop noted down at Stripe, by names that tell where it is from."""
    found = metadata if isinstance(metadata, Mapping) else {}
    return {f"metadata.{name}": said(value) for name, value in found.items()}


def _sent_to(whom: dict[str, Any]) -> dict[str, str]:
    return {
        "shipping_name": whom["name"],
        "shipping_phone": whom["phone"],
        "shipping_address": ", ".join(filter(None, whom["address"].values())),
    }


def _presented(details: Any) -> dict[str, str]:
    """Return what the buyer saw and paid, where Stripe turned it into the currency of the shop."""
    amount, currency = at(details, "presentment_amount"), said(at(details, "presentment_currency")).upper()
    if isinstance(amount, bool) or not isinstance(amount, int) or abs(amount) > 10**15 or not currency:
        return {}
    return {
        "presentment_total": written(in_units(Decimal(amount), currency), currency),
        "presentment_currency": currency,
    }


def _tax_ids(listed: Any) -> str:
    return ", ".join(
        " ".join(filter(None, (said(at(e, "type")), said(at(e, "value"))))) for e in _each(listed)
    )


def _asked(listed: Any) -> dict[str, str]:
    """Return the shop's own questions on the page, or its own lines on the invoice, by their labels."""
    found = {}
    for field in _each(listed):
        kind = said(at(field, "type"))
        name = said(at(field, "label", "custom")) or said(at(field, "key")) or said(at(field, "name"))
        value = said(at(field, kind, "value") if kind else at(field, "value"))
        chosen = [said(at(o, "label")) for o in _each(at(field, kind, "options")) if at(o, "value") == value]
        found[f"custom.{name}"] = next(filter(None, chosen), value)
    return found


def _each(listed: Any) -> Iterator[Any]:
    yield from (listed if isinstance(listed, list) else ())
