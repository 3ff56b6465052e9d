"""What CRMTop's answers mean, its envelope and ASP.NET's own errors, and for how long its token lasts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

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

CONNECTION = load(ENVIRON).connections["crmtop"]
ID = "11111111-2222-4333-8444-555555555555"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def api(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Api:
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content, headers=headers))
    return Api(VENDORS["crmtop"], CONNECTION, Http(transport), Session(), lambda: None)


def envelope(success: Any = True, code: Any = 200, **more: Any) -> dict[str, Any]:
    return {
        "success": success,
        "code": code,
        "message": None,
        "data": None,
        "errors": None,
        "meta": None,
    } | more


def problem(status: int, **more: Any) -> dict[str, Any]:
    return {"type": "https://tools.ietf.org/html/rfc9110", "title": "Wrong", "status": status, **more}


#: Operation, HTTP status, body → what comes of it: a value or an error.
MEANINGS: dict[str, tuple[str, int, Any, Any]] = {
    "made": ("customer_create", 200, envelope(data=ID), ID),
    "made, said with 201": ("customer_create", 200, envelope(code=201, data=ID), ID),
    "done": ("ticket_delete", 200, envelope(data=True), True),
    "refused in a 200": ("customer_create", 200, envelope(False, 400), Rejected),
    "refused with 400 both times": ("customer_create", 400, envelope(False, 400), Rejected),
    "success with a code that is none": ("customer_create", 200, envelope(True, 400), Rejected),
    "token refused in a 200": ("customer_create", 200, envelope(False, 401), CredentialsRefused),
    "token refused, empty": ("customer_create", 401, "", CredentialsRefused),
    "not allowed": ("customer_create", 200, envelope(False, 403), Rejected),
    "too many in a 200": ("customer_create", 200, envelope(False, 429), RateLimited),
    "too many": ("customer_create", 429, "", RateLimited),
    "there already": ("customer_create", 200, envelope(False, 409), OutcomeUnknown),
    "failed in a 200": ("customer_create", 200, envelope(False, 500), OutcomeUnknown),
    "failed in a read's 200": ("customer_search", 200, envelope(False, 500), VendorDown),
    "no success and no code": ("customer_create", 200, envelope(False), OutcomeUnknown),
    "a code of their own": ("customer_create", 200, envelope(False, 1001), OutcomeUnknown),
    "success null": ("customer_create", 200, envelope(None), OutcomeUnknown),
    "success as text": ("customer_create", 200, envelope("true"), OutcomeUnknown),
    "success in a 500": ("customer_create", 500, envelope(data=ID), OutcomeUnknown),
    "the code goes before HTTP": ("customer_create", 500, envelope(False, 400), Rejected),
    "another answer": ("customer_create", 200, {"id": ID}, OutcomeUnknown),
    "an empty page written as null": (
        "customer_search",
        200,
        envelope(data={"currentPage": 1, "totalCount": 0, "data": None}),
        {"currentPage": 1, "totalCount": 0, "data": []},
    ),
    "a bare list": ("customer_search", 200, [], VendorDown),
    "a login page": ("customer_create", 200, "<html>Sign in</html>", OutcomeUnknown),
    "a gateway": ("customer_create", 502, "<html>Bad Gateway</html>", OutcomeUnknown),
    "problem details": ("customer_create", 400, problem(400, errors={"Code": ["is required"]}), Rejected),
    "a problem of the server": ("customer_create", 500, problem(500), OutcomeUnknown),
    "no such record": ("customer_update", 200, envelope(False, 404), Rejected),
    "no such record, as a problem": ("customer_update", 404, problem(404), Rejected),
    "no such path": ("customer_update", 404, "", NotConfigured),
    "no such verb": ("customer_update", 405, "", NotConfigured),
    "wrong secret": ("auth_get_token", 200, envelope(False, 401), CredentialsRefused),
    "wrong client": ("auth_get_token", 200, envelope(False, 400), CredentialsRefused),
    "wrong client, as a problem": ("auth_get_token", 404, problem(404), CredentialsRefused),
    "login asked too often": ("auth_get_token", 200, envelope(False, 429), RateLimited),
    "login failed": ("auth_get_token", 200, envelope(False, 500), VendorDown),
}


@pytest.mark.parametrize(("operation", "status", "body", "expected"), MEANINGS.values(), ids=MEANINGS)
def test_an_answer_means_what_the_vendor_says(operation: str, status: int, body: Any, expected: Any) -> None:
    """Otherwise a refusal in a 200 counts as made, or a gateway's 502 as not made."""
    values = {"id": ID}
    if not (isinstance(expected, type) and issubclass(expected, DeliveryError)):
        assert api(status, body).exchange(operation, values) == expected
        return
    with pytest.raises(DeliveryError) as caught:
        api(status, body).exchange(operation, values)
    assert type(caught.value) is expected
    assert operation in str(caught.value), "the operator is not told which call it was"


