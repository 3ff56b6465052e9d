"""A small client of the played Overplane, and one valid body for each create, written from its reference."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from sandbox.fields import Json
from sandbox.server import running
from sandbox.store import Store
from sandbox.vendor import Options

KEY = "sk_test_example"
OPPORTUNITY: Json = {
    "opportunity_from": "Lead",
    "company": "Example Corp",
    "transaction_date": "2026-03-01",
    "title": "Order 1",
    "utm_content": "shop-1",
}
# Kind -> path below /api and a valid body; "{x}" is filled with the id of a record made before.
OBJECTS: Mapping[str, tuple[str, Json]] = {
    "company": (
        "setup/company",
        {"company_name": "New Co", "abbr": "NC", "default_currency": "EUR", "country": "France"},
    ),
    "item_group": ("setup/item-group", {"item_group_name": "Furniture"}),
    "territory": ("setup/territory", {"territory_name": "Spain", "parent_territory": "All Territories"}),
    "customer_group": ("setup/customer-group", {"customer_group_name": "Schools"}),
    "sales_stage": ("crm/sales-stage", {"stage_name": "Signed"}),
    "opportunity_type": ("crm/opportunity-type", {"description": "Renewal"}),
    "opportunity_lost_reason": ("crm/opportunity-lost-reason", {"lost_reason": "Too late"}),
    "lead": ("crm/lead", {"lead_name": "Ann Roe", "email_id": "ann@example.com"}),
    "customer": ("crm/customer", {"customer_name": "Acme", "customer_group": "Commercial"}),
    "prospect": ("crm/prospect", {"company": "Example Corp", "company_name": "Acme Plans"}),
    "contact": ("core/contact", {"first_name": "Ann", "email_id": "ann@example.com"}),
    "item": ("stock/item", {"item_code": "CHAIR", "item_group": "Products", "stock_uom": "Nos"}),
    "issue": ("support/issue", {"subject": "Broken leg", "customer": "{customer}", "lead": "{lead}"}),
    "opportunity": ("crm/opportunity", {**OPPORTUNITY, "party_name": "{lead}"}),
    "opportunity_item": (
        "crm/opportunity-item",
        {"opportunity_id": "{opportunity}", "item_code": "CHAIR", "qty": 3, "rate": 19.99},
    ),
    "opportunity_lost_reason_detail": (
        "crm/opportunity-lost-reason-detail",
        {"opportunity_id": "{opportunity}", "lost_reason": "No budget"},
    ),
}
CHILDREN = ("opportunity_item", "opportunity_lost_reason_detail")


class Client:
    """Speaks to the played Overplane."""

    def __init__(self, http: httpx.Client) -> None:
        """Take a client whose base address is the sandbox."""
        self.http = http
        self.key = KEY
        self.ids: dict[str, str] = {}

    def send(self, verb: str, path: str, body: Json | None = None, **query: str) -> httpx.Response:
        """Send one request below /overplane/api/."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        params = query or None
        return self.http.request(verb, f"/overplane/api/{path}", json=body, params=params, headers=headers)

    def body(self, kind: str, **changes: object) -> Json:
        """Return a valid body of a create, with ids of records made before or else empty."""
        ids = defaultdict(str, self.ids)
        return {
            name: value.format_map(ids) if isinstance(value, str) else value
            for name, value in {**OBJECTS[kind][1], **changes}.items()
        }

    def create(self, kind: str, **changes: object) -> httpx.Response:
        """Try to create an object."""
        return self.send("POST", OBJECTS[kind][0], self.body(kind, **changes))

    def made(self, kind: str, **changes: object) -> Json:
        """Create an object, which has to succeed, and return it."""
        answer = self.create(kind, **changes)
        assert answer.status_code == 201, answer.text
        shown: Json = answer.json()
        self.ids[kind] = shown["id"]
        return shown

    def page(self, kind: str, **query: str) -> Json:
        """Return the answer of a list."""
        answer = self.send("GET", OBJECTS[kind][0], None, **query)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

    def prepare(self) -> None:
        """Create everything that bodies refer to, up to an opportunity."""
        for kind in ("lead", "customer", "item", "opportunity"):
            self.made(kind)


@contextmanager
def overplane(store: Store | None = None, /, **options: str | int) -> Iterator[Client]:
    """Serve an Overplane with the given options."""
    chosen: Options = {"overplane": {**options}}
    with (
        running({"overplane": {"token": KEY}}, chosen, store) as sandbox,
        httpx.Client(base_url=sandbox.url, timeout=60, verify=False) as http,
    ):
        yield Client(http)


def error(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the error code of a refusal in the default form."""
    return answer.status_code, answer.json()["error"]["code"]
