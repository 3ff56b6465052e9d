"""Overplane's registry: every operation of its reference is there, checked, and can be called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from marshmallow import ValidationError

from sandbox.server import Running, running
from tests.engine.harness import CREDENTIALS, ENVIRON
from worker.errors import DeliveryError, NotConfigured
from worker.http import Http
from worker.settings import ConnectionSettings
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

OPERATIONS = VENDORS["overplane"].operations
#: The page of the opportunity, its child objects included; then the pages of the other objects.
OPPORTUNITY = """
opportunity_get opportunity_list opportunity_create opportunity_update opportunity_delete
opportunity_item_list opportunity_item_create opportunity_item_update opportunity_item_delete
opportunity_item_reorder
opportunity_lost_reason_detail_list opportunity_lost_reason_detail_create
opportunity_lost_reason_detail_update opportunity_lost_reason_detail_delete
opportunity_lost_reason_detail_reorder
""".split()
OBJECTS = """
lead customer prospect sales_stage opportunity_type opportunity_lost_reason contact item company item_group
territory customer_group issue
""".split()
BEYOND = [f"{name}_{verb}" for name in OBJECTS for verb in "get list create update delete".split()]
PATHS = {
    "opportunity_get": ("GET", "/api/crm/opportunity/{id}"),
    "opportunity_list": ("GET", "/api/crm/opportunity"),
    "opportunity_create": ("POST", "/api/crm/opportunity"),
    "opportunity_update": ("PATCH", "/api/crm/opportunity/{id}"),
    "opportunity_delete": ("DELETE", "/api/crm/opportunity/{id}"),
    "opportunity_item_list": ("GET", "/api/crm/opportunity-item"),
    "opportunity_item_create": ("POST", "/api/crm/opportunity-item"),
    "opportunity_item_update": ("PATCH", "/api/crm/opportunity-item/{id}"),
    "opportunity_item_delete": ("DELETE", "/api/crm/opportunity-item/{id}"),
    "opportunity_item_reorder": ("POST", "/api/crm/opportunity-item/reorder"),
    "opportunity_lost_reason_detail_update": ("PATCH", "/api/crm/opportunity-lost-reason-detail/{id}"),
    "crm_settings_get": ("GET", "/api/crm/c-r-m-settings"),
    "contact_list": ("GET", "/api/core/contact"),
    "item_create": ("POST", "/api/stock/item"),
    "company_list": ("GET", "/api/setup/company"),
    "customer_group_delete": ("DELETE", "/api/setup/customer-group/{id}"),
    "issue_update": ("PATCH", "/api/support/issue/{id}"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(CREDENTIALS) as at:
        yield at


@pytest.fixture
def connection(sandbox: Running, tmp_path: Path) -> ConnectionSettings:
    environ = {**ENVIRON, "RELAY_SANDBOX_URL": sandbox.url, "RELAY_VAR": str(tmp_path)}
    return load(environ).connections["overplane"]


def api(connection: ConnectionSettings, http: Http | None = None) -> Api:
    return Api(VENDORS["overplane"], connection, http or Http(), Session(), lambda: None)


def test_every_operation_is_in_the_table() -> None:
    """Else the relay has not what the vendor has, and nobody notices."""
    assert sorted(OPERATIONS) == sorted([*OPPORTUNITY, *BEYOND, "crm_settings_get"])
    assert {name: (OPERATIONS[name].verb, OPERATIONS[name].path) for name in PATHS} == PATHS


def test_the_table_says_what_is_certain() -> None:
    """Else an operator trusts a verb that nobody has ever seen."""
    assert {name for name in OPERATIONS if OPERATIONS[name].confirmed} == set(OPPORTUNITY[:5])
    assert {name for name in OPERATIONS if OPERATIONS[name].unclear} == {
        "opportunity_item_reorder",
        "opportunity_lost_reason_detail_reorder",
    }
    for name, operation in OPERATIONS.items():
        assert operation.changes == (not name.endswith(("_get", "_list"))), name
        assert operation.repeatable == (name.rpartition("_")[2] in ("update", "delete", "reorder")), name
        assert not operation.changes or operation.probe in OPERATIONS, name


WRONG: Mapping[str, tuple[str, Any]] = {
    "opportunity_create": ("opportunity_amount", "12.50"),
    "opportunity_update": ("transaction_date", "02/03/2026"),
    "opportunity_list": ("limit", "many"),
    "opportunity_item_create": ("qty", True),
    "opportunity_item_update": ("idx", 1.5),
    "opportunity_item_list": ("parent_id", ""),
    "opportunity_item_reorder": ("ids", "opportunity-item_1"),
    "opportunity_lost_reason_detail_create": ("lost_reason", 7),
    "lead_create": ("disabled", "yes"),
    "customer_create": ("customer_name", 5),
    "item_update": ("standard_rate", "1"),
    "issue_create": ("opening_date", "today"),
    "company_update": ("is_group", 1),
    "contact_create": ("nickname", "Lan"),
    "territory_create": ("territory_name", None),
}


@pytest.mark.parametrize(("operation", "wrong"), WRONG.items(), ids=WRONG)
def test_an_input_of_a_wrong_type_is_refused_by_its_name(operation: str, wrong: tuple[str, Any]) -> None:
    """Else the vendor gets it, and answers in a form that it does not document."""
    schema = OPERATIONS[operation].request
    assert schema is not None
    field, value = wrong
    with pytest.raises(ValidationError) as refused:
        schema().load({field: value})
    assert field in refused.value.messages_dict


def test_a_create_demands_what_the_document_demands_and_an_update_nothing() -> None:
    """Else a call fails at the vendor that could have been refused here, or a change cannot be small."""
    demanded = {
        "opportunity": {"opportunity_from", "party_name", "company", "transaction_date"},
        "opportunity_item": {"opportunity_id"},
        "lead": set(),
        "customer": {"customer_name"},
        "prospect": {"company"},
        "item": {"item_code", "item_group", "stock_uom"},
        "company": {"company_name", "abbr", "default_currency", "country"},
        "issue": {"subject"},
        "item_group": {"item_group_name"},
    }
    for name, fields in demanded.items():
        create, update = OPERATIONS[f"{name}_create"].request, OPERATIONS[f"{name}_update"].request
        assert create is not None
        assert update is not None
        assert {f for f, field in create().fields.items() if field.required} == fields
        assert set(create().fields) == set(update().fields)
        assert update().load({}) == {}


@pytest.mark.parametrize("name", [name for name in OPERATIONS if not OPERATIONS[name].unclear])
def test_every_operation_reaches_the_account(
    sandbox: Running, connection: ConnectionSettings, name: str
) -> None:
    """Else a path or a verb is wrong, and shows on the day on which somebody needs it."""
    told: list[tuple[int, str]] = []

    class Heard(Http):
        def send(self, request: Any, seconds: float) -> Any:
            answer = super().send(request, seconds)
            told.append((answer.status, answer.body.decode()))
            return answer

    http = Heard()
    with suppress(DeliveryError):
        api(connection, http).call(name, {"id": "none_1"} if "{id}" in OPERATIONS[name].path else {})
    http.close()
    ((status, said),) = told
    assert status != 405
    assert "No route" not in said
    with httpx.Client(base_url=f"{sandbox.url}/_sandbox", trust_env=False, verify=False) as control:
        assert control.get("/requests").json()["requests"][-1]["operation"] == name


def test_what_nobody_knows_waits_for_relay_toml(connection: ConnectionSettings) -> None:
    """Else a guess reorders, or does who knows what to, a customer's lines."""
    with pytest.raises(NotConfigured, match=r"paths\.opportunity_item_reorder"):
        api(connection).call("opportunity_item_reorder", {"parent_id": "opportunity_1", "ids": []})


def test_a_list_is_read_to_its_end(connection: ConnectionSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a record on the second page is not found, and made again."""
    asked: list[Mapping[str, Any]] = []

    def answered(name: str, values: Mapping[str, Any]) -> Any:
        asked.append(values)
        number = int(values["offset"])
        # Two at a time, whatever was asked for: the vendor states no largest page.
        return {"data": [{"id": f"lead_{number + n}"} for n in (1, 2)], "has_more": number < 4, "total": 6}

    reader = api(connection)
    monkeypatch.setattr(reader, "call", answered)
    assert [item["id"] for item in reader.each("lead_list")] == [f"lead_{n}" for n in range(1, 7)]
    assert asked == [{"limit": 100, "offset": offset} for offset in (0, 2, 4)]
