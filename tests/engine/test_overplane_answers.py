"""What Overplane's answers mean: it documents no error, so success is what looks like its own objects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.test_answers import LEAKS, LOGIN_PAGE, exchange, failed
from worker.errors import (
    CredentialsRefused,
    DeliveryError,
    NotConfigured,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    VendorDown,
)

MADE = {"id": "lead_abc123", "created_at": "2024-01-15T09:30:00Z"}
PAGE = {"data": [MADE], "has_more": False, "total": 1}
NO_OBJECT: dict[str, Any] = {
    "error in a 200": {"error": {"message": "Unexpected error", "code": "internal_error"}},
    "message in a 200": {"message": "Unexpected error"},
    "detail in a 200": {"detail": "Unexpected error"},
    "an object with an error": {"id": "lead_abc123", "error": "not saved"},
    "an object without an id": {"created_at": "2024-01-15T09:30:00Z"},
    "a bare list": [MADE],
    "a text": '"ok"',
    "no more than true": "true",
    "not deleted": {"id": "lead_abc123", "deleted": False},
    "a login page": LOGIN_PAGE,
    "nothing": "",
}


@pytest.mark.parametrize(
    ("operation", "status", "body"),
    [
        ("lead_list", 200, PAGE),
        ("lead_list", 200, {"data": [], "has_more": False, "total": 0}),
        ("lead_create", 201, MADE),
        ("lead_create", 200, MADE),
        ("crm_settings_get", 200, {"id": "c-r-m-settings_1", "auto_creation_of_contact": True}),
    ],
)
def test_what_the_document_shows_is_a_success(operation: str, status: int, body: Any) -> None:
    """Else what was made counts as failed, and is looked for again and again."""
    assert exchange("overplane", operation, status, body) == body


def test_a_deletion_is_confirmed() -> None:
    """Else a line that is gone is deleted for ever."""
    gone = {"id": "opportunity-item_1", "deleted": True}
    path = {"id": "opportunity-item_1"}
    assert exchange("overplane", "opportunity_item_delete", 200, gone, path=path) == gone


@pytest.mark.parametrize("body", NO_OBJECT.values(), ids=NO_OBJECT)
def test_a_200_without_an_object_is_no_success(body: Any) -> None:
    """Else a gateway's error page in a 200 counts as a lead that was made."""
    assert type(failed("overplane", "lead_create", 200, body)) is OutcomeUnknown
    assert type(failed("overplane", "lead_list", 200, body)) is VendorDown


STATUSES: dict[str, tuple[int, type[DeliveryError], type[DeliveryError]]] = {
    "400": (400, Rejected, Rejected),
    "401": (401, CredentialsRefused, CredentialsRefused),
    "403": (403, Rejected, Rejected),
    "409, as for a second lead of one e-mail": (409, VendorDown, OutcomeUnknown),
    "422": (422, Rejected, Rejected),
    "429": (429, RateLimited, RateLimited),
    "500": (500, VendorDown, OutcomeUnknown),
    "503": (503, VendorDown, OutcomeUnknown),
}


@pytest.mark.parametrize(("status", "read", "change"), STATUSES.values(), ids=STATUSES)
@pytest.mark.parametrize(
    "body",
    [{"error": {"message": "no", "code": "x"}}, {"message": "no"}, {"detail": "no"}, "no"],
    ids=["error", "message", "detail", "text"],
)
def test_a_status_means_the_same_in_every_format(
    status: int, read: type[DeliveryError], change: type[DeliveryError], body: Any
) -> None:
    """Else it depends on an undocumented format whether an order is made twice."""
    assert type(failed("overplane", "opportunity_list", status, body)) is read
    assert type(failed("overplane", "opportunity_create", status, body)) is change


@pytest.mark.parametrize("wrap", [lambda said: {"error": {"message": said, "code": "invalid_request"}},
                                  lambda said: {"message": said}, lambda said: {"detail": said}])  # fmt: skip
def test_a_refusal_tells_what_the_vendor_said(wrap: Any) -> None:
    """Else the operator learns that it was refused, and not what is wrong."""
    error = failed("overplane", "opportunity_create", 400, wrap("company: there is no company X"))
    assert isinstance(error, Rejected)
    assert error.fields == {"": "company: there is no company X"}


@pytest.mark.parametrize(
    ("operation", "remedy"),
    [
        ("lead_create", 'values.lead_as = "opportunity"'),
        ("lead_list", 'values.lead_as = "opportunity"'),
        ("issue_create", 'values.tickets = "opportunity"'),
        ("item_list", 'values.items = "free"'),
        ("customer_create", "paths.customer_create"),
        ("opportunity_create", "base_url"),
    ],
)
def test_a_path_that_the_account_lacks_names_its_remedy(operation: str, remedy: str) -> None:
    """Else leads wait although opportunities would do, and nobody knows which line mends it."""
    error = failed("overplane", operation, 404, {"message": "No route"})
    assert isinstance(error, NotConfigured)
    assert remedy in str(error)
    assert error.status == 404


def test_a_record_that_is_gone_is_no_missing_api() -> None:
    """Else one lead that somebody deleted sends the operator to relay.toml."""
    for operation in ("lead_update", "issue_update", "opportunity_update"):
        assert type(failed("overplane", operation, 404, {"message": "gone"}, path={"id": "x"})) is Rejected


@pytest.mark.parametrize("body", LEAKS.values(), ids=LEAKS)
def test_no_error_text_holds_personal_data_or_a_token(body: Any) -> None:
    """Else customers' data and credentials stand in logs and on the operators' screens."""
    for status in (200, 400, 404, 500):
        error = failed("overplane", "customer_create", status, body)
        said = f"{error} {getattr(error, 'fields', '')}"
        assert not [part for part in ("lan.nguyen", "123 45 67", "sk7f9Qe2LmZ0aB") if part in said]
