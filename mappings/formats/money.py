"""Money: decimals of each currency, and how an amount is written."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

#: ISO 4217 currencies whose minor unit is not a hundredth; every other one has two decimals.
ZERO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())


def decimals(currency: str) -> int:
    """Return how many decimals `currency` (ISO 4217) has."""
    code = currency.upper()
    return 0 if code in ZERO_DECIMALS else 3 if code in THREE_DECIMALS else 2


def minor_unit(currency: str) -> Decimal:
    """Return the smallest amount of `currency`: 0.01 for USD, 1 for JPY."""
    return Decimal(1).scaleb(-decimals(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return `amount` to the minor unit of `currency`, halves away from zero as on an invoice."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


def written(amount: Decimal, currency: str) -> str:
    """Return `amount` as text with the currency's decimals, or with more where it really has more."""
    exact = amount.normalize()
    places = max(decimals(currency), -int(exact.as_tuple().exponent))
    return format(exact.quantize(Decimal(1).scaleb(-places)), "f")
