"""A small client of the played CRMTop and one valid body for each kind, written from the API reference."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from sandbox.server import running
from sandbox.store import Store

Json = dict[str, Any]

SECRETS = {"client_id": "relay", "client_secret": "s3cret"}
USER = "a1a1a1a1-0000-4000-8000-000000000001"
ORG_UNIT = "b2b2b2b2-0000-4000-8000-000000000001"
GROUP = "c3c3c3c3-0000-4000-8000-000000000002"
NOBODY = "12345678-1234-4234-8234-123456789012"
MOMENT = "2026-02-27T00:00:00+07:00"
OWNED: Json = {"ownerId": USER, "ownerName": "Minh", "orgUnitId": ORG_UNIT, "orgUnitName": "Kinh doanh"}

CUSTOMER: Json = {
    "code": "KH-1",
    "name": "Công ty An Bình",
    "type": 1,
    "taxCode": "0101234567",
    "groupId": GROUP,
    "phone": "0901234567",
    "email": "mua@example.com",
    **OWNED,
}
CONTACT: Json = {"code": "LH-1", "fullName": "Nguyễn An", "gender": 1, "email": "an@example.com"}
LEAD: Json = {
    "source": 1,
    "status": 1,
    "fullName": "Trần Bích",
    "email": "bich@example.com",
    "phone": "0907654321",
    "company": "Bích Co",
    "position": "CEO",
    "industry": 1,
    "rating": 1,
    "probability": 50,
    "notes": "từ web",
    "assignedTo": 0,
    **OWNED,
}
DEAL: Json = {"code": "CH-1", "name": "Bàn ghế", "amount": 1500000.5, "currency": "VND", "stage": 1}
ORDER: Json = {"code": "DH-1", "totalAmount": 100.0, "status": 1, "orderDate": MOMENT, "products": "2 x SP-1"}
PRODUCT: Json = {"code": "SP-1", "name": "Ghế", "groupId": 301, "unitId": 101, "retailPrice": 50.0}
ACTIVITY: Json = {"subject": "Gọi lại", "type": 1, "status": 1, "startTime": MOMENT, "isAllDay": False}
CAMPAIGN: Json = {"code": "CD-1", "name": "Hè", "type": 1, "status": 1, "startDate": MOMENT, **OWNED}
TICKET: Json = {
    "Code": "TK-1",
    "Subject": "Giao trễ",
    "Description": "Chưa nhận & chưa gọi + gấp",
    "TypeId": "205",
    "Priority": "2",
    "Status": "1",
    "Channel": "1",
}
MAKT: Json = {"Code": "MK-1", "Name": "Thư hè", "SendType": "1", "Status": "1", "AppointmentDate": MOMENT}


# The operations whose fields are query parameters.
IN_QUERY = (
    "maktemail_create maktemail_update maktzalo_create maktzalo_update "
    "ticket_create ticket_update ticket_send_comment"
).split()

# The path of a create, what is changed in its valid body, and the field that the error has to name.
WRONG: tuple[tuple[str, Json, str], ...] = (
    ("customer", {"name": 5}, "name"),
    ("customer", {"external_id": "x"}, "external_id"),
    ("customer", {"type": "1"}, "type"),
    ("customer", {"type": True}, "type"),
    ("customer", {"type": 21}, "type"),
    ("customer", {"groupId": ""}, "groupId"),
    ("customer", {"groupId": NOBODY}, "groupId"),
    ("customer", {"ownerId": GROUP}, "ownerId"),
    ("customer", {"orgUnitId": USER}, "orgUnitId"),
    ("contact", {"customerId": NOBODY}, "customerId"),
    ("contact", {"customerId": "00000000-0000-0000-0000-000000000000"}, "customerId"),
    ("contact", {"birthday": "2026-02-27"}, "birthday"),
    ("contact", {"birthday": "2026-02-27T00:00:00"}, "birthday"),
    ("contact", {"birthday": "27/02/2026"}, "birthday"),
    ("contact", {"status": 1}, "status"),
    ("contact", {"isPrimary": "true"}, "isPrimary"),
    ("lead", {"probability": 0.5}, "probability"),
    ("lead", {"probability": 2**31}, "probability"),
    ("opportunity", {"amount": "1500000"}, "amount"),
    ("opportunity", {"customerId": NOBODY}, "customerId"),
    ("opportunity", {"contactId": NOBODY}, "contactId"),
    ("opportunity", {"leadId": NOBODY}, "leadId"),
    ("order/crm", {"customerId": NOBODY}, "customerId"),
    ("order/crm", {"products": [{"productId": NOBODY}]}, "products"),
    ("product/crm", {"unitId": 201}, "unitId"),
    ("product/crm", {"groupId": 101}, "groupId"),
    ("activity", {"status": 5}, "status"),
    ("activity", {"primaryId": NOBODY}, "primaryId"),
)

# The same for the query of ticket/create.
WRONG_TICKET: tuple[tuple[Json, str], ...] = (
    ({"TypeId": "x"}, "typeId"),
    ({"TypeId": "9"}, "typeId"),
    ({"Status": "5"}, "status"),
    ({"CustomerId": "1"}, "customerId"),
    ({"OrderId": NOBODY}, "orderId"),
    ({"ProductId": NOBODY}, "productId"),
    ({"subject": "nhỏ"}, "parameter.subject"),
    ({"CreatedOn": "2026-02-27T00:00:00 07:00"}, "createdOn"),
)


def request_bodies(ids: dict[str, str]) -> dict[str, Json]:
    """Return a valid JSON body, or for multipart operations the query, by operation name."""
    makt = {**MAKT, "SegmentId": ids["segment"]}
    unit = {"productId": ids["product"], "unitId": 102, "unitName": "Hộp", "unitRate": 10.0}
    member = {"type": 1, "ids": [ids["contact"]]}
    return {
        "auth_get_token": {"clientId": SECRETS["client_id"], "clientSecret": SECRETS["client_secret"]},
        "activity_create": ACTIVITY,
        "campaign_create": CAMPAIGN,
        "contact_create": {**CONTACT, "customerId": ids["customer"]},
        "customer_create": CUSTOMER,
        "customer_group_create": {"name": "Mới", "note": ""},
        "lead_create": LEAD,
        "maktemail_create": {**makt, "Subject": "Hè", "Supplier": "1", "TemplateId": ids["template"]},
        "maktzalo_create": {**makt, "Channel": "1", "ZnsTemplatePrice": "200.5"},
        "opportunity_create": {**DEAL, "customerId": ids["customer"]},
        "order_create": {**ORDER, "customerId": ids["customer"]},
        "product_create": PRODUCT,
        "segment_create": {"name": "Mới", "description": ""},
        "template_create": {"type": 1, "name": "Mới", "content": ""},
        "ticket_create": TICKET,
        "ticket_type_create": {"name": "Khác", "note": ""},
        "ticket_send_comment": {"TicketId": ids["ticket"], "UserId": USER, "Message": "Chào"},
        "product_unit_create": {"name": "Lố", "note": ""},
        "product_multi_unit_save": {"units": [unit]},
        "order_approve": {"id": ids["order"], "approve": True, "note": "ok"},
        "order_print_8cm": {"ids": [ids["order"]]},
        "order_print_a4": {"ids": [ids["order"]]},
        "campaign_member_add": {**member, "campaignId": ids["campaign"]},
        "segment_member_add": {**member, "segmentId": ids["segment"], "maktReports": []},
        "segment_member_delete": {"segmentId": ids["segment"], "ids": [4000001]},
    }


def unfit(ids: dict[str, str]) -> tuple[tuple[str, Json], ...]:
    """Return filters of searches that exclude every record of the chain."""
    return (
        ("contact", {"customerId": NOBODY}),
        ("opportunity", {"customerId": ids["customer"], "contactId": NOBODY}),
        ("order/crm", {"customerId": ids["customer"], "approved": True}),
        ("order/crm", {"status": 2}),
        ("order/crm", {"fieldDate": "orderDate", "from": "2026-02-27T00:00:01+07:00"}),
        ("order/crm", {"fieldDate": "createdOn", "to": MOMENT}),
        ("order/crm", {"fieldDate": "dueDate", "from": MOMENT}),
        ("ticket", {"typeId": 201}),
        ("ticket", {"orderId": ids["order"]}),
        ("activity", {"subject": "gặp"}),
        ("campaign", {"status": 2}),
        ("template", {"type": 2}),
    )


class CrmTopClient:
    """Speaks to the played CRMTop with a valid token."""

    def __init__(self, http: httpx.Client) -> None:
        """Take a client whose base address is the sandbox, and log in."""
        self.http = http
        self.header = ""
        body = {"clientId": SECRETS["client_id"], "clientSecret": SECRETS["client_secret"]}
        self.tokens: Json = self.data("POST", "auth/get-token-for-develop", body)
        self.header = f"Bearer {self.tokens['accessToken']}"

    def send(self, verb: str, path: str, body: Json | None = None, **more: Any) -> httpx.Response:
        """Send one request below /crmtop/api/v1/."""
        headers = {"Authorization": self.header} if self.header else {}
        return self.http.request(verb, f"/crmtop/api/v1/{path}", json=body, headers=headers, **more)

    def data(self, verb: str, path: str, body: Json | None = None, **more: Any) -> Any:
        """Return the data of an answer, which has to be a success."""
        answer = self.send(verb, path, body, **more)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["success"], answer.json()["code"]) == (True, 200), answer.text
        return answer.json()["data"]

    def fails(self, verb: str, path: str, body: Json | None = None, **more: Any) -> Json:
        """Return the envelope of an answer that has to be a failure with HTTP 200."""
        answer = self.send(verb, path, body, **more)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["success"], answer.json()["data"]) == (False, None), answer.text
        envelope: Json = answer.json()
        return envelope

    def make(self, path: str, body: Json) -> Any:
        """Create a record with a JSON body and return its id."""
        return self.data("POST", f"{path}/create", body)

    def ticket(self, **fields: str) -> Any:
        """Create a ticket with its fields in the query and return its id."""
        return self.data("POST", "ticket/create", params={**TICKET, **fields})

    def found(self, path: str, **body: object) -> list[Json]:
        """Return the items of the first page of a search."""
        items: list[Json] = self.data("POST", f"{path}/search", body)["data"]
        return items

    def chain(self) -> dict[str, str]:
        """Create one record of each kind that others refer to and return their ids by kind."""
        ids = {"customer": self.make("customer", CUSTOMER), "lead": self.make("lead", LEAD)}
        of = {"customerId": ids["customer"]}
        ids["contact"] = self.make("contact", {**CONTACT, **of})
        both = {**of, "contactId": ids["contact"]}
        ids["opportunity"] = self.make("opportunity", {**DEAL, **both, "leadId": ids["lead"]})
        ids["product"] = self.make("product/crm", PRODUCT)
        ids["order"] = self.make("order/crm", {**ORDER, **of})
        ids["ticket"] = self.ticket(CustomerId=ids["customer"], ContactId=ids["contact"])
        ids["activity"] = self.make("activity", {**ACTIVITY, "primaryId": ids["lead"], "primaryType": 1})
        ids["campaign"] = self.make("campaign", CAMPAIGN)
        ids["segment"] = self.make("segment", {"name": "VIP", "description": ""})
        ids["template"] = self.make("template", {"type": 1, "name": "Chào", "content": "<p>Chào</p>"})
        return ids

    def count(self, kind: str) -> int:
        """Return how many records of a kind the sandbox holds."""
        params = {"vendor": "crmtop", "kind": kind}
        counted: int = self.http.get("/_sandbox/records", params=params).json()["count"]
        return counted


@contextmanager
def crmtop(store: Store | None = None, **options: str | int) -> Iterator[CrmTopClient]:
    """Serve a sandbox with these options and give a client that has logged in."""
    with (
        running({"crmtop": SECRETS}, {"crmtop": options}, store) as sandbox,
        httpx.Client(base_url=sandbox.url, timeout=60, verify=False) as http,
    ):
        yield CrmTopClient(http)
