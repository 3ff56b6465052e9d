"""The jobs that the conformance suite runs: what comes in, and what each CRM must hold in the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.engine.harness import ENVIRON
from worker.settings.configuration import load

VENDOR_OF = {name: connection.vendor for name, connection in load(ENVIRON).connections.items()}
FORM = (
    b"name=Nguy%E1%BB%85n+Lan&email=lan%40example.com&phone=0901234567&company=Hong+Nhung&message=Please+call"
    b"&budget=900"
)
ORDER = {
    "id": 5001,
    "name": "#1001",
    "currency": "EUR",
    "created_at": "2026-03-02T09:00:00+01:00",
    "updated_at": "2026-03-02T09:00:00+01:00",
    "financial_status": "pending",
    "email": "ana@example.com",
    "total_price": "36.85",
    "total_tax": "5.00",
    "customer": {"id": 9, "email": "ana@example.com", "first_name": "Ana", "last_name": "Garcia"},
    "line_items": [
        {
            "title": "Lamp",
            "sku": "LAMP-1",
            "quantity": 3,
            "price": "10.00",
            "discount_allocations": [{"amount": "3.15"}],
            "tax_lines": [{"price": "5.00"}],
        },
    ],
    "shipping_lines": [{"title": "Parcel", "price": "5.00"}],
}
EMAIL = {
    "FromFull": {"Email": "minh@example.com", "Name": "Tran Minh"},
    "From": "minh@example.com",
    "Subject": "The lamp is broken",
    "MessageID": "11111111-2222-4333-8444-555555555555",
    "Date": "Mon, 2 Mar 2026 11:00:00 +0700",
    "TextBody": "It does not switch on.",
}


@dataclass(frozen=True)
class Job:
    """One job at one vendor: `holds` is how many records of each kind it makes, `creates` are the calls that do."""

    name: str
    connection: str
    source: str
    body: bytes
    creates: tuple[str, ...]
    holds: dict[str, int]
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    about: str = ""

    @property
    def vendor(self) -> str:
        """The CRM's name in the sandbox."""
        return VENDOR_OF[self.connection]

    @property
    def record(self) -> str:
        """The kind of the record that the job is about: the last that it holds, unless `about` says else."""
        return self.about or list(self.holds)[-1]


URLENCODED = "application/x-www-form-urlencoded"
CREATED = {"x-shopify-topic": "orders/create"}
JOBS = (
    Job("lead", "opla", "website", FORM, ("lead_create",), {"lead": 1}, URLENCODED),
    Job(
        "order",
        "opla",
        "shop",
        json.dumps(ORDER).encode(),
        ("account_create", "contact_create", "product_upsert", "opportunity_create"),
        {"account": 1, "contact": 1, "product": 3, "opportunity": 1},
        headers=CREATED,
    ),
    Job("ticket", "opla", "inbox", json.dumps(EMAIL).encode(), ("lead_create",), {"lead": 1}),
    Job(
        "lead",
        "centia",
        "website",
        FORM,
        ("companies_create_company", "contacts_create_contact", "opportunities_create_opportunity"),
        {"company": 1, "contact": 1, "opportunity": 1},
        URLENCODED,
    ),
    Job(
        "order",
        "centia",
        "shop",
        json.dumps(ORDER).encode(),
        (
            "companies_create_company",
            "contacts_create_contact",
            "products_create_product",
            "opportunities_create_opportunity",
        ),
        {"company": 1, "contact": 1, "product": 3, "opportunity": 1},
        headers=CREATED,
    ),
    Job(
        "ticket",
        "centia",
        "inbox",
        json.dumps(EMAIL).encode(),
        ("companies_create_company", "contacts_create_contact", "tickets_create_ticket"),
        {"company": 1, "contact": 1, "ticket": 1},
    ),
    Job(
        "lead",
        "office",
        "website",
        FORM,
        (
            "company_create",
            "person_create",
            "contact_info_add",
            "tag_add",
            "contact_set_status",
            "history_add",
        ),
        {"company": 1, "person": 1, "contact_info": 2, "tag": 1, "history": 1},
        URLENCODED,
        about="person",
    ),
    Job(
        "order",
        "office",
        "shop",
        json.dumps(ORDER).encode(),
        ("person_create", "contact_info_add", "opportunity_create", "invoiceitem_create", "invoice_create"),
        {
            "person": 1,
            "contact_info": 1,
            "invoice_item": 3,
            "invoice": 1,
            "invoice_line": 3,
            "opportunity": 1,
        },
        headers=CREATED,
    ),
    Job(
        "ticket",
        "office",
        "inbox",
        json.dumps(EMAIL).encode(),
        ("person_create", "contact_info_add", "case_create", "history_add", "task_create"),
        {"person": 1, "contact_info": 1, "case": 1, "history": 1, "task": 1},
        about="case",
    ),
    Job("lead", "overplane", "website", FORM, ("lead_create",), {"lead": 1}, URLENCODED),
    Job(
        "order",
        "overplane",
        "shop",
        json.dumps(ORDER).encode(),
        ("customer_create", "item_create", "opportunity_create", "opportunity_item_create"),
        {"customer": 1, "item": 3, "opportunity": 1, "opportunity_item": 3},
        headers=CREATED,
        about="opportunity",
    ),
    Job("ticket", "overplane", "inbox", json.dumps(EMAIL).encode(), ("issue_create",), {"issue": 1}),
    Job("lead", "crmtop", "website", FORM, ("lead_create",), {"lead": 1}, URLENCODED),
    Job(
        "order",
        "crmtop",
        "shop",
        json.dumps(ORDER).encode(),
        ("customer_create", "contact_create", "product_create", "opportunity_create", "order_create"),
        {"customer": 1, "contact": 1, "product": 3, "opportunity": 1, "order": 1},
        headers=CREATED,
    ),
    Job(
        "ticket",
        "crmtop",
        "inbox",
        json.dumps(EMAIL).encode(),
        ("customer_create", "contact_create", "ticket_create"),
        {"customer": 1, "contact": 1, "ticket": 1},
    ),
)
#: Creates whose records are found by the vendor's database and not by an index that lags.
AT_ONCE = frozenset(
    "contact_info_add contact_set_status history_add opportunity_create case_create task_create"
    " invoice_create person_create".split()
)
#: Each call of each job that makes a record: the place where a fault strikes.
CREATES = tuple((job, create) for job in JOBS for create in job.creates)
