"""How Stripe writes amounts: whole numbers of the smallest unit, which is not always that of ISO 4217."""

from __future__ import annotations

from decimal import Decimal

from mappings.families.order_totals import NOTHING
from mappings.formats.money import decimals

#: Where Stripe counts otherwise than ISO 4217 (docs.stripe.com/currencies, "Special cases" and "Zero-decimal").
DECIMALS = {"ISK": 2, "UGX": 2, "MGA": 0}


def in_units(amount: Decimal, currency: str) -> Decimal:
    """Return an amount of Stripe's in units of `currency`: 1099 are 10.99 USD, 1099 JPY, 1.099 KWD."""
    return amount.scaleb(-DECIMALS.get(currency, decimals(currency))) + NOTHING
