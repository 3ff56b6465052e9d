"""Commands for CRMTop, and what its tests ask of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mappings.commands import (
    Address,
    Attachment,
    Command,
    OpenTicket,
    OrderLine,
    OrderStatus,
    Person,
    RecordOrder,
    RegisterLead,
)
from mappings.vendor import Account, Plan, Record, Ref
from mappings.vendors import VENDORS

D = Decimal

CRMTOP = VENDORS["crmtop"]
OWNER = "a1a1a1a1-0000-4000-8000-000000000001"
LAN = Person(
    name="Nguyễn Lan",
    email="Lan@example.vn",
    phone="0901234567",
    address=Address(street="1 Lê Lợi", city="Huế", country="VN"),
)
TEA = OrderLine("A-1", "Tea", D(3), D("4.00"), D("2.00"), D("1.60"), D("10.00"))
CUP = OrderLine("B-2", "Cup", D(1), D("7.50"), D(0), D("1.23"), D("7.50"))
ORDER = RecordOrder(
    key="shop-order-9",
    number="#1070",
    status=OrderStatus.OPEN,
    customer=LAN,
    currency="USD",
    total=D("24.33"),
    tax=D("2.83"),
    shipping=D("5.00"),
    discount=D("1.00"),
    lines=(TEA, CUP),
    placed_at="2026-03-02T23:15:00-05:00",
)
LEAD = RegisterLead("site-1", LAN, "Xin gọi lại", "contact", attributes={"budget": "900"})
TICKET = OpenTicket(
    "mail-1", "Broken", "It broke.", LAN, "High", "email", "1070", (Attachment("a.png", "image/png", 5),)
)
CUSTOMER_KEY = "acct-lan@example.vn"
CONTACT_KEY = "cont-lan@example.vn"
REACHED = {"email": "Lan@example.vn", "phone": "+84901234567", "digits": "901234567"}
PARTY = {
    "customerId": Ref("customer", CUSTOMER_KEY),
    "customerName": "Nguyễn Lan",
    "contactId": Ref("contact", CONTACT_KEY),
    "contactName": "Nguyễn Lan",
}


def plan(command: Command, **values: Any) -> Plan:
    values = {"default_region": "VN", **values}
    return CRMTOP.planners[type(command)](command, Account("crmtop", values))


def record(planned: Plan, kind: str) -> Record:
    (found,) = (record for record in planned.records if record.kind == kind)
    return found


def told(planned: Plan) -> set[str]:
    return {f"{row.source} > {row.target} {row.outcome}" for row in planned.fields}


def line(sku: str, name: str, pieces: int, price: str, total: str, note: str) -> Mapping[str, Any]:
    return {
        "productId": Ref("product", f"prod-{sku}"),
        "productCode": sku,
        "productName": name,
        "quantity": pieces,
        "price": D(price),
        "totalAmount": D(total),
        "currency": "USD",
        "note": note,
    }
