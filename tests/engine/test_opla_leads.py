"""OplaCRM: a lead that is sent again is changed, and keeps what people have written into it meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.commands import Person, RegisterLead
from mappings.vendor import Account, CheckedValues
from mappings.vendors.oplacrm.schemas import Values
from sandbox.server import running
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ENVIRON, benched
from tests.engine.jobs import JOBS, ORDER
from worker.errors import NotConfigured, VendorDown
from worker.http import Http
from worker.ledger.tables import State
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

OPLA = VENDORS["oplacrm"]
ANA = Person(name="Ana Garcia", email="ana@example.com")
FIRST = RegisterLead("site-1", ANA, "Hello", attributes={"budget": "5000"})
AGAIN = replace(FIRST, person=replace(ANA, name="Ana García"), message="Hello again")
CUSTOM = {"lead": {"budget": "Budget"}}
BY_ID = {"lead_update": {"budget": "0c5e"}}


@pytest.fixture
def url() -> Iterator[str]:
    with running(CREDENTIALS) as sandbox:
        yield sandbox.url


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http()
    yield client
    client.close()


def api_of(http: Http, url: str, **values: Any) -> Api:
    connection = load({**ENVIRON, "RELAY_SANDBOX_URL": url}).connections["opla"]
    account = Account("opla", CheckedValues(Values().load(values)))
    return Api(OPLA, replace(connection, account=account), http, Session(), lambda: None)


def send_again(api: Api, record: str, custom: dict[str, dict[str, str]]) -> None:
    planned = OPLA.mapping.planners[RegisterLead](
        AGAIN, Account("opla", api.connection.account.values, custom)
    )
    update, changes = OPLA.kinds["lead"].update, planned.records[0].changes
    assert update is not None
    assert changes is not None
    update(api, record, changes)


def made(api: Api, custom: dict[str, dict[str, str]]) -> str:
    planned = OPLA.mapping.planners[RegisterLead](
        FIRST, Account("opla", api.connection.account.values, custom)
    )
    return str(api.call("lead_create", planned.records[0].body)["id"])


def test_a_lead_that_is_sent_again_keeps_what_people_made_of_it(http: Http, url: str) -> None:
    """Otherwise a second click on "send" takes the lead from the colleague who is calling."""
    api = api_of(http, url, owner="EMP-001", lead_status="New")
    record = made(api, {})
    by_hand = {
        "name": "Ana Garcia",
        "account_name": "Ana Garcia",
        "owner_id": "EMP-002",
        "lead_status": "Called",
    }
    api.call("lead_update", {"id": record, "custom_fields": [], **by_hand})
    send_again(api, record, {})
    (lead,) = api.each("lead_list", {"external_id": "site-1"})
    assert (lead["name"], lead["note"]) == ("Ana García", "Hello again\n\nbudget: 5000")
    assert (lead["owner_id"], lead["lead_status"], lead["external_id"]) == ("EMP-002", "Called", "site-1")


def test_custom_fields_that_an_update_may_empty_stop_it(http: Http, url: str) -> None:
    """Otherwise an update, which has no names for custom fields, silently empties what the form has filled."""
    api = api_of(http, url)
    record = made(api, CUSTOM)
    with pytest.raises(NotConfigured, match=r"custom_fields\.lead_update"):
        send_again(api, record, CUSTOM)
    send_again(api, record, CUSTOM | BY_ID)
    (lead,) = api.each("lead_list", {"external_id": "site-1"})
    assert lead["custom_fields"] == [{"field": "0c5e", "value": "5000"}]
    send_again(api_of(http, url, drop_lead_fields=True), record, CUSTOM)


def test_a_lead_that_the_list_does_not_show_is_not_written_blindly(http: Http, url: str) -> None:
    """Otherwise a search that lags behind makes the update empty all that is not restated."""
    with pytest.raises(VendorDown, match="lead_list"):
        send_again(api_of(http, url), "no-such-lead", {})


def test_an_order_of_nobody_is_taken(clock: Clock, sqlite_url: str, tmp_path: Path) -> None:
    """Otherwise each order without a customer is refused for a contact that has half a name."""
    job = next(job for job in JOBS if (job.vendor, job.name) == ("oplacrm", "order"))
    body = {k: v for k, v in ORDER.items() if k not in ("customer", "email")}
    with benched(clock, sqlite_url, tmp_path) as bench:
        for number in (1, 2):
            content = body | {"id": number, "name": f"#{number}"}
            delivery = bench.receive(
                "shop", json.dumps(content).encode(), headers=job.headers, to=job.connection
            )
            assert bench.attempt(delivery) == State.DELIVERED, bench.show(delivery)["reason"]
        assert bench.counts("oplacrm")["contact"] == 1


def test_an_unknown_name_parks_the_delivery_and_says_which_exist(
    clock: Clock, sqlite_url: str, tmp_path: Path
) -> None:
    """Otherwise a typing error in relay.toml is tried for a day, or makes records that belong to nobody."""
    with benched(clock, sqlite_url, tmp_path) as bench:
        opla = bench.engine.settings.connections["opla"]
        values = CheckedValues({**opla.account.values, **Values(partial=True).load({"owner": "Min Tran"})})
        wrong = replace(opla, account=replace(opla.account, values=values))
        known = {**bench.engine.settings.connections, "opla": wrong}
        bench.engine.__dict__["settings"] = replace(bench.engine.settings, connections=known)
        job = next(job for job in JOBS if (job.vendor, job.name) == ("oplacrm", "lead"))
        delivery = bench.receive(job.source, job.body, job.content_type, to="opla")
        assert bench.attempt(delivery) == State.FAILED
        row = bench.show(delivery)
        assert (row["error"], row["attempts"]) == ("NotConfigured", 1)
        assert "'Minh Tran', 'Lan Pham', 'Quang Le'" in row["reason"]
        assert bench.counts("oplacrm") == {}
