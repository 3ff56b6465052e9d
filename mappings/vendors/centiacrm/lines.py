"""The product lines of a centiaCRM opportunity: their tax is a fraction, yet they add up to the cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mappings.commands import OrderLine
from mappings.formats.money import rounded
from mappings.vendor import Ref
from mappings.writing.fields import FieldLedger
from mappings.writing.orders import Charge, apportioned, priced, product_key, tell_charge


def taxed(line: OrderLine, currency: str) -> bool:
    """Return whether the vendor can show the line's tax without changing it."""
    return _rate(apportioned(line.quantity, line.total, currency), line.tax, currency) > 0


def lines_of(ledger: FieldLedger, asked: tuple[Charge, ...], currency: str) -> list[dict[str, Any]]:
    """Return the lines of `asked`, whose totals sum exactly to those of the charges."""
    lines = []
    for charge in asked:
        tell_charge(ledger, charge, "opportunity.products", currency, described=False)
        ledger.tell(f"{charge.source}.sku", "opportunity.products", "mapped")
        pairs = priced(charge, currency)
        rate = _rate(pairs, charge.tax, currency)
        for pieces, price in pairs:
            net = pieces * price
            lines.append(
                {
                    "product_id": Ref("product", product_key(charge)),
                    "amount": pieces,
                    "price": price,
                    "tax": rate,
                    "total": net + rounded(net * rate, currency) if rate else net,
                }
            )
    return lines


def _rate(pairs: tuple[tuple[int, Decimal], ...], tax: Decimal, currency: str) -> Decimal:
    """Return the fraction that multiplies out to exactly `tax` over all `pairs`, 0 where there is none."""
    nets = [pieces * price for pieces, price in pairs]
    if sum(nets) <= 0:
        return Decimal(0)
    # "from 0.00 to 1.00" is all that is documented, so a third decimal might not survive.
    rate = (tax / sum(nets)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    exact = sum(rounded(net * rate, currency) for net in nets) == tax
    return rate if exact and 0 <= rate <= 1 else Decimal(0)
