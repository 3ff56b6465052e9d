"""How the amounts of Stripe's checkouts and invoices make an order that adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from mappings.commands import OrderLine, OrderStatus, RecordOrder
from mappings.errors import CannotMap
from mappings.families.order_totals import NOTHING, balanced
from mappings.reading.payloads import FINEST, Payload, load
from mappings.source import Event
from mappings.sources.stripe.amounts import in_units
from mappings.sources.stripe.attributes import of_checkout, of_invoice
from mappings.sources.stripe.payload import (
    Invoice,
    InvoiceLines,
    Session,
    SessionLines,
    Told,
    id_of,
    object_of,
    person_of,
)


def order_of(
    event: Event,
    currency: str,
    lines: list[OrderLine],
    *,
    total: Decimal,
    tax: Decimal,
    shipping: Decimal,
    discount: Decimal,
    attributes: dict[str, str],
    **others: Any,
) -> RecordOrder:
    """Return the order that amounts in minor units make; what the lines have taken off is no discount of it."""
    total, tax, shipping, discount = (in_units(a, currency) for a in (total, tax, shipping, discount))
    rest = discount - sum((line.discount for line in lines), NOTHING)
    all_lines, unallocated = balanced(lines, total=total, besides=shipping + tax, discount=rest, extras=[])
    return RecordOrder(
        key=event.key,
        currency=currency,
        total=total,
        tax=tax,
        shipping=shipping,
        discount=unallocated,
        lines=all_lines,
        attributes={name: value for name, value in attributes.items() if value},
        **others,
    )


def session_line_of(line: dict[str, Any], currency: str) -> OrderLine:
    """Return a line of a checkout."""
    return _line(
        line, line["price"], currency, line["amount_discount"], line["amount_tax"], line["amount_total"]
    )


def invoice_line_of(line: dict[str, Any], currency: str) -> OrderLine:
    """Return a line of an invoice, whichever of the two shapes its price and its taxes have."""
    taxes = line["taxes"] or line["tax_amounts"]
    tax = sum((each["amount"] for each in taxes), NOTHING)
    discount = sum((each["amount"] for each in line["discount_amounts"]), NOTHING)
    inside = sum((t["amount"] for t in taxes if t["inclusive"] or t["tax_behavior"] == "inclusive"), NOTHING)
    new, price = line["pricing"], dict(line["price"])
    price["product"] = price["product"] or new["price_details"]["product"]
    price["id"] = price["id"] or new["price_details"]["price"]
    if new["unit_amount_decimal"] is not None:
        price["unit_amount_decimal"] = new["unit_amount_decimal"]
    return _line(line, price, currency, discount, tax, line["amount"] - discount - inside + tax)


def _line(
    line: dict[str, Any],
    price: Mapping[str, Any],
    currency: str,
    discount: Decimal,
    tax: Decimal,
    gross: Decimal,
) -> OrderLine:
    each = price["unit_amount_decimal"] if price["unit_amount_decimal"] is not None else price["unit_amount"]
    if each is None:
        each = ((gross - tax + discount) / (line["quantity"] or 1)).quantize(FINEST)
    return OrderLine(
        sku=id_of(price["product"]) or price["id"],
        name=line["description"] or price["id"],
        quantity=line["quantity"],
        unit_price=in_units(each, currency),
        discount=in_units(discount, currency),
        tax=in_units(tax, currency),
        total=in_units(gross - tax, currency),
    )


def net_shipping(cost: dict[str, Any], otherwise: Decimal) -> Decimal:
    """Return shipping without its tax, in minor units; `otherwise` where Stripe does not take it apart."""
    return otherwise if cost["amount_total"] is None else Decimal(cost["amount_total"] - cost["amount_tax"])


#: `payment_status` of a checkout. An unpaid one waits for a bank: async_payment_succeeded or _failed follows.
PAYMENTS = {"paid": OrderStatus.PAID, "no_payment_required": OrderStatus.PAID}


def _page(schema: type[Payload], event: Event, name: str) -> list[dict[str, Any]]:
    page = load(schema, event.fetched.get(name), name)
    if page["has_more"]:
        raise CannotMap(f"{name}.has_more", "there are more than 100 lines, which no order of ours can hold")
    found: list[dict[str, Any]] = page["data"]
    return found


def record_checkout(event: Event) -> Iterable[RecordOrder]:
    """Turn a checkout into an order; one that only keeps a card for later (mode `setup`) asks for nothing.

    Raises CannotMap with the path of what is missing or garbled, in the event or in the fetched lines.
    """
    session = load(Session, object_of(event.payload), "data.object")
    if session["mode"] == "setup":
        return
    for name in ("currency", "amount_total"):
        if session[name] in ("", None):
            raise CannotMap(f"data.object.{name}", "is missing in a checkout that asks for money")
    currency = session["currency"]
    lines = [session_line_of(line, currency) for line in _page(SessionLines, event, "line_items")]
    failed = event.type == "checkout.session.async_payment_failed"
    status = OrderStatus.CANCELLED if failed else PAYMENTS.get(session["payment_status"], OrderStatus.OPEN)
    details = session["customer_details"]
    details["email"] = details["email"] or session["customer_email"]
    company, region = session["collected_information"]["business_name"], event.options.get("default_region")
    customer = person_of(details, region, company, session["locale"])
    yield order_of(
        event,
        currency,
        lines,
        number=id_of(session["invoice"]) or id_of(session["payment_intent"]) or session["id"],
        status=status,
        customer=customer,
        total=session["amount_total"],
        tax=session["total_details"]["amount_tax"],
        shipping=net_shipping(session["shipping_cost"], session["total_details"]["amount_shipping"]),
        discount=session["total_details"]["amount_discount"],
        placed_at=session["created"],
        reason="payment failed" if failed else "",
        # A checkout has no time of its payment; the event that tells of it was made at that moment.
        closed_at="" if status is OrderStatus.OPEN else load(Told, event.payload)["created"],
        attributes=of_checkout(session),
    )


def record_invoice(event: Event) -> Iterable[RecordOrder]:
    """Turn an invoice into an order: paid, or open where the payment failed, which Stripe may try again."""
    invoice = load(Invoice, object_of(event.payload), "data.object")
    lines = invoice["lines"]["data"]
    if invoice["lines"]["has_more"]:
        lines = _page(InvoiceLines, event, "lines")
    taxes = sum((tax["amount"] for tax in invoice["total_taxes"] or invoice["total_tax_amounts"]), NOTHING)
    failed = event.type == "invoice.payment_failed"
    customer = person_of(
        {name: invoice[f"customer_{name}"] for name in ("name", "email", "phone", "address")},
        event.options.get("default_region"),
    )
    yield order_of(
        event,
        invoice["currency"],
        [invoice_line_of(line, invoice["currency"]) for line in lines],
        number=invoice["number"] or invoice["id"],
        status=OrderStatus.OPEN if failed else OrderStatus.PAID,
        customer=customer,
        total=invoice["total"],
        tax=taxes if invoice["tax"] is None else invoice["tax"],
        shipping=net_shipping(invoice["shipping_cost"], NOTHING),
        discount=sum((each["amount"] for each in invoice["total_discount_amounts"]), NOTHING),
        placed_at=invoice["created"],
        reason="payment failed" if failed else "",
        closed_at="" if failed else invoice["status_transitions"]["paid_at"],
        attributes=of_invoice(invoice, failed),
    )
