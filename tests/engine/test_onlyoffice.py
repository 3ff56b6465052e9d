"""ONLYOFFICE's records after they were made, and a call of every operation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.commands import Comment, OpenTicket, Person, TicketStatus
from mappings.vendor import Account, CheckedValues, Plan
from mappings.vendors import VENDORS as MAPPINGS
from tests.conftest import Clock
from tests.engine.harness import Bench, benched
from tests.engine.jobs import CREATED, FORM, ORDER, URLENCODED
from worker.errors import DeliveryError, NotConfigured, Rejected
from worker.ledger.tables import State
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

OFFICE = "onlyoffice"
WON, LOST, CONTRACT = 106, 107, 104


@pytest.fixture(params=[{}], ids=["as documented"])
def bench(request: pytest.FixtureRequest, clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    with benched(clock, sqlite_url, tmp_path, options={OFFICE: request.param}) as bench:
        yield bench


def configured(bench: Bench, **values: Any) -> None:
    """Change values of the connection, as an operator would in relay.toml."""
    known = bench.engine.settings.connections["office"]
    account = replace(known.account, values=CheckedValues({**known.account.values, **values}))
    bench.engine.settings.connections["office"] = replace(known, account=account)  # type: ignore[index]


def order(bench: Bench, topic: str = "orders/create", **changes: Any) -> None:
    headers = CREATED | {"x-shopify-topic": topic}
    delivery = bench.receive("shop", json.dumps({**ORDER, **changes}).encode(), headers=headers, to="office")
    (row,) = bench.until_ended(delivery)
    assert row["state"] == State.DELIVERED, (row["error"], row["reason"])


def at_hour(hour: int) -> str:
    return f"2026-03-02T{hour}:00:00+01:00"


@pytest.fixture
def api(bench: Bench) -> Api:
    connection = bench.engine.settings.connections["office"]
    return Api(VENDORS[OFFICE], connection, bench.engine.http, Session(), lambda: None)


def shown(bench: Bench, api: Api, kind: str = "opportunity") -> dict[str, Any]:
    """Return the one record of `kind` as the portal shows it."""
    (record,) = bench.records(OFFICE, kind)
    content: dict[str, Any] = api.call(f"{kind}_get", {"id": record["id"]})
    return content


@pytest.mark.parametrize("bench", [{}, {"stage_from": "path"}, {"next_index": "exact"}], indirect=True)
def test_an_order_that_is_paid_is_won(bench: Bench, api: Api) -> None:
    """Else sales chases customers who have paid."""
    order(bench)
    order(bench, "orders/paid", financial_status="paid", updated_at=at_hour(10))
    won = shown(bench, api)
    assert (won["stage"]["id"], won["successprobability"]) == (WON, 100)
    assert not won["actualclosedate"].startswith("0001")
    assert str(won["bidvalue"]) == "36.85"


@pytest.mark.parametrize("bench", [{"half_done": "yes"}], indirect=True)
def test_an_opportunity_that_was_made_before_the_server_failed_is_taken(bench: Bench, api: Api) -> None:
    """Else every order has two opportunities on a portal that trips over its own access rights."""
    order(bench)
    made = shown(bench, api)
    assert made["title"] == "Order #1001 [shop-order-5001]"
    assert [member["id"] for member in made["members"]] == [made["contact"]["id"]]
    assert bench.counts(OFFICE)["invoice"] == 1


@pytest.mark.parametrize("bench", [{"two_factor": "sms"}], indirect=True)
def test_a_login_with_a_second_factor_ends_with_what_to_do(bench: Bench) -> None:
    """Else deliveries wait for ever and nobody is told."""
    delivery = bench.receive("shop", json.dumps(ORDER).encode(), headers=CREATED, to="office")
    (row,) = bench.until_ended(delivery)
    assert (row["state"], row["error"]) == (State.FAILED, "NotConfigured")
    assert "two-factor" in row["reason"]


def test_an_order_that_is_cancelled_is_lost_and_says_why(bench: Bench, api: Api) -> None:
    """Else the forecast counts what nobody will pay."""
    order(bench)
    gone = {"cancelled_at": at_hour(10), "cancel_reason": "inventory", "updated_at": at_hour(10)}
    order(bench, "orders/cancelled", **gone)
    assert shown(bench, api)["stage"]["id"] == LOST
    (event,) = bench.records(OFFICE, "history")
    assert "inventory" in event["body"]["content"]
    order(bench, "orders/updated", **gone | {"updated_at": at_hour(11)})
    assert bench.counts(OFFICE)["history"] == 1, "the reason is told once"


def test_an_order_that_is_paid_from_the_start_is_made_as_won(bench: Bench, api: Api) -> None:
    """Else a shop that sends paid orders only fills the first stage."""
    order(bench, financial_status="paid")
    won = shown(bench, api)
    assert (won["stage"]["id"], won["successprobability"]) == (WON, 100)


def test_an_update_keeps_what_people_have_done(bench: Bench, api: Api) -> None:
    """Else the next order update empties what sales has typed: the vendor replaces the whole record."""
    order(bench)
    (record,) = bench.records(OFFICE, "opportunity")
    colleague = api.call("person_create", {"firstName": "Eva", "lastName": ""})["id"]
    api.call("opportunity_add_contact", {"id": record["id"], "contactid": colleague})
    api.call("opportunity_set_stage", {"id": record["id"], "stageid": CONTRACT})
    before = shown(bench, api)
    changed = {"total_price": "46.85", "total_tax": "15.00", "updated_at": at_hour(10)}
    order(bench, "orders/updated", **changed)
    after = shown(bench, api)
    assert {name for name in before if before[name] != after[name]} == {"bidvalue", "description"}
    assert str(after["bidvalue"]) == "46.85"
    assert after["stage"]["id"] == CONTRACT
    assert colleague in [member["id"] for member in after["members"]]


def test_a_person_that_the_crm_knows_by_e_mail_is_not_made_again(bench: Bench, api: Api) -> None:
    """Else each of the customers that were there before has a double; parts of an address are no match."""
    for email in ("xana@example.com", "ANA@example.com"):
        person = api.call("person_create", {"firstName": email, "lastName": ""})["id"]
        info = {"infoType": 1, "data": email, "category": "Home", "isPrimary": True}
        api.call("contact_info_add", {"id": person, **info})
    configured(bench, lines="description")
    order(bench)
    assert bench.counts(OFFICE) == {"person": 2, "contact_info": 2, "opportunity": 1}
    assert shown(bench, api)["contact"]["id"] == person


def test_lines_as_an_invoice_come_to_the_total(bench: Bench, api: Api) -> None:
    """Else bookkeeping gets an invoice that differs from the shop's, or two of them."""
    for create in ("invoiceitem_create", "invoice_create"):
        bench.fault(vendor=OFFICE, operation=create, fault="drop_after", times=1)
    order(bench)
    order(bench, "orders/paid", financial_status="paid", updated_at=at_hour(10))
    (record,) = bench.records(OFFICE, "opportunity")
    path = {"entityType": "opportunity", "entityid": record["id"]}
    (invoice,) = api.each("invoice_by_entity", path)
    assert str(invoice["cost"]) == "36.85"
    assert bench.counts(OFFICE)["invoice_item"] == 3


