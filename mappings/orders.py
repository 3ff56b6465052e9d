"""What every vendor needs of an order and its customer: charges that add up, and keys that stay the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256

from mappings.commands import OrderLine, Person, RecordOrder
from mappings.errors import CannotMap
from mappings.fields import FieldLedger
from mappings.money import minor_unit, written
from mappings.phones import to_e164

#: Leaves room for a prefix such as "acct-" within the 64 characters that a record's key may have.
_KEY_LENGTH = 58
_HASH_LENGTH = 10
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


def slug(name: str) -> str:
    """Return `name` as ASCII that is safe in a URL path, with a hash of it where anything was lost."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9._@+-]+", "-", bare).strip("-")
    if kept and kept == name and len(kept) <= _KEY_LENGTH:
        return kept
    mark = sha256(unicodedata.normalize("NFC", name).encode()).hexdigest()[:_HASH_LENGTH]
    return f"{kept[: _KEY_LENGTH - _HASH_LENGTH - 1]}-{mark}".lstrip("-")


def contact_key(person: Person) -> str | None:
    """Return what `person` is known by: the e-mail, else the phone where it is E.164, else None."""
    email = person.email.strip().casefold()
    if email:
        return slug(email)
    return person.phone if re.fullmatch(r"\+[0-9]{6,15}", person.phone) else None


def account_key(person: Person) -> str | None:
    """Return what the company of `person` is known by: its name in lower case, else its `contact_key`."""
    company = " ".join(person.company.casefold().split())
    return slug(company) if company else contact_key(person)


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


@dataclass(frozen=True, slots=True)
class Party:
    """The account and the contact that a command wants at a vendor.

    `name` is what to call the person, `company` is empty for a private one, `phone` is E.164 where it parses.
    A record that is not `shared` belongs to this command alone, because nothing tells its person from others.
    Of a stand-in for nobody in particular, `known` is false.
    """

    name: str
    company: str
    phone: str
    account_key: str
    contact_key: str
    account_shared: bool
    contact_shared: bool
    known: bool


def party_of(ledger: FieldLedger, stand_in: str = "") -> Party:
    """Return the party of the ledger's command, or the one named `stand_in` where the command names nobody.

    Phones without a country code are read as numbers of `values.default_region`. Raises CannotMap where there
    is neither a person nor a stand-in.
    """
    region = ledger.values.get("default_region")
    person = replace(ledger.person, phone=to_e164(ledger.person.phone, region) if ledger.person.phone else "")
    name = _called(person) or stand_in
    if not name:
        raise CannotMap("person", "no name, no company, no e-mail and no phone")
    # All orders of nobody in particular share one stand-in, or the CRM would fill with its copies.
    known = contact_key(person) if _called(person) else slug(name.casefold())
    account = account_key(person) or known
    own = slug(ledger.command.key)
    return Party(
        name=name,
        company=person.company,
        phone=person.phone,
        account_key=f"acct-{account or own}",
        contact_key=f"cont-{known or own}",
        account_shared=account is not None,
        contact_shared=known is not None,
        known=bool(_called(person)),
    )


def _called(person: Person) -> str:
    full = " ".join(part for part in (person.first_name, person.last_name) if part)
    return person.name or full or person.company or person.email or person.phone


def tell_name(ledger: FieldLedger, party: Party, target: str) -> str:
    """Return what to call the party's person, and put down which fields that came from."""
    person = ledger.person
    if not _called(person):
        ledger.setting("anonymous_customer", target)
        return party.name
    for part in ("name", "first_name", "last_name"):
        written_so = getattr(person, part)
        if written_so and written_so in party.name:
            ledger.tell(f"person.{part}", target, "mapped")
    for part in ("company", "email", "phone"):
        if party.name == getattr(person, part) and not (person.name or person.first_name or person.last_name):
            ledger.tell(f"person.{part}", target, "converted")
            break
    return party.name
