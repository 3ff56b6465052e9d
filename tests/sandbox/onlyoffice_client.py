"""A small client of the played ONLYOFFICE and the bodies it sends, written by hand from the document."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from sandbox.server import running
from sandbox.store import Store

Json = dict[str, Any]

LOGIN = {"email": "relay@example.com", "password": "secret"}
CREDENTIALS = {"onlyoffice": LOGIN}
MANAGER = "a1b2c3d4-0000-4000-8000-000000000002"

PERSON: Json = {
    "firstName": "Eva",
    "lastName": "Stone",
    "jobTitle": "Buyer",
    "about": "Order 7",
    "shareType": 1,
}
COMPANY: Json = {"companyName": "Acme Ltd", "about": "", "shareType": 1}
DEAL: Json = {
    "title": "Order 1001 [EXT:ord-1]",
    "description": "Two chairs",
    "responsibleid": MANAGER,
    "bidType": 0,
    "bidValue": 199.9,
    "bidCurrencyAbbr": "usd",
    "perPeriodValue": 0,
    "stageid": 101,
    "successProbability": 40,
    "expectedCloseDate": "2026-12-31",
    "isPrivate": False,
    "isNotify": False,
}
CASE: Json = {"title": "Ticket 5 [EXT:t-5]"}
TASK: Json = {"title": "Call back", "deadline": "2026-12-01T10:00:00Z", "categoryId": 401}
ITEM: Json = {"title": "Chair", "price": 50, "sku": "CH-1"}
INVOICE: Json = {
    "number": "INV-1",
    "issueDate": "2026-11-01",
    "dueDate": "2026-12-01",
    "currency": "EUR",
    "exchangeRate": 1,
    "terms": "Net 30",
    "language": "en-US",
}


class Office:
    """Speaks to the played ONLYOFFICE."""

    def __init__(self, http: httpx.Client) -> None:
        """Take a client whose base address is the sandbox."""
        self.http = http
        self.authorization = ""

    def send(self, verb: str, path: str, body: Json | None = None, **query: object) -> httpx.Response:
        """Send one request below /onlyoffice/api/2.0/."""
        headers = {"Accept": "application/json"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        given = {name: str(value) for name, value in query.items()}
        return self.http.request(
            verb, f"/onlyoffice/api/2.0/{path}", json=body, params=given, headers=headers
        )

    def crm(self, verb: str, path: str, body: Json | None = None, **query: object) -> Any:
        """Send one request below crm/ that has to succeed, and return its response."""
        answer = self.send(verb, f"crm/{path}", body, **query)
        expected = 201 if verb == "POST" else 200
        envelope = answer.json()
        assert (answer.status_code, envelope["status"], envelope["statusCode"]) == (expected, 0, expected), (
            answer.text
        )
        return envelope["response"]

    def refused(self, verb: str, path: str, body: Json | None = None, **query: object) -> tuple[int, str]:
        """Send one request below crm/ that has to fail in the envelope; return status and message."""
        answer = self.send(verb, f"crm/{path}", body, **query)
        envelope = answer.json()
        assert (envelope["status"], envelope["statusCode"]) == (1, answer.status_code), answer.text
        assert isinstance(envelope["error"]["hresult"], int)
        assert envelope["error"]["data"] == {}
        return answer.status_code, envelope["error"]["message"]

    def login(self) -> Json:
        """Get a token, use it from now on and return the whole response."""
        body = {"userName": LOGIN["email"], "password": LOGIN["password"]}
        answer = self.send("POST", "authentication", body)
        assert answer.status_code == 201, answer.text
        response: Json = answer.json()["response"]
        self.authorization = response["token"] or ""
        return response

    def made(self, path: str, body: Json) -> int:
        """Create a record and return its id."""
        created: int = self.crm("POST", path, body)["id"]
        return created

    def kept(self, kind: str) -> list[Json]:
        """Return what the sandbox holds of a kind."""
        answer = self.http.get("/_sandbox/records", params={"vendor": "onlyoffice", "kind": kind})
        found: list[Json] = answer.json()["records"]
        return found


@contextmanager
def playing(store: Store | None = None, **options: str | int) -> Iterator[Office]:
    """Serve a sandbox with these options of ONLYOFFICE, and give a client that has logged in."""
    chosen = {"onlyoffice": options}
    with (
        running(CREDENTIALS, chosen, store) as sandbox,
        httpx.Client(base_url=sandbox.url, timeout=60, verify=False) as client,
    ):
        office = Office(client)
        office.login()
        yield office