def test_a_status_that_sales_has_given_stays(bench: Bench, api: Api) -> None:
    """Else a hot contact is warm again whenever they fill in a form."""
    for number, (expected, then) in enumerate((("Warm", 203), ("Hot", 203))):
        form = FORM + f"&attempt={number}".encode()
        (row,) = bench.until_ended(bench.receive("website", form, URLENCODED, to="office"))
        assert row["state"] == State.DELIVERED, (row["error"], row["reason"])
        person = api.call("contact_get", {"id": row["record_id"]})
        assert person["contactstatus"]["title"] == expected
        api.call("contact_set_status", {"id": row["record_id"], "contactStatusid": then})
    assert bench.counts(OFFICE)["history"] == 2


def test_a_ticket_lives_on(bench: Bench, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what was solved stays open, what was opened again stays closed, and comments are lost."""
    asked = OpenTicket(
        "mail-1",
        "Broken",
        "It broke.",
        Person("Ana", email="ana@example.com"),
        attributes={"date": at_hour(10)},
    )
    said = (Comment("1", "Ana", "Any news?"),)
    lives = [
        (replace(asked, status=TicketStatus.OPEN), False, 1),
        (replace(asked, status=TicketStatus.SOLVED, comments=said), True, 2),
        (replace(asked, status=TicketStatus.OPEN, comments=(*said, Comment("2", "Ana", "Again."))), False, 3),
    ]
    for hour, (ticket, closed, events) in enumerate(lives, 10):
        plan = planned(bench, ticket)
        monkeypatch.setattr("worker.planning.planned", lambda *_, plan=plan: [plan])
        email = {"FromFull": {"Email": "ana@example.com"}, "MessageID": f"m-{hour}", "Date": at_hour(hour)}
        (row,) = bench.until_ended(bench.receive("inbox", json.dumps(email).encode(), to="office"))
        assert row["state"] == State.DELIVERED, (row["error"], row["reason"])
        assert shown(bench, api, "case")["isclosed"] is closed
        assert bench.counts(OFFICE)["history"] == events


def planned(bench: Bench, ticket: OpenTicket) -> Any:
    account: Account = bench.engine.settings.connections["office"].account
    plan: Plan = MAPPINGS[OFFICE].planners[OpenTicket](ticket, account)
    return plan


@pytest.mark.parametrize("operation", sorted(VENDORS[OFFICE].operations))
def test_every_operation_reaches_a_method_of_the_portal(api: Api, operation: str) -> None:
    """Else a path or a verb is wrong, and only the one who needs it finds out."""
    known = VENDORS[OFFICE].operations[operation]
    values: dict[str, Any] = dict.fromkeys(known.path_names, 1) | {"entityId": 0}
    values |= {"entityType": "opportunity"} if "entityType" in known.path_names else {}
    said = ""
    try:
        api.call(operation, values if known.path_names else {})
    except (NotConfigured, Rejected) as error:
        said = str(error)
    except DeliveryError:
        pass  # it is there, and does not like what it was given
    assert "answered 405" not in said
    assert "Method not found" not in said


def test_who_typed_the_same_word_for_an_address_are_two_people(bench: Bench) -> None:
    """Otherwise two people who typed the same word for an address become one.

    The portal takes any text for an e-mail address: the second one's name and number were nowhere in it.
    """
    for name, phone in (("Ann One", "+14155550101"), ("Bob Two", "+14155550102")):
        form = json.dumps({"name": name, "email": "n/a", "phone": phone}).encode()
        (row,) = bench.until_ended(bench.receive("website", form, to="office"))
        assert row["state"] == State.DELIVERED, (row["error"], row["reason"])
    assert {person["body"]["lastName"] for person in bench.records(OFFICE, "person")} == {"One", "Two"}
    written = {info["body"]["data"] for info in bench.records(OFFICE, "contact_info")}
    assert written == {"+14155550101", "+14155550102"}
