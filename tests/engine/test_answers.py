"""What each vendor's answers mean: every form of success and of failure becomes a value or one error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.harness import ENVIRON
from worker.errors import (
    CredentialsRefused,
    DeliveryError,
    NotConfigured,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Retry,
    VendorDown,
)
from worker.http import Http
from worker.http.retry_after import retry_after
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

SETTINGS = load(ENVIRON)
CONNECTION = {c.vendor: c for c in SETTINGS.connections.values()}
LOGIN_PAGE = "<!DOCTYPE html><html><title>Sign in</title></html>"
EMAIL, PHONE, TOKEN = "lan.nguyen@example.com", "+84 90 123 45 67", "sk7f9Qe2LmZ0aB"
OPLA, CENTIA = "oplacrm", "centiacrm"
READ = {OPLA: "account_list", CENTIA: "companies_get_companies"}
CHANGE = {OPLA: "account_create", CENTIA: "companies_create_company"}


def exchange(
    vendor: str,
    operation: str,
    status: int,
    body: Any,
    headers: Mapping[str, str] | None = None,
    path: Mapping[str, str] | None = None,
) -> Any:
    """Return what `operation` makes of the answer, or raise its error."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content, headers=headers))
    known = VENDORS[vendor]
    api = Api(known, CONNECTION[vendor], Http(transport), Session(), lambda: None)
    return api.exchange(operation, path or {})


