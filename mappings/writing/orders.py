"""What every vendor needs of an order: charges that add up, and products whose keys stay the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from mappings.commands import OrderLine, RecordOrder
from mappings.errors import CannotMap
from mappings.formats.keys import slug
from mappings.formats.money import minor_unit, written
from mappings.writing.fields import FieldLedger

_ZERO = Decimal(0)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing that an order asks money for: a line, or what comes on top of the lines.

    `source` is its path in the command. `total` is what it adds to the order's total, `tax` the part of that
    which is tax, `unit_price` the sender's price of one piece before any discount. `description` says in
    words what a whole number of pieces at a net price cannot: a fraction, a discount, a tax.
    """

    source: str
    sku: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    total: Decimal
    description: str
    tax: Decimal = _ZERO


def charges(
    order: RecordOrder, taxed: Callable[[OrderLine], bool] = lambda line: False
) -> tuple[Charge, ...]:
    """Return all that `order` charges for; the totals sum exactly to the order's.

    `taxed` says of which lines the vendor can show the tax: theirs is in their total, the rest is a charge of
    its own. So are shipping, the discount (negative) and, should the order not add up, the difference.
    """
    lines = tuple(_of_line(place, line, taxed(line), order) for place, line in enumerate(order.lines))
    rest = order.tax - sum((line.tax for line in lines), _ZERO)
    made = [
        *lines,
        _extra("shipping", "SHIPPING", "Shipping", order.shipping),
        _extra("tax", "TAX", "Tax", rest),
        _extra("discount", "DISCOUNT", "Discount", -order.discount),
    ]
    difference = order.total - sum((charge.total for charge in made), _ZERO)
    made.append(_extra("total", "DIFFERENCE", "Difference to the order's total", difference))
    return tuple(charge for charge in made if charge.total or charge.source.startswith("lines["))


def _extra(source: str, sku: str, name: str, amount: Decimal) -> Charge:
    # The product is shared by all orders, so its own price cannot be what this order happens to pay.
    return Charge(source, sku, name, _ONE, _ZERO, amount, name)


def _of_line(place: int, line: OrderLine, taxed: bool, order: RecordOrder) -> Charge:
    name = line.name or line.sku or "Item without a name"
    details = {
        "quantity": "" if _whole(line.quantity) else format(line.quantity.normalize(), "f"),
        "discount": written(line.discount, order.currency) if line.discount else "",
        "tax": written(line.tax, order.currency) if line.tax else "",
    }
    tax = line.tax if taxed else _ZERO
    return Charge(
        source=f"lines[{place}]",
        sku=line.sku.strip() or slug(name.casefold()),
        name=name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        total=line.total + tax,
        description=", ".join([name, *(f"{what} {amount}" for what, amount in details.items() if amount)]),
        tax=tax,
    )


def _whole(quantity: Decimal) -> bool:
    return quantity > 0 and quantity == quantity.to_integral_value()


def priced(charge: Charge, currency: str) -> tuple[tuple[int, Decimal], ...]:
    """Return (pieces, net price of one) pairs whose products sum exactly to the charge's total without tax.

    The prices are whole minor units of `currency`: 10.00 for 3 pieces are 2 at 3.33 and 1 at 3.34. A quantity
    that is no positive whole number, and a total finer than the minor unit, become one piece at the total.
    """
    return apportioned(charge.quantity, charge.total - charge.tax, currency)


def apportioned(quantity: Decimal, amount: Decimal, currency: str) -> tuple[tuple[int, Decimal], ...]:
    """Return (pieces, price of one) pairs that sum exactly to `amount`, as `priced` does."""
    unit = minor_unit(currency)
    if not _whole(quantity) or amount % unit:
        return ((1, amount),)
    pieces = int(quantity)
    sign = -1 if amount < 0 else 1
    each, over = divmod(int(abs(amount) / unit), pieces)
    pairs = ((pieces - over, each * unit * sign), (over, (each + 1) * unit * sign))
    return tuple(pair for pair in pairs if pair[0])


def tell_charge(ledger: FieldLedger, charge: Charge, target: str, currency: str, described: bool) -> None:
    """Put down what became of the fields behind `charge`, sent to `target` as `priced` says.

    `described` tells whether the vendor gets the charge's description too: only that holds a fraction.
    """
    if not charge.source.startswith("lines["):
        ledger.tell(
            charge.source, target, "mapped" if charge.total == ledger.peek(charge.source) else "converted"
        )
        return
    kept = all(price == charge.unit_price for _, price in priced(charge, currency))
    if _whole(charge.quantity):
        ledger.tell(f"{charge.source}.quantity", target, "mapped")
    elif described:
        ledger.tell(f"{charge.source}.quantity", target, "converted")
    if described:
        ledger.tell(f"{charge.source}.name", target, "mapped")
    ledger.tell(f"{charge.source}.unit_price", target, "mapped" if kept else "converted")
    for name in ("discount", "tax", "total"):
        ledger.tell(f"{charge.source}.{name}", target, "converted")


def written_lines(ledger: FieldLedger, asked: tuple[Charge, ...], currency: str, target: str) -> str:
    """Return the charges as text, a line each, for a vendor whose opportunities have no lines of their own."""
    rows = []
    for charge in asked:
        tell_charge(ledger, charge, target, currency, described=True)
        ledger.tell(f"{charge.source}.sku", target)
        quantity = format(charge.quantity.normalize(), "f")
        rows.append(
            f"{quantity} x {charge.sku} {charge.description}: {written(charge.total, currency)} {currency}"
        )
    return "\n".join(rows)


def product_key(charge: Charge) -> str:
    """Return what the product of `charge` is known by: its sku, in whose letters case matters."""
    return f"prod-{slug(charge.sku)}"


def products_of(ledger: FieldLedger, asked: tuple[Charge, ...], sku: str, price: str) -> dict[str, Charge]:
    """Return the first charge of every product by its key; `sku` and `price` are the vendor's words."""
    found: dict[str, Charge] = {}
    for charge in asked:
        if product_key(charge) not in found:
            found[product_key(charge)] = charge
            for field, target in (("sku", sku), ("name", "name"), ("unit_price", price)):
                ledger.tell(f"{charge.source}.{field}", f"product.{target}", "mapped")
    return found


def order_title(ledger: FieldLedger, target: str) -> str:
    """Return `Order #1070 [key]`, whether or not the sender writes the `#` itself."""
    written_with = str(ledger.peek("number")).startswith("#")
    return ledger.title(target, "Order " if written_with else "Order #", "number")


def refuse_foreign(ledger: FieldLedger, currency: str, target: str) -> None:
    """Raise CannotMap where `values.currency` is set and not `currency`: the amounts at `target` bear none."""
    ours = ledger.values.get("currency", "")
    if ours and ours != currency:
        raise CannotMap(
            "currency", f"{currency}, but the connection's amounts are {ours} and bear no currency"
        )
    if ours:
        ledger.tell("currency", target, "mapped")
