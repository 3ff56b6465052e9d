"""Orders of WooCommerce as the command for them: lines come without tax and after discounts, fees beside them.

Facts: woocommerce.github.io/woocommerce-rest-api-docs, "Orders" (version 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mappings.commands import OrderLine, OrderStatus, Person, RecordOrder
from mappings.errors import CannotMap
from mappings.families.order_totals import NOTHING, balanced, money
from mappings.formats.money import written
from mappings.reading.payloads import FINEST, load
from mappings.source import Event
from mappings.sources.woocommerce.payload import Order, details_of, meta_of, person_of, recipient_of, visible

#: States of what is no order yet: the checkout block writes one as soon as somebody opens the page.
DRAFTS = frozenset({"auto-draft", "checkout-draft", "draft"})
#: WooCommerce's own states; plugins add others.
CORE = frozenset("pending processing on-hold completed cancelled refunded failed trash".split())
#: Where the buyer came from, as WooCommerce's order attribution notes it, by our attribute.
ATTRIBUTION = {
    name: f"_wc_order_attribution_{name}"
    for name in "source_type utm_source utm_medium utm_campaign utm_content utm_term referrer".split()
}


def record_order(event: Event) -> Iterable[RecordOrder]:
    """Turn an order into the command for it as it stands now; nothing comes of a draft.

    The total stays what was ordered, whatever was refunded: a refund is in the status and in the attribute
    `refunded`. Raises CannotMap with the JSON path of a figure, date or currency that is missing or garbled.
    """
    yield from _recorded(event, event.payload, "")


def record_deletion(event: Event) -> Iterable[RecordOrder]:
    """Turn a deleted order, fetched from the shop's bin, into a cancelled one; raises CannotMap without it."""
    if "order" not in event.fetched:
        raise CannotMap("id", "a deleted order is only named: set api_token_env, so that it is fetched")
    yield from _recorded(event, event.fetched["order"], "deleted in the shop")


def refuse_error(payload: Any, what: str) -> None:
    """Raise CannotMap where the shop sent an error of its interface in the place of `what`."""
    if isinstance(payload, Mapping) and "id" not in payload and isinstance(payload.get("code"), str):
        why = f"the shop sent the error {payload['code'][:60]!r} instead of {what}"
        raise CannotMap("code", f"{why}: see that the user in the webhook's settings may read it")


def _recorded(event: Event, payload: Any, gone: str) -> Iterable[RecordOrder]:
    refuse_error(payload, "the order")
    order = load(Order, payload)
    if order["status"] in DRAFTS:
        return
    currency = order["currency"]
    tax, shipping, total = (money(order[n], currency) for n in ("total_tax", "shipping_total", "total"))
    lines, discount = balanced(
        [
            *(_line(line, currency) for line in order["line_items"]),
            *(_fee(fee, currency) for fee in order["fee_lines"]),
        ],
        total=total,
        besides=shipping + tax,
        discount=NOTHING,
        # A card takes off what there is to pay, not what the goods cost; some plugins leave the total alone.
        extras=[("Gift card", money(-card["amount"], currency)) for card in order["gift_cards"]],
    )
    meta = meta_of(order["meta_data"])
    billing, delivery = order["billing"], order["shipping"]
    region = event.options.get("default_region")
    buyer = person_of(billing, billing, delivery, region, meta.get("wpml_language", ""))
    yield RecordOrder(
        key=event.key,
        number=order["number"] or order["id"],
        status=_status(order),
        customer=buyer,
        currency=currency,
        total=total,
        tax=tax,
        shipping=shipping,
        discount=discount,
        lines=lines,
        placed_at=order["date_created_gmt"],
        reason=gone if order["status"] == "trash" else _reason(order),
        closed_at=_closed_at(order),
        attributes=_attributes(event, order, meta, buyer),
    )


def _reason(order: Mapping[str, Any]) -> str:
    failed = ["payment failed"] if order["status"] == "failed" else []
    return ", ".join(failed + [refund["reason"] for refund in order["refunds"] if refund["reason"]])


def _closed_at(order: dict[str, Any]) -> str:
    # Of a cancellation and of a refund the order has no time of its own.
    paid: str = order["date_paid_gmt"] or order["date_completed_gmt"]
    return paid if _status(order) is OrderStatus.PAID else ""


def _line(line: dict[str, Any], currency: str) -> OrderLine:
    # `price` is of one piece after discounts; what one cost before them is only in the subtotal.
    before = line["total"] if line["subtotal"] is None else line["subtotal"]
    pieces = line["quantity"] or Decimal(1)
    product = next(
        (f"{k}-{line[f'{k}_id']}" for k in ("variation", "product") if _is_id(line[f"{k}_id"])), ""
    )
    return OrderLine(
        sku=line["sku"] or (f"woocommerce-{product}" if product else ""),
        name=line["name"] or line["sku"],
        quantity=line["quantity"],
        unit_price=(before / pieces).quantize(FINEST, rounding=ROUND_HALF_UP) + NOTHING,
        discount=money(before - line["total"], currency),
        tax=money(line["total_tax"], currency),
        total=money(line["total"], currency),
    )


def _is_id(text: str) -> bool:
    return text not in ("", "0")


def _fee(fee: dict[str, Any], currency: str) -> OrderLine:
    amount = money(fee["total"], currency)
    return OrderLine(
        sku="",
        name=fee["name"] or "Fee",
        quantity=Decimal(1),
        unit_price=amount,
        discount=NOTHING,
        tax=money(fee["total_tax"], currency),
        total=amount,
    )


def _status(order: dict[str, Any]) -> OrderStatus:
    if order["status"] in ("cancelled", "trash"):
        return OrderStatus.CANCELLED
    if order["status"] == "refunded":
        return OrderStatus.REFUNDED
    # Not "processing", which an order to be paid on delivery is as well; plugins' own states tell nothing.
    is_paid = order["status"] == "completed" or bool(order["date_paid_gmt"] or order["date_paid"])
    return OrderStatus.PAID if is_paid and order["status"] != "failed" else OrderStatus.OPEN


def _attributes(
    event: Event, order: dict[str, Any], meta: dict[str, str], buyer: Person | None
) -> dict[str, str]:
    currency = order["currency"]
    back = sum((abs(refund["total"]) for refund in order["refunds"]), NOTHING)
    found = {
        "note": order["customer_note"],
        "discount_codes": ", ".join(coupon["code"] for coupon in order["coupon_lines"] if coupon["code"]),
        "payment_method": order["payment_method_title"],
        "sales_channel": order["created_via"],
        "shipping_method": ", ".join(s["method_title"] for s in order["shipping_lines"] if s["method_title"]),
        "order_status": "" if order["status"] in CORE else order["status"],
        "refunded": f"{written(back, currency)} {currency}" if back else "",
        "transaction_id": order["transaction_id"],
        "line_details": details_of(order["line_items"]),
        **recipient_of(order["shipping"], buyer),
    }
    named = {**ATTRIBUTION, **event.options.get("fields", {})}
    for name, key in named.items():
        found[name] = meta.get(str(key), "")
    found |= visible({key: value for key, value in meta.items() if key not in map(str, named.values())})
    return {name: value for name, value in found.items() if value}