def failed(vendor: str, operation: str, status: int, body: Any, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        exchange(vendor, operation, status, body, **more)
    return caught.value


#: Status and body → the error of a read and of a change, alike at every vendor.
ALIKE: dict[str, tuple[int, Any, type[DeliveryError], type[DeliveryError]]] = {
    "400": (400, {"message": ["email must be an email"]}, Rejected, Rejected),
    "401": (401, {"message": "Unauthorized"}, CredentialsRefused, CredentialsRefused),
    "403": (403, {"message": "Forbidden"}, Rejected, Rejected),
    "408": (408, "", VendorDown, OutcomeUnknown),
    "409": (409, {"message": "exists"}, VendorDown, OutcomeUnknown),
    "422": (422, {"errors": {"name": "is required"}}, Rejected, Rejected),
    "425": (425, "", VendorDown, OutcomeUnknown),
    "429": (429, "slow down", RateLimited, RateLimited),
    "500": (500, {"message": "Internal server error"}, VendorDown, OutcomeUnknown),
    "502": (502, "<html>Bad Gateway</html>", VendorDown, OutcomeUnknown),
    "503": (503, "", VendorDown, OutcomeUnknown),
    "504": (504, "", VendorDown, OutcomeUnknown),
    "599": (599, "", VendorDown, OutcomeUnknown),
    "302 to a login": (302, "", VendorDown, OutcomeUnknown),
    "login page": (200, LOGIN_PAGE, VendorDown, OutcomeUnknown),
    "nothing": (200, "", VendorDown, OutcomeUnknown),
    "204": (204, "", VendorDown, OutcomeUnknown),
    "garbage": (200, "\x00<<not json>>{", VendorDown, OutcomeUnknown),
    "half": (200, '{"id": 4, "na', VendorDown, OutcomeUnknown),
    "depth": (200, "[" * 100_000, VendorDown, OutcomeUnknown),
}


@pytest.mark.parametrize("vendor", [OPLA, CENTIA])
@pytest.mark.parametrize(("status", "body", "read", "change"), ALIKE.values(), ids=ALIKE)
def test_a_status_means_the_same_everywhere(
    vendor: str, status: int, body: Any, read: type[DeliveryError], change: type[DeliveryError]
) -> None:
    """Otherwise a gateway's 502 counts as nothing done, and the order is made a second time."""
    for operation, expected in ((READ[vendor], read), (CHANGE[vendor], change)):
        error = failed(vendor, operation, status, body)
        assert type(error) is expected
        assert operation in str(error), "the operator is not told which call it was"


@pytest.mark.parametrize("vendor", [OPLA, CENTIA])
@pytest.mark.parametrize("status", [401, 429, 400, 404])
def test_an_error_keeps_its_status(vendor: str, status: int) -> None:
    """Otherwise the operator cannot compare it with the vendor's own documents."""
    assert failed(vendor, CHANGE[vendor], status, {"message": "no"}).status == status


#: What only one vendor says: vendor, changes or not, status, body, and the error's class or the value.
OWN: dict[str, tuple[str, bool, int, Any, Any]] = {
    "opla list": (OPLA, False, 200, [{"id": "a"}], [{"id": "a"}]),
    "opla made": (OPLA, True, 201, {"id": "a"}, {"id": "a"}),
    "opla statusCode 200": (OPLA, True, 200, {"id": "a", "statusCode": 200}, {"id": "a", "statusCode": 200}),
    "opla refuses in a 200": (OPLA, True, 200, {"statusCode": 422, "message": ["name is empty"]}, Rejected),
    "opla fails in a 200": (OPLA, True, 200, {"statusCode": 500, "message": "oops"}, OutcomeUnknown),
    "opla fails in a read's 200": (OPLA, False, 200, {"statusCode": 500, "message": "oops"}, VendorDown),
    "opla success false": (OPLA, True, 200, {"success": False, "message": "oops"}, OutcomeUnknown),
    "opla read success false": (OPLA, False, 200, {"success": False}, VendorDown),
    "opla token in a 200": (
        OPLA,
        True,
        200,
        {"statusCode": 401, "message": "Unauthorized"},
        CredentialsRefused,
    ),
    "opla hurry in a 200": (OPLA, True, 200, {"statusCode": 429, "message": "Too many"}, RateLimited),
    "opla there already in a 200": (
        OPLA,
        True,
        200,
        {"statusCode": 409, "message": "exists"},
        OutcomeUnknown,
    ),
    "centia made": (
        CENTIA,
        True,
        200,
        {"success": True, "response": {"company": {"id": 7}}, "error": ""},
        {"company": {"id": 7}},
    ),
    "centia refuses": (CENTIA, True, 200, {"success": False, "error": "The name is required."}, Rejected),
    "centia refuses in Spanish": (
        CENTIA,
        True,
        200,
        {"success": False, "error": "El nombre es obligatorio"},
        Rejected,
    ),
    "centia token": (CENTIA, True, 200, {"success": False, "error": "Token expired"}, CredentialsRefused),
    "centia no reason": (CENTIA, True, 200, {"success": False}, OutcomeUnknown),
    "centia unknown reason": (
        CENTIA,
        True,
        200,
        {"success": False, "error": "SQLSTATE[40001]"},
        OutcomeUnknown,
    ),
    "centia read, unknown reason": (CENTIA, False, 200, {"success": False, "error": "SQLSTATE"}, VendorDown),
    "centia success in words": (CENTIA, True, 200, {"success": "true", "response": {}}, OutcomeUnknown),
    "centia without success": (CENTIA, True, 200, {"response": {"company": {"id": 7}}}, OutcomeUnknown),
    "centia read without success": (CENTIA, False, 200, {"response": {"companies": []}}, VendorDown),
    "centia without response": (CENTIA, True, 200, {"success": True}, OutcomeUnknown),
    "centia a list": (CENTIA, True, 200, [], OutcomeUnknown),
}


@pytest.mark.parametrize(("vendor", "changes", "status", "body", "expected"), OWN.values(), ids=OWN)
def test_success_is_the_vendors_own_word(
    vendor: str, changes: bool, status: int, body: Any, expected: Any
) -> None:
    """Otherwise a 200 that says failure counts as delivered and the order is nowhere."""
    operation = (CHANGE if changes else READ)[vendor]
    if isinstance(expected, type):
        assert type(failed(vendor, operation, status, body)) is expected
    else:
        assert exchange(vendor, operation, status, body) == expected


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("operation", ["account_create", "contact_list", "product_upsert"])
def test_a_path_that_no_document_states_names_its_key(status: int, operation: str) -> None:
    """Otherwise the operator learns that it does not work, and not which line of relay.toml mends it."""
    error = failed(OPLA, operation, status, {"message": "Cannot POST /api/public/x", "statusCode": status})
    assert isinstance(error, NotConfigured)
    assert f"paths.{operation}" in str(error)
    confirmed = failed(OPLA, "lead_create", status, "")
    assert isinstance(confirmed, NotConfigured)
    assert "base_url" in str(confirmed)


def test_a_verb_that_no_document_states_names_its_key() -> None:
    """Otherwise a tenant whose updates are PATCH has every paid order parked without a remedy."""
    error = failed(OPLA, "opportunity_update", 405, {"message": "Method Not Allowed"}, path={"id": "o1"})
    assert isinstance(error, NotConfigured)
    assert "verbs.opportunity_update" in str(error)


def test_a_record_that_is_gone_is_no_wrong_path() -> None:
    """Otherwise an opportunity that somebody deleted sends the operator to relay.toml."""
    error = failed(OPLA, "opportunity_update", 404, {"message": "Not found"}, path={"id": "o1"})
    assert type(error) is Rejected


def test_a_refusal_tells_which_fields() -> None:
    """Otherwise the operator has to guess what the vendor dislikes."""
    error = failed(OPLA, CHANGE[OPLA], 422, {"errors": {"name": "is too long", "phone": ["a", "b"]}})
    assert isinstance(error, Rejected)
    assert error.fields == {"name": "is too long", "phone": "a; b"}


PAUSES: dict[str, tuple[str, timedelta | None]] = {
    "seconds": ("120", timedelta(minutes=2)),
    "nought": ("0", timedelta(0)),
    "spaces": (" 7 ", timedelta(seconds=7)),
    "a year": ("31536000", timedelta(days=7)),
    "a date": ("Mon, 02 Mar 2026 12:00:30 GMT", timedelta(seconds=30)),
    "a date that is over": ("Mon, 02 Mar 2026 11:00:00 GMT", timedelta(0)),
    "a far date": ("Mon, 02 Mar 2099 12:00:00 GMT", timedelta(days=7)),
    "a date without a zone": ("Mon, 02 Mar 2026 12:00:30", None),
    "words": ("soon", None),
    "negative": ("-5", None),
    "a fraction": ("2.5", None),
    "empty": ("", None),
    "no end of digits": ("9" * 5000, None),
    "a zone beyond the world": ("Mon, 02 Mar 2026 12:00:30 +99999999999999999999", None),
}


@pytest.mark.parametrize(("text", "pause"), PAUSES.values(), ids=PAUSES)
def test_retry_after_is_seconds_or_a_date_by_the_vendors_clock(text: str, pause: timedelta | None) -> None:
    """Otherwise the connection hammers on, stands still for a year, or a header crashes the engine."""
    headers = {"retry-after": text, "date": "Mon, 02 Mar 2026 12:00:00 GMT"}
    found = retry_after(headers)
    assert found == pause or (pause is None and found == timedelta(days=7) and text.isdecimal())


def test_a_retry_after_date_needs_no_date_header() -> None:
    """Otherwise the pause of a vendor that tells no time is not kept."""
    until = format_datetime(datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5), usegmt=True)
    for headers in ({"retry-after": until}, {"retry-after": until, "date": "yesterday"}):
        found = retry_after(headers)
        assert found is not None
        assert timedelta(minutes=4) < found <= timedelta(minutes=5)


