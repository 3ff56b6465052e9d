"""An order's lines as an invoice of its opportunity: the only lines that ONLYOFFICE has."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from mappings.commands import RecordOrder
from mappings.errors import CannotMap
from mappings.formats.money import decimals
from mappings.vendor import Record, Ref
from mappings.vendors.onlyoffice import schemas
from mappings.writing.fields import FieldLedger
from mappings.writing.orders import Charge, priced, product_key, products_of

#: Columns of invoices are decimal(10, 2).
_DECIMALS, _LARGEST = 2, Decimal("99999999.99")


def invoice_of(
    ledger: FieldLedger, order: RecordOrder, asked: tuple[Charge, ...], person: Record
) -> tuple[Record, ...]:
    """Return the items that the order is of, and the invoice with its lines, which come to the order's total.

    Raises CannotMap where an invoice cannot hold the order's amounts to the minor unit.
    """
    _refuse_unfit(order)
    charged = without_negatives(asked)
    items = _items(ledger, charged)
    if not items:
        return ()
    body = ledger.body(
        "invoice",
        schemas.InvoiceBody,
        number=order.key,
        issueDate=ledger.moment("invoice.issueDate", "placed_at").date().isoformat(),
        dueDate=ledger.deadline("invoice.dueDate", "close_days", "placed_at").isoformat(),
        contactId=Ref("person", person.key),
        entityId=Ref("opportunity", order.key),
        currency=ledger.take("currency", "invoice.currency"),
        purchaseOrderNumber=ledger.take("number", "invoice.purchaseOrderNumber"),
        description=ledger.take("number", "invoice.description"),
        invoiceLines=_lines(charged, order.currency),
    )
    ledger.tell("key", "invoice.number", "mapped")
    # A server that failed after making the opportunity has left it without members: then no invoice fits it.
    member = {"id": Ref("opportunity", order.key), "contactid": Ref("person", person.key)}
    return (
        *items,
        Record("member", f"{order.key}.{person.key}", member, {"opportunity": order.key}, shared=True),
        Record("invoice", order.key, body, {"number": order.key}),
    )


def _lines(charged: tuple[Charge, ...], currency: str) -> list[dict[str, Any]]:
    return [
        {
            "invoiceItemID": Ref("invoice_item", product_key(charge)),
            "description": charge.description,
            "quantity": Decimal(pieces),
            "price": price,
        }
        for charge in charged
        for pieces, price in priced(charge, currency)
    ]


def _items(ledger: FieldLedger, charged: tuple[Charge, ...]) -> tuple[Record, ...]:
    made = []
    for key, charge in products_of(ledger, charged, sku="sku", price="price").items():
        body = ledger.body(
            "invoice_item",
            schemas.InvoiceItemBody,
            title=charge.name,
            # The server refuses an item that costs nothing; shipping and tax have no price of their own.
            price=charge.unit_price if charge.unit_price > 0 else Decimal(1),
            sku=charge.sku,
            description=charge.name,
        )
        made.append(Record("invoice_item", key, body, {"sku": charge.sku}, shared=True))
    return tuple(made)


def without_negatives(asked: tuple[Charge, ...]) -> tuple[Charge, ...]:
    """Return `asked` without amounts below zero, which no line may have: they are taken off the largest ones.

    The total stays what it was. Raises CannotMap where that is below zero itself.
    """
    owed = -sum((charge.total for charge in asked if charge.total < 0), Decimal(0))
    kept = [charge for charge in asked if charge.total >= 0]
    for place in sorted(range(len(kept)), key=lambda n: -kept[n].total):
        taken = min(owed, kept[place].total)
        if taken:
            said = f"{kept[place].description}, less {taken} of what the order takes off"
            kept[place] = replace(kept[place], total=kept[place].total - taken, description=said)
            owed -= taken
    if owed:
        raise CannotMap("total", "below zero, which an invoice cannot be")
    return tuple(kept)


def _refuse_unfit(order: RecordOrder) -> None:
    if decimals(order.currency) > _DECIMALS or order.total > _LARGEST:
        raise CannotMap(
            "total",
            f"an invoice holds {_DECIMALS} decimals and at most {_LARGEST}; set values.lines to 'description'",
        )