@pytest.mark.parametrize(
    "page", [{"data": None}, {"data": None, "totalCount": 3}, {"totalCount": 0, "data": "x"}]
)
def test_a_page_that_does_not_say_that_it_is_empty_is_no_empty_page(page: dict[str, Any]) -> None:
    """Otherwise a look-up that failed counts as "not there", and the record is made twice."""
    with pytest.raises((VendorDown, NotConfigured)):
        list(api(200, envelope(data=page)).each("customer_search", {}))


def test_a_refusal_names_the_fields() -> None:
    """Otherwise the operator reads "invalid data" and has to guess."""
    errors = {"code": ["already exists"], "phone": ["too short", "+84 90 123 45 67 is no phone"]}
    refused = envelope(False, 400, message="Dữ liệu không hợp lệ", errors=errors)
    with pytest.raises(Rejected) as caught:
        api(200, refused).exchange("customer_create", {})
    assert caught.value.fields == {"code": "already exists", "phone": "too short; <number> is no phone"}
    assert caught.value.status == 400
    with pytest.raises(Rejected) as caught:
        api(200, envelope(False, 400, message="Mã đã tồn tại")).exchange("customer_create", {})
    assert caught.value.fields == {"": "Mã đã tồn tại"}


@pytest.mark.parametrize("data", [None, True, "", "00000000-0000-0000-0000-000000000000", {}])
def test_what_is_no_id_is_no_id(data: Any) -> None:
    """Otherwise the all-zero id of the samples becomes the customer of every order."""
    assert VENDORS["crmtop"].kinds["customer"].record_id(data) is None
    assert VENDORS["crmtop"].kinds["customer"].record_id(ID) == ID


EPOCH = int(NOW.timestamp())
LIVES: dict[str, tuple[Any, timedelta | None]] = {
    "seconds": (3600, timedelta(hours=1)),
    "a point in time": (EPOCH + 600, timedelta(minutes=10)),
    "a point in time in milliseconds": ((EPOCH + 600) * 1000, timedelta(minutes=10)),
    "the sample's nought": (0, None),
    "over already": (EPOCH - 600, None),
    "beyond all calendars": (10**30, None),
    "null": (None, None),
    "text": ("3600", None),
    "true": (True, None),
}


@pytest.mark.parametrize(("expiration", "lasts"), LIVES.values(), ids=LIVES)
def test_a_token_lasts_as_long_as_expiration_says(expiration: Any, lasts: timedelta | None) -> None:
    """Otherwise each call logs in anew, or a dead token is used until the vendor refuses it."""
    data = {"accessToken": "t-1", "refreshToken": "r-1", "expiration": expiration}
    # By the vendor's clock: ours may be years away, as it is in this test.
    known = api(200, envelope(data=data), {"date": format_datetime(NOW, usegmt=True)})
    login = VENDORS["crmtop"].login
    assert login is not None
    token = login(known)
    assert (token.text, token.lasts) == ("t-1", lasts)


@pytest.mark.parametrize("data", [None, {}, {"accessToken": ""}, "t-1"])
def test_a_login_without_a_token_is_no_login(data: Any) -> None:
    """Otherwise every call goes out with an empty token, and is refused as if the secret were wrong."""
    login = VENDORS["crmtop"].login
    assert login is not None
    with pytest.raises(VendorDown):
        login(api(200, envelope(data=data)))


def page(**more: Any) -> dict[str, Any]:
    whole = {"currentPage": 1, "totalPages": 1, "totalCount": 1, "pageSize": 100}
    return envelope(
        data=whole | {"hasPreviousPage": False, "hasNextPage": False, "data": [{"id": ID}]} | more
    )


MISPLACED: dict[str, dict[str, Any]] = {
    "a page before the first": {"hasPreviousPage": True},
    "a count, but nothing": {"totalCount": 3, "data": []},
    "a later page": {"currentPage": 2},
}


@pytest.mark.parametrize("more", MISPLACED.values(), ids=MISPLACED)
def test_pages_that_are_counted_otherwise_are_noticed(more: Mapping[str, Any]) -> None:
    """Otherwise the vendor's first page is never read, and what stands on it is made a second time."""
    asked = {"pageNumber": 1, "pageSize": 100}
    with pytest.raises(NotConfigured, match=r"values\.first_page = 0"):
        api(200, page(**more)).exchange("customer_search", asked)
    assert api(200, page()).exchange("customer_search", asked)["data"] == [{"id": ID}]
    assert api(200, page(**more)).exchange("customer_search", {})["data"] is not None, (
        "nobody asked for a page"
    )
