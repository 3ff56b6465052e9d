"""Small clients of the played vendors and of the control endpoints."""

import httpx

from tests.sandbox.sandbox_bodies import (
    ACCOUNT,
    COMPANY,
    CONTACT,
    CREDENTIALS,
    DEAL,
    GOOD,
    PERSON,
    PRODUCT,
    TICKET,
    TOKEN,
    Json,
)


class Opla:
    """Speaks to the played OplaCRM."""

    def __init__(self, http: httpx.Client) -> None:
        """Take a client whose base address is the sandbox."""
        self.http = http
        self.token = TOKEN

    def send(self, verb: str, path: str, body: Json | None = None, **query: str) -> httpx.Response:
        """Send one request below /oplacrm/api/public/."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.request(
            verb, f"/oplacrm/api/public/{path}", json=body, params=query, headers=headers
        )

    def made(self, path: str, body: Json) -> Json:
        """Create a record and return the answer, which has to be a success."""
        answer = self.send("POST", path, body)
        assert answer.status_code == 201, answer.text
        shown: Json = answer.json()
        return shown

    def prepare(self) -> None:
        """Create the account, contact and product that the opportunity names."""
        for path, body in (("accounts", ACCOUNT), ("contacts", CONTACT), ("products", PRODUCT)):
            self.made(path, body)


class Centia:
    """Speaks to the played centiaCRM."""

    def __init__(self, http: httpx.Client) -> None:
        """Take a client whose base address is the sandbox."""
        self.http = http
        self.token = ""

    def send(self, namespace: str, method: str, parameters: Json | None = None) -> httpx.Response:
        """Call one method and return the HTTP answer."""
        body: Json = (
            {"method": method} if parameters is None else {"method": method, "parameters": parameters}
        )
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.post(f"/centiacrm/api/v1/{namespace}", json=body, headers=headers)

    def call(self, namespace: str, method: str, parameters: Json | None = None) -> Json:
        """Call one method and return its response, which has to be a success."""
        answer = self.send(namespace, method, parameters)
        assert answer.json()["success"] is True, answer.text
        response: Json = answer.json()["response"]
        return response

    def error(self, namespace: str, method: str, parameters: Json | None = None) -> str:
        """Call one method that has to fail in the envelope and return the error text."""
        answer = self.send(namespace, method, parameters)
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is False, answer.text
        assert answer.json()["response"] is None
        text: str = answer.json()["error"]
        return text

    def login(self) -> None:
        """Get a token and use it from now on."""
        self.token = self.call("auth", "Login", dict(CREDENTIALS["centiacrm"]))["token"]

    def chain(self) -> tuple[Json, Json]:
        """Create company, contact and product; return valid parameters for an opportunity and a ticket."""
        company = self.call("companies", "CreateCompany", COMPANY)["company"]["id"]
        contact = self.call("contacts", "CreateContact", {**PERSON, "company_id": company})["contact"]["id"]
        product = self.call("products", "CreateProduct", GOOD)["product"]["id"]
        line = {
            "product_id": product,
            "amount": 2,
            "price": 99.9,
            "discount": 0,
            "tax": 0.16,
            "total": 231.77,
        }
        of = {"company_id": company, "contact_id": contact}
        return {**DEAL, **of, "products": [line]}, {**TICKET, **of}


def records(http: httpx.Client, **which: str) -> list[Json]:
    """Return what the sandbox holds, by its control endpoint."""
    found: list[Json] = http.get("/_sandbox/records", params=which).json()["records"]
    return found


def set_fault(http: httpx.Client, **fault: object) -> Json:
    """Set a fault and return its description."""
    answer = http.post("/_sandbox/faults", json=fault)
    assert answer.status_code == 201, answer.text
    shown: Json = answer.json()
    return shown
