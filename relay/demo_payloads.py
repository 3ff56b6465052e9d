"""What the demo's senders send; `run` makes each run's events new."""

from __future__ import annotations

from typing import Any

_ADDRESS = {
    "first_name": "Ana",
    "last_name": "García",
    "company": "Talleres García",
    "address1": "Calle Mayor 5",
    "city": "Sevilla",
    "zip": "41001",
    "country_code": "ES",
    "phone": "+34 954 000 000",
}
_LINES = [
    {
        "id": 1,
        "title": "Desk lamp",
        "sku": "LAMP-1",
        "quantity": 3,
        "price": "15.00",
        "discount_allocations": [{"amount": "4.19"}],
        "tax_lines": [{"price": "8.57", "rate": 0.21}],
    },
    {
        "id": 2,
        "title": "Bulb",
        "sku": "BULB-E27",
        "quantity": 2,
        "price": "7.50",
        "discount_allocations": [{"amount": "1.40"}],
        "tax_lines": [{"price": "2.86", "rate": 0.21}],
    },
]


def web_form(run: str) -> dict[str, str]:
    """Return the fields of a contact form."""
    return {
        "name": "Nguyễn Thị Lan",
        "email": f"lan.{run}@example.com",
        "phone": "090 123 4567",
        "company": "Hồng Nhung Trading",
        "message": "Could you call me about a quote for 40 chairs?",
        "budget": "under 2000",
        "consent": "on",
    }


def shop_order(run: str) -> dict[str, Any]:
    """Return an order of Shopify's orders/create: two lines, a code discount, shipping and tax."""
    return {
        "id": int(f"7{run}001"),
        "name": f"#{run}",
        "currency": "EUR",
        "created_at": "2026-03-02T10:15:00+01:00",
        "updated_at": "2026-03-02T10:15:01+01:00",
        "financial_status": "paid",
        "email": f"ana.{run}@example.com",
        "total_price": "70.81",
        "subtotal_price": "54.41",
        "total_tax": "11.50",
        "total_discounts": "5.59",
        "taxes_included": False,
        "customer": {
            "id": 811,
            "email": f"ana.{run}@example.com",
            "first_name": "Ana",
            "last_name": "García",
        },
        "billing_address": _ADDRESS,
        "line_items": _LINES,
        "shipping_lines": [{"title": "Parcel", "price": "4.90", "tax_lines": [{"price": "0.07"}]}],
    }


def inbound_email(run: str) -> dict[str, Any]:
    """Return an inbound e-mail as Postmark posts it."""
    return {
        "FromFull": {"Email": f"minh.{run}@example.com", "Name": "Trần Minh", "MailboxHash": ""},
        "From": f"minh.{run}@example.com",
        "To": "support@example.com",
        "Subject": f"Order #{run}: the lamp does not switch on",
        "MessageID": f"00000000-0000-4000-8000-{run:0>12}",
        "Date": "Mon, 2 Mar 2026 11:00:00 +0700",
        "TextBody": "Hello,\n\nthe lamp came today and does not switch on. What can I do?\n\nMinh\n",
        "HtmlBody": "",
        "Headers": [],
        "Attachments": [],
    }
