"""Tests the options of the played Overplane: what its API reference leaves open."""

import pytest

from sandbox.fields import Json
from tests.sandbox.overplane_client import KEY, OBJECTS, error, overplane
from tests.sandbox.sandbox_clients import records, set_fault


@pytest.mark.parametrize(("choice", "given"), [("100", 100), ("none", 101)])
def test_a_large_limit_may_be_cut_without_a_word(choice: str, given: int) -> None:
    """A client that steps by the limit it asked for would skip the records in between."""
    with overplane(largest_page=choice) as client:
        for number in range(101):
            client.made("contact", first_name=f"C{number}")
        page = client.page("contact", limit="500")
        assert (len(page["data"]), page["has_more"], page["total"]) == (given, given == 100, 101)


def test_a_party_may_have_to_be_named_by_its_display_name() -> None:
    """An account whose parties are named by display name could not be tried."""
    with overplane(party_name="name") as client:
        client.made("lead")
        assert client.create("opportunity").status_code == 400
        assert client.made("opportunity", party_name="Ann Roe")["customer_name"] == "Ann Roe"
        client.made("prospect")
        client.made("opportunity", opportunity_from="Prospect", party_name="Acme Plans")


@pytest.mark.parametrize(("choice", "by_name", "by_id"), [("name", 201, 400), ("id", 400, 201)])
def test_lists_may_be_referred_to_in_one_way_only(choice: str, by_name: int, by_id: int) -> None:
    """A configuration with names would fail at an account that wants ids, or the other way round."""
    with overplane(list_reference=choice) as client:
        client.made("lead")
        for company, stage, status in (
            ("Example Corp", "Qualification", by_name),
            ("company_101", "sales-stage_202", by_id),
        ):
            assert client.create("opportunity", company=company, sales_stage=stage).status_code == status


def test_a_line_may_be_free_text() -> None:
    """An account that takes lines without stock items could not be tried."""
    with overplane(item_code="free") as client:
        client.made("lead")
        client.made("opportunity")
        assert client.made("opportunity_item", item_code="SOFA")["item_code"] == "SOFA"
        body = {"opportunity_id": client.ids["opportunity"], "item_name": "Delivery"}
        assert client.send("POST", "crm/opportunity-item", body).json()["qty"] == 1


@pytest.mark.parametrize(
    ("option", "kind", "changes"),
    [
        ("lead_same_email", "lead", {"email_id": "bob@example.com"}),
        ("same_item_code", "item", {"item_code": "TABLE"}),
    ],
)
def test_a_second_object_with_the_same_key_may_be_refused(option: str, kind: str, changes: Json) -> None:
    """A 409 after a repeated create would be taken for a failure instead of a success before."""
    with overplane(**{option: "refuse"}) as client:
        first = client.made(kind)
        assert error(client.create(kind)) == (409, "conflict")
        second = client.made(kind, **changes)
        path = OBJECTS[kind][0]
        assert client.send("PATCH", f"{path}/{second['id']}", client.body(kind)).status_code == 409
        assert client.send("PATCH", f"{path}/{first['id']}", client.body(kind)).status_code == 200
        assert len(records(client.http, kind=kind)) == 2


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("error", '{"error": {"message": "There is no lead lead_1", "code": "not_found"}}'),
        ("message", '{"message": "There is no lead lead_1"}'),
        ("detail", '{"detail": "There is no lead lead_1"}'),
        ("text", "There is no lead lead_1"),
    ],
)
def test_errors_come_in_each_form_that_is_possible(choice: str, expected: str) -> None:
    """A client that reads one form of error only would show nothing, or break, at the others."""
    with overplane(error_format=choice) as client:
        missing = client.send("GET", "crm/lead/lead_1")
        assert (missing.status_code, missing.text) == (404, expected)
        set_fault(client.http, vendor="overplane", operation="lead_create", fault="success_false", times=1)
        failed = client.create("lead")
        assert (failed.status_code, "Unexpected error" in failed.text) == (200, True)
        assert records(client.http) == []


def test_status_codes_that_are_not_printed_can_be_chosen() -> None:
    """A client that waits for exactly 201 or 400 would take an answer for something else."""
    with overplane(create_status="200", invalid_status="422") as client:
        assert client.create("lead").status_code == 200
        assert error(client.create("issue", subject=1)) == (422, "validation_failed")
        assert error(client.create("prospect", company="Nobody")) == (422, "validation_failed")
        assert client.send("GET", "crm/lead", limit="x").status_code == 422


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
def test_verbs_that_are_not_printed_can_be_chosen(verb: str) -> None:
    """An account whose child objects listen to other verbs could not be tried."""
    with overplane(child_update_verb="PUT", reorder_verb=verb) as client:
        client.prepare()
        line = client.made("opportunity_item")
        path = "crm/opportunity-item"
        order = {"parent_id": client.ids["opportunity"], "ids": [line["id"]]}
        assert client.send(verb, f"{path}/reorder", order).status_code == 200
        assert client.send("POST", f"{path}/reorder", order).status_code == 404
        assert client.send("PUT", f"{path}/{line['id']}", {"qty": 1}).json()["amount"] == 19.99
        assert client.send("PATCH", f"{path}/{line['id']}", {"qty": 1}).status_code == 404


@pytest.mark.parametrize(
    ("option", "kind", "other"), [("lead_api", "lead", "customer"), ("issue_api", "issue", "lead")]
)
def test_an_account_may_lack_the_lead_or_issue_api(option: str, kind: str, other: str) -> None:
    """A delivery to an account without these objects would be repeated instead of being reported."""
    with overplane(**{option: "absent"}) as client:
        assert error(client.create(kind)) == (404, "not_found")
        assert error(client.send("GET", OBJECTS[kind][0])) == (404, "not_found")
        assert client.create(other).status_code == 201


def test_unknown_fields_may_be_ignored_and_unknown_paths_are_not_found() -> None:
    """A misspelt field or path would be noticed only at the real vendor."""
    with overplane(unknown_fields="ignore") as client:
        assert client.made("lead", colour="red")["lead_name"] == "Ann Roe"
        for verb, path in (("GET", "crm/leads"), ("PUT", "crm/lead/lead_1"), ("POST", "crm/c-r-m-settings")):
            assert error(client.send(verb, path)) == (404, "not_found")
        wrong = client.http.get("/overplane/crm/lead", headers={"Authorization": f"Bearer {KEY}"})
        assert wrong.status_code == 404
