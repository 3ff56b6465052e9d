"""What the rig's senders send: leads, orders of two shops, and support e-mails, each with a token of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

#: How many customers the orders of one run share, unless a row wants one.
BUYERS = 5
_PRODUCTS = (("LAMP-1", "Lamp"), ("BULB-2", "Bulb"), ("CORD-3", "Cord"))


@dataclass(frozen=True, slots=True)
class Post:
    """One event as its sender posts it; `token` stands in every record that is the event's own."""

    number: int
    job: str
    source: str
    token: str
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def token_of(number: int) -> str:
    """Return the token of event `number`; none is a part of another."""
    return f"K{number:06}K"


def lead(number: int) -> Post:
    """Return a contact form; every fourth person writes for one of three companies."""
    token = token_of(number)
    form = {
        "name": f"Lead {token}",
        "email": f"{token.lower()}@example.com",
        "message": f"Please call me about {token}.",
    }
    if number % 4 == 0:
        form["company"] = f"Firm {number % 3}"
    return Post(
        number, "lead", "website", token, urlencode(form).encode(), "application/x-www-form-urlencoded"
    )


def shopify_order(number: int, buyers: int = BUYERS) -> Post:
    """Return an order of Shopify's with three products."""
    token, who = token_of(number), number % buyers
    order = {
        "id": 900_000_000 + number,
        "name": f"#{token}",
        "currency": "EUR",
        "created_at": "2026-03-02T09:00:00+01:00",
        "updated_at": "2026-03-02T09:00:00+01:00",
        "financial_status": "pending",
        "email": f"buyer{who}@example.com",
        "total_price": "33.00",
        "total_tax": "0.00",
        "customer": {
            "id": 70 + who,
            "email": f"buyer{who}@example.com",
            "first_name": "Buyer",
            "last_name": f"Number{who}",
        },
        "line_items": [
            {"title": name, "sku": sku, "quantity": 1, "price": "11.00"} for sku, name in _PRODUCTS
        ],
    }
    headers = {"x-shopify-topic": "orders/create", "x-shopify-webhook-id": f"webhook-{number}"}
    return Post(number, "order", "shop", token, _json(order), headers=headers)


def woo_order(number: int) -> Post:
    """Return an order of WooCommerce's for the same products, by customers of its own."""
    token, who = token_of(number), number % BUYERS
    order = {
        "id": 800_000_000 + number,
        "number": token,
        "status": "processing",
        "currency": "EUR",
        "date_created_gmt": "2026-03-02T08:00:00",
        "date_modified_gmt": "2026-03-02T08:00:00",
        "total": "33.00",
        "total_tax": "0.00",
        "billing": {"first_name": "Wanda", "last_name": f"Number{who}", "email": f"wanda{who}@example.com"},
        "line_items": [
            {"name": name, "sku": sku, "quantity": 1, "subtotal": "11.00", "total": "11.00"}
            for sku, name in _PRODUCTS
        ],
    }
    return Post(number, "order", "woo", token, _json(order), headers={"x-wc-webhook-topic": "order.created"})


def ticket(number: int) -> Post:
    """Return an e-mail to the support desk, by one of three people."""
    token, who = token_of(number), number % 3
    mail = {
        "FromFull": {"Email": f"tran{who}@example.com", "Name": f"Tran Number{who}"},
        "From": f"tran{who}@example.com",
        "Subject": f"Question {token}",
        "MessageID": f"11111111-2222-4333-8444-{number:012}",
        "Date": "Mon, 2 Mar 2026 11:00:00 +0700",
        "TextBody": f"It does not switch on. My number is {token}.",
    }
    return Post(number, "ticket", "inbox", token, _json(mail))


#: What comes in, in turn: from every source of the rig's configuration.
MIX: tuple[Callable[[int], Post], ...] = (lead, shopify_order, ticket, woo_order)


def mixed(number: int) -> Post:
    """Return event `number` of a load from all sources."""
    return MIX[number % len(MIX)](number)


def backlog(number: int) -> Post:
    """Return event `number` of a load of which a tenth goes to all CRMs, and the leads of one campaign to one."""
    if number % 10 == 0:
        return MIX[number // 10 % len(MIX)](number)
    return replace(lead(number), source="campaign")


def of_one_customer(number: int) -> Post:
    """Return event `number` of a load that is one customer's orders."""
    return shopify_order(number, buyers=1)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