@given(text=st.text(max_size=40), date=st.text(max_size=40))
def test_no_header_crashes_the_reading(text: str, date: str) -> None:
    """Otherwise a vendor's odd header looks like a fault of ours, and the pause is not kept."""
    found = retry_after({"retry-after": text, "date": date})
    assert found is None or timedelta(0) <= found <= timedelta(days=7)


@pytest.mark.parametrize("vendor", [OPLA, CENTIA])
@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_reaches_the_error(vendor: str, status: int) -> None:
    """Otherwise the vendor's word is read and then forgotten."""
    for operation in (READ[vendor], CHANGE[vendor]):
        error = failed(vendor, operation, status, "", headers={"Retry-After": "42"})
        assert isinstance(error, Retry)
        assert error.retry_after == timedelta(seconds=42)


LEAKS: dict[str, Any] = {
    "echo of the body": {"message": "bad", "sent": {"email": EMAIL, "phone": PHONE, "token": TOKEN}},
    "complaints": {"message": [f"{EMAIL} is taken", f"phone {PHONE} is invalid", f"token={TOKEN} expired"]},
    "complaints by field": {"errors": {"email": f"{EMAIL} is taken", "phone": [PHONE], "api_key": "x"}},
    "error text": {"success": False, "error": f"invalid: {EMAIL}, {PHONE}, Bearer {TOKEN}"},
    "odd error": {"success": False, "error": f"SQLSTATE Duplicate entry '{EMAIL}' {PHONE} token: {TOKEN}"},
    "status code": {"statusCode": 422, "message": f"{EMAIL} {PHONE} Authorization: Bearer {TOKEN}"},
    "page": f"<pre>Error at {EMAIL} tel:{PHONE} Authorization: Bearer {TOKEN}</pre>",
    "far back": "x" * 295 + f" {EMAIL} {PHONE} token={TOKEN}",
    "address of the call": f"Cannot GET /public/accounts?external_id=acct-{EMAIL.replace('@', '%40')}",
    "token by its name": {"message": f"the token {TOKEN} is not valid", "success": False},
}


@pytest.mark.parametrize("vendor", [OPLA, CENTIA])
@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS)
def test_no_error_text_holds_personal_data_or_a_token(vendor: str, body: Any) -> None:
    """Otherwise customers' data and credentials stand in logs, in Sentry and on the operators' screens."""
    told = []
    for operation in (READ[vendor], CHANGE[vendor]):
        for status in (200, 400, 401, 404, 429, 500):
            try:
                exchange(vendor, operation, status, body)
            except DeliveryError as error:
                told.append(f"{status} {error} {getattr(error, 'fields', '')}")
    planted = (EMAIL, EMAIL.partition("@")[0], PHONE, PHONE[5:], TOKEN)
    assert [text for text in told if any(part in text for part in planted)] == []
