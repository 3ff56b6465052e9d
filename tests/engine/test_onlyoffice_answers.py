"""ONLYOFFICE's operations and answers: which calls there are, and what each form of answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from marshmallow import ValidationError

from mappings.instances import instance
from mappings.vendor import Named
from tests.engine.harness import ENVIRON
from worker.errors import (
    CredentialsRefused,
    DeliveryError,
    NotConfigured,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    VendorDown,
)
from worker.http import Http
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

OFFICE = VENDORS["onlyoffice"]
CONNECTION = load(ENVIRON).connections["office"]
OPERATIONS = """
auth_token people_self people_by_email opportunity_create opportunity_get opportunity_update
opportunity_delete opportunity_filter opportunity_by_contact opportunity_by_prefix opportunity_stage_list
opportunity_set_stage opportunity_add_contact contact_get contact_filter contact_by_contact_info person_create
company_create contact_info_add contact_info_batch contact_status_list contact_type_list contact_set_status
case_create case_filter case_close task_create task_category_list history_add history_category_list
customfield_definitions customfield_set tag_add currency_list invoiceitem_filter invoiceitem_create
invoice_create case_get case_update case_reopen task_filter task_close history_filter contact_info_list
invoice_filter invoice_by_entity tag_list
""".split()
LOGIN_PAGE = "<!DOCTYPE html><html><title>Sign in</title></html>"


def envelope(response: Any, status: int = 200) -> dict[str, Any]:
    return {"count": 1, "status": 0, "statusCode": status, "response": response}


def fault(status: int, message: str) -> dict[str, Any]:
    error = {"message": message, "hresult": -2147024809, "data": {}}
    return {"status": 1, "statusCode": status, "error": error}


def api(answer: Any) -> Api:
    return Api(OFFICE, CONNECTION, Http(httpx.MockTransport(answer)), Session(), lambda: None)


def exchange(operation: str, status: int, body: Any, headers: Mapping[str, str] | None = None) -> Any:
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    called = api(lambda _: httpx.Response(status, content=content, headers=headers))
    return called.exchange(operation, {"id": 1})


ANSWERS: dict[str, tuple[str, int, Any, type[DeliveryError]]] = {
    "401 in plain text": ("person_create", 401, "Unauthorized", CredentialsRefused),
    "bad argument": ("opportunity_create", 400, fault(400, "Value does not fall"), Rejected),
    "no right": ("invoiceitem_create", 403, fault(403, "Access denied."), Rejected),
    "no such record": ("opportunity_get", 404, fault(404, "The record could not be found"), Rejected),
    "no such record, no id": ("task_create", 404, fault(404, "Task category not found"), Rejected),
    "no such method": ("opportunity_by_prefix", 404, fault(404, "Method not found"), NotConfigured),
    "no such address": ("case_create", 404, "<html>Not Found</html>", NotConfigured),
    "a crash while making": ("person_create", 500, fault(500, "Object reference"), OutcomeUnknown),
    "a crash while reading": ("contact_filter", 500, fault(500, "Object reference"), VendorDown),
    "gateway": ("person_create", 502, "<html>Bad Gateway</html>", OutcomeUnknown),
    "outage": ("person_create", 503, "", OutcomeUnknown),
    "429": ("person_create", 429, "", RateLimited),
    "an error in a 200": ("person_create", 200, fault(500, "Object reference"), OutcomeUnknown),
    "a refusal in a 200": ("person_create", 200, fault(400, "Value does not fall"), Rejected),
    "login page": ("person_create", 200, LOGIN_PAGE, OutcomeUnknown),
    "no envelope": ("person_create", 201, {"id": 5}, OutcomeUnknown),
    "no envelope of a list": ("contact_filter", 200, [], VendorDown),
    "redirect": ("person_create", 302, "", OutcomeUnknown),
    "wrong password": ("auth_token", 500, fault(500, "User authentication failed"), CredentialsRefused),
    "wrong password, 401": ("auth_token", 401, "Unauthorized", CredentialsRefused),
    "login out of order": ("auth_token", 502, "<html>Bad Gateway</html>", VendorDown),
}


@pytest.mark.parametrize(("operation", "status", "body", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_means(operation: str, status: int, body: Any, expected: type[DeliveryError]) -> None:
    """Else a refusal is tried for a day, or what may have happened is done twice."""
    with pytest.raises(DeliveryError) as caught:
        exchange(operation, status, body)
    assert type(caught.value) is expected
    assert operation in str(caught.value)


def test_a_pause_that_is_asked_for_is_kept() -> None:
    """Else we knock on a portal that has shut us out: above its limit it answers 503, not 429."""
    with pytest.raises(RateLimited) as caught:
        exchange("person_create", 503, "", {"retry-after": "7"})
    assert caught.value.retry_after == timedelta(seconds=7)


def test_a_refusal_names_the_fields() -> None:
    """Else the operator has to guess what the portal did not like."""
    said = "Value does not fall within the expected range. Parameter name: stageid, title"
    with pytest.raises(Rejected) as caught:
        exchange("opportunity_create", 400, fault(400, said))
    assert set(caught.value.fields) == {"stageid", "title"}


def test_names_are_read_in_any_case() -> None:
    """Else an id is not found that the portal writes as ID, and the record is made again."""
    answered = exchange("opportunity_get", 200, envelope({"ID": 5, "Stage": {"SuccessProbability": 10}}))
    assert answered == {"id": 5, "stage": {"successprobability": 10}}


def test_a_token_lasts_as_long_as_the_portal_says_by_its_own_clock() -> None:
    """Else a clock that is off by an hour sends requests with a dead token, or logs in at every call."""
    until = {"token": "t", "expires": "2026-03-02T11:00:00.0000000+01:00"}
    given = {"date": "Mon, 02 Mar 2026 09:00:00 GMT"}
    assert exchange("auth_token", 201, envelope(until), given)["lasts"] == timedelta(hours=1)
    for silent in (None, "0001-01-01T00:00:00.0000000Z", "soon"):
        answer = envelope({"token": "t", "expires": silent})
        assert exchange("auth_token", 201, answer, given)["lasts"] is None


@pytest.mark.parametrize("factor", [{"sms": True, "phoneNoise": "+*21"}, {"tfa": True, "tfaKey": "A"}])
def test_a_second_factor_is_named(factor: dict[str, Any]) -> None:
    """Else workers log in for ever, and each time somebody gets a message with a code."""
    answer = json.dumps(envelope({"token": None, **factor}, 201))
    with pytest.raises(NotConfigured, match="two-factor"):
        api(lambda _: httpx.Response(201, text=answer)).call("currency_list")


def test_the_token_is_sent_bare() -> None:
    """Else every call is refused: the vendor's document shows the header without a scheme."""
    seen: list[httpx.Request] = []

    def portal(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        made = {"token": "abc", "expires": None} if request.url.path.endswith("authentication") else []
        return httpx.Response(200, json=envelope(made))

    api(portal).call("opportunity_get", {"id": 1})
    assert "authorization" not in seen[0].headers
    assert json.loads(seen[0].content) == {"userName": "relay@example.com", "password": "office-password"}
    assert seen[1].headers["authorization"] == "abc"


def test_people_are_known_by_e_mail() -> None:
    """Else opportunities belong to nobody, or the second owner of a configuration drives out the first."""
    people = {"nora@example.com": "n", "ivan@example.com": "i"}
    asked: list[str] = []

    def portal(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        email = request.url.params.get("email")
        if request.url.path.endswith("authentication"):
            return httpx.Response(201, json=envelope({"token": "abc"}))
        if request.url.path.endswith("@self"):
            return httpx.Response(200, json=envelope({"id": "s", "email": "relay@example.com"}))
        if email not in people:
            return httpx.Response(404, json=fault(404, "User not found"))
        return httpx.Response(200, json=envelope({"id": people[email], "email": email}))

    called = api(portal)
    for _ in range(2):
        for name, wanted in (*people.items(), ("@self", "s")):
            assert called.named(Named("users", name, "values.owner")) == wanted
    assert len(asked) == 1 + 3, "each is asked for once"
    with pytest.raises(NotConfigured, match=r"connections\.office\.values\.owner: no 'eva@example.com'"):
        called.named(Named("users", "eva@example.com", "values.owner"))


def test_every_operation_is_there() -> None:
    """Else a call that somebody configures or scripts does not exist."""
    assert sorted(OFFICE.operations) == sorted(OPERATIONS)
    for operation in OFFICE.operations.values():
        assert operation.path.startswith("/api/2.0/")
        assert operation.changes == (operation.verb != "GET" and operation.name != "auth_token")
        assert not operation.probe or operation.probe in OFFICE.operations


WRONG: dict[str, tuple[str, Any]] = {
    "opportunity_create": ("bidValue", "24.33"),
    "opportunity_update": ("bidType", 9),
    "opportunity_filter": ("contactid", "me"),
    "opportunity_set_stage": ("stageid", "won"),
    "contact_by_contact_info": ("data", ""),
    "person_create": ("shareType", 7),
    "company_create": ("personList", ["x"]),
    "contact_info_add": ("infoType", "Fax"),
    "contact_info_batch": ("items", [{"infoType": 99}]),
    "contact_set_status": ("contactStatusid", 1.5),
    "case_create": ("members", 5),
    "task_create": ("deadline", "2026-03-02T09:00:00.123456Z"),
    "task_filter": ("isClosed", "no"),
    "history_add": ("entityType", "contact"),
    "history_filter": ("fromDate", "yesterday"),
    "customfield_set": ("fieldValue", 5),
    "tag_add": ("tagName", None),
    "invoiceitem_create": ("price", "1"),
    "invoice_create": ("exchangeRate", "one"),
    "invoice_filter": ("count", "all"),
}


@pytest.mark.parametrize("operation", WRONG)
def test_a_request_of_a_wrong_type_is_refused_with_its_field(operation: str) -> None:
    """Else the portal refuses it, or takes six digits of a second for no date at all."""
    field, value = WRONG[operation]
    request = OFFICE.operations[operation].request
    assert request is not None
    with pytest.raises(ValidationError) as caught:
        instance(request).load({field: value}, partial=True)
    assert set(caught.value.normalized_messages()) == {field}
