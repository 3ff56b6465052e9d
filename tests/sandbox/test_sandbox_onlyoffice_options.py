"""Tests pages, the lagging index, the options and the faults of the played ONLYOFFICE, and its other records."""

import pytest

from sandbox.store import Store
from tests.sandbox.onlyoffice_client import (
    CASE,
    COMPANY,
    DEAL,
    INVOICE,
    ITEM,
    PERSON,
    TASK,
    Json,
    Office,
    playing,
)


def test_pages_lead_to_the_end_and_next_index_passes_over_one() -> None:
    """A client that follows nextIndex would miss one record on every page and create it again."""
    with playing() as office:
        ids = [office.made("opportunity", {**DEAL, "title": f"Order {number}"}) for number in range(5)]
        first = office.send("GET", "crm/opportunity/filter", count=2).json()
        assert [one["id"] for one in first["response"]] == ids[:2]
        assert (first["count"], first["total"], first["nextIndex"]) == (2, 5, 3)
        assert "startIndex" not in first
        last = office.send("GET", "crm/opportunity/filter", count=2, startIndex=4).json()
        assert [one["id"] for one in last["response"]] == ids[4:]
        assert (last["count"], last["startIndex"], last["total"], "nextIndex" in last) == (1, 4, 5, False)
        beyond = office.send("GET", "crm/opportunity/filter", STARTINDEX=9).json()
        assert (beyond["response"], beyond["total"], "count" in beyond) == ([], 5, False)
        seen = [one["id"] for start in (0, 2, 4) for one in _page(office, start)]
        assert seen == ids
    with playing(next_index="exact") as office:
        for _ in range(3):
            office.made("opportunity", DEAL)
        assert office.send("GET", "crm/opportunity/filter", count=2).json()["nextIndex"] == 2


def _page(office: Office, start: int) -> list[Json]:
    shown: list[Json] = office.crm("GET", "opportunity/filter", count=2, startIndex=start)
    return shown


def test_no_list_gives_more_than_a_thousand() -> None:
    """A client would take the first thousand records for all."""
    with playing() as office:
        for _ in range(1001):
            office.made("contact/company", COMPANY)
        envelope = office.send("GET", "crm/contact/filter", count=5000).json()
        assert (envelope["count"], envelope["total"], envelope["nextIndex"]) == (1000, 1001, 1001)


def test_filter_value_lags_and_nothing_else_does() -> None:
    """A probe that trusts the index would create a second record after a lost answer."""
    now = [1_800_000_000.0]
    store = Store(":memory:", clock=lambda: now[0])
    with playing(store, search_lag_ms=5000) as office:
        person = office.made("contact/person", PERSON)
        office.crm(
            "POST", f"contact/{person}/data", {"infoType": 1, "data": "e@x.example", "category": "Work"}
        )
        deal = office.made("opportunity", {**DEAL, "contactid": person})
        item, case = office.made("invoiceitem", ITEM), office.made("case", CASE)
        lagging = {"opportunity": ("ord-1", deal), "contact": ("eva", person), "case": ("t-5", case)}
        for name, (text, _) in {**lagging, "invoiceitem": ("ch-1", item)}.items():
            assert office.crm("GET", f"{name}/filter", filterValue=text) == [], name
            assert len(office.crm("GET", f"{name}/filter")) == 1, name
        assert office.crm("GET", f"opportunity/bycontact/{person}")[0]["id"] == deal
        assert office.crm("GET", "opportunity/byprefix", prefix="ord-1")[0]["id"] == deal
        assert office.crm("GET", "contact/bycontactinfo", infoType=1, data="e@x")[0]["id"] == person
        assert office.crm("GET", f"opportunity/{deal}")["id"] == deal
        now[0] += 5
        for name, (text, record_id) in lagging.items():
            found = office.crm("GET", f"{name}/filter", filterValue=text)
            assert [one["id"] for one in found] == [record_id], name
        # A comma separates values, of which only the first counts.
        assert office.crm("GET", "opportunity/filter", filterValue="ORD-1 chairs,nothing")[0]["id"] == deal
        assert office.crm("GET", "contact/filter", filterValue="e@x.example")[0]["id"] == person
    store.close()


def test_half_done_keeps_the_opportunity_and_answers_500() -> None:
    """The case that makes duplicates, stored but answered with an error, would go untested."""
    with playing(half_done="yes") as office:
        person = office.made("contact/person", PERSON)
        body = {**DEAL, "contactid": person, "customFieldList": [{"key": 631, "value": "ord-1"}]}
        assert office.refused("POST", "opportunity", body)[0] == 500
        (kept,) = office.kept("opportunity")
        assert kept["body"] == body
        (found,) = office.crm("GET", "opportunity/byprefix", prefix="ord-1")
        assert (found["members"], found["customFields"]) == ([], [])
        assert office.crm("GET", f"opportunity/bycontact/{person}")[0]["id"] == found["id"]
        # A contact that takes part in any other opportunity hides those that it is only the primary of.
        office.crm("POST", f"opportunity/{found['id']}/contact/{person}")
        assert office.refused("POST", "opportunity", body)[0] == 500
        assert len(office.crm("GET", f"opportunity/bycontact/{person}")) == 1
        assert len(office.crm("GET", "opportunity/filter", contactid=person)) == 2


def test_the_same_create_twice_makes_two_records() -> None:
    """A client without its own protection against duplicates would pass."""
    with playing() as office:
        for path, body in (("opportunity", DEAL), ("contact/person", PERSON), ("case", CASE), ("task", TASK)):
            first = office.made(path, body)
            assert office.made(path, body) == first + 1, path
        assert [one["body"] for one in office.kept("opportunity")] == [DEAL, DEAL]


def test_references_that_the_server_does_not_check() -> None:
    """A client with a wrong id would be told nothing, and the record would hang in the air."""
    custom = {"customFieldList": [{"key": 641, "value": "x"}, {"key": 999, "value": "y"}]}
    task = {**TASK, "contactId": 19999, "entityType": "case", "entityId": 49999}
    with playing() as office:
        shown = office.crm("POST", "opportunity", {**DEAL, "members": [19999]})
        assert shown["members"] == []
        case = office.crm("POST", "case", {**CASE, **custom})
        assert [one["label"] for one in case["customFields"]] == ["External id"]
        assert not {"contact", "entity"} & office.crm("POST", "task", task).keys()
        value = {"fieldValue": "x"}
        assert office.crm("POST", "case/49999/customfield/641", value)["fieldValue"] == "x"
        assert office.refused("POST", f"case/{case['id']}/customfield/999", value)[0] == 500
    with playing(unknown_references="refuse", customfield_unknown="refuse") as office:
        assert office.refused("POST", "opportunity", {**DEAL, "members": [19999]})[0] == 400
        assert office.refused("POST", "case", {**CASE, **custom})[0] == 400
        assert "contactId, entityId" in office.refused("POST", "task", task)[1]
        assert office.refused("POST", "case/49999/customfield/641", value)[0] == 404
        assert office.kept("opportunity") + office.kept("case") + office.kept("task") == []


def test_only_a_private_record_with_a_list_is_kept_away_others() -> None:
    """A client would take an opportunity for hidden which everybody reads."""
    users = ["A1B2C3D4-0000-4000-8000-000000000002"]
    with playing() as office:
        for body in ({**DEAL, "isPrivate": True}, {**DEAL, "accessList": users}):
            assert office.crm("POST", "opportunity", body)["isPrivate"] is False
        shown = office.crm("POST", "opportunity", {**DEAL, "isPrivate": True, "accessList": users})
        assert shown["isPrivate"] is True
        assert [one["displayName"] for one in shown["accessList"]] == ["Nora Lind", "Api Relay"]


def test_unknown_fields_can_be_ignored_as_the_server_does() -> None:
    """The sandbox would refuse what the portal takes, whatever was asked of it."""
    with playing(unknown_fields="ignore") as office:
        body = {**DEAL, "amount": 5, "customFieldList": [{"1": "old sample"}]}
        assert office.crm("POST", "opportunity", body)["customFields"] == []


def test_cases_tasks_and_history() -> None:
    """A ticket's text, assignee or end would be lost, or filed under another record."""
    with playing() as office:
        company = office.made("contact/company", COMPANY)
        person = office.made("contact/person", {**PERSON, "companyId": company})
        case = office.made("case", {**CASE, "members": [person]})
        assert office.refused("POST", "case", {"title": ""})[0] == 400
        assert office.refused("POST", "case", {**CASE, "description": "text"})[0] == 400
        for change in ({"title": ""}, {"deadline": "soon"}, {"categoryId": 0}, {"entityType": "contact"}):
            assert office.refused("POST", "task", {**TASK, **change})[0] == 400, change
        assert office.refused("POST", "task", {**TASK, "categoryId": 501}) == (404, "Task category not found")
        task = office.crm("POST", "task", {**TASK, "entityType": "Case", "entityId": case})
        assert task["entity"] == {"entityType": "case", "entityId": case, "entityTitle": CASE["title"]}
        assert (task["deadLine"], "isClosed" in task) == ("2026-12-01T10:00:00.0000000Z", False)
        assert office.crm("PUT", f"task/{task['id']}/close")["isClosed"] is True
        event = {"entityType": "case", "entityId": case, "content": "It is broken", "categoryId": 501}
        wrong = (
            {"entityId": 49999},
            {"categoryId": 401},
            {"content": ""},
            {"contactId": 19999},
            {"entityId": 0},
        )
        for change in wrong:
            assert office.refused("POST", "history", {**event, **change})[0] == 400, change
        assert office.refused("POST", "history", {"content": "x", "categoryId": 501})[0] == 400
        made = office.made("history", event)
        other = office.made("history", {"contactId": person, "content": "Hello", "categoryId": 501})
        listed = "history/filter"
        assert [one["id"] for one in office.crm("GET", listed, entityType="case", entityid=case)] == [made]
        by_company = office.crm("GET", listed, entityType="contact", entityId=company)
        assert [one["id"] for one in by_company] == [other]
        # contactId is no parameter of these filters, and so narrows nothing.
        assert {one["id"] for one in office.crm("GET", listed, contactId=company)} == {made, other}
        assert len(office.crm("GET", "task/filter", contactId=company)) == 1
        assert office.refused("GET", listed, entityType="case", entityid=49999)[0] == 404
        assert office.refused("GET", listed, entityid=case)[0] == 400
        assert office.crm("PUT", f"case/{case}/close")["isClosed"] is True
        assert office.crm("GET", "case/filter", isClosed="false") == []
        assert office.crm("GET", "case/filter", isClosed="true", contactid=person)[0]["id"] == case
        assert office.crm("PUT", f"case/{case}/reopen")["isClosed"] is False
        renamed = office.crm("PUT", f"case/{case}", {"title": "Ticket 6"})
        assert (renamed["title"], [one["id"] for one in renamed["members"]]) == ("Ticket 6", [person])


def test_invoices() -> None:
    """An invoice would be refused by the portal, or be filed with a stranger's opportunity."""
    with playing() as office:
        eva, leo = (office.made("contact/person", PERSON) for _ in range(2))
        deal, item = office.made("opportunity", {**DEAL, "members": [eva]}), office.made("invoiceitem", ITEM)
        lines = [{"invoiceItemID": item, "quantity": 2, "price": 50, "discount": 10, "invoiceTax1ID": 701}]
        body = {**INVOICE, "contactId": eva, "entityId": deal, "invoiceLines": lines}
        wrong: tuple[Json, ...] = (
            {"contactId": leo},
            {"entityId": 39999},
            {"terms": ""},
            {"exchangeRate": 0},
            {"currency": "XXX"},
            {"dueDate": ""},
            {"number": ""},
            {"invoiceLines": []},
            {"invoiceLines": [{**lines[0], "invoiceItemID": deal}]},
            {"invoiceLines": [{**lines[0], "discount": 101}]},
            {"invoiceLines": [{**lines[0], "invoiceTax1ID": 999}]},
        )
        for change in wrong:
            assert office.refused("POST", "invoice", {**body, **change})[0] == 400, change
        shown = office.crm("POST", "invoice", body)
        assert (shown["cost"], shown["entity"]["entityId"], shown["contact"]["id"]) == (90, deal, eva)
        assert [(one["invoiceItemID"], one["quantity"]) for one in shown["invoiceLines"]] == [(item, 2)]
        # Of all that this vendor stores, only the number of an invoice is unique.
        assert "number" in office.refused("POST", "invoice", body)[1]
        assert (len(office.kept("invoice")), len(office.kept("invoice_line"))) == (1, 1)
        of_deal = office.crm("GET", f"opportunity/invoicelist/{deal}")
        assert [one["number"] for one in of_deal] == ["INV-1"]
        assert office.crm("GET", f"contact/invoicelist/{leo}") == []
        assert office.crm("GET", "invoice/filter", entityType="opportunity", entityid=39999) == []
        assert office.crm("GET", "invoice/filter", filterValue="inv-1")[0]["id"] == shown["id"]
        assert office.refused("POST", "invoiceitem", {**ITEM, "price": 0})[0] == 400
    with playing(crm_admin="no") as office:
        assert office.refused("POST", "invoiceitem", ITEM) == (403, "Access denied.")


def test_reference_lists_and_custom_fields() -> None:
    """A client would find no stage, user, category or field to put into its requests."""
    with playing() as office:
        stages = office.crm("GET", "opportunity/stage")
        assert [(one["id"], one["stageType"]) for one in stages][-2:] == [(106, 1), (107, 2)]
        assert [one["title"] for one in office.crm("GET", "contact/status")] == ["Cold", "Warm", "Hot"]
        assert office.crm("GET", "contact/type")[1] == {
            "id": 302,
            "title": "Client",
            "description": "",
            "color": "",
            "sortOrder": 1,
            "relativeItemsCount": 0,
        }
        assert "EUR" in [one["abbreviation"] for one in office.crm("GET", "settings/currency")]
        fields = office.crm("GET", "company/customfield/definitions")
        assert [one["id"] for one in fields] == [601, 621]
        assert office.refused("GET", "task/customfield/definitions")[0] == 404
        company = office.made("contact/company", COMPANY)
        office.crm("POST", f"company/{company}/customfield/621", {"fieldValue": " DE1 "})
        (shown,) = office.crm("GET", f"contact/{company}")["customFields"]
        assert (shown["label"], shown["fieldValue"], shown["entityId"]) == ("Tax number", "DE1", company)
        for view, expected in (("Company", [company]), ("Person", []), ("WithOpportunity", [])):
            found = office.crm("GET", "contact/filter", contactListView=view)
            assert [one["id"] for one in found] == expected, view
        assert (
            office.crm("PUT", f"contact/{company}/status", {"contactStatusid": 202})["contactStatus"]["id"]
            == 202
        )
        assert office.refused("PUT", f"contact/{company}/status", {"contactStatusid": 101})[0] == 404


@pytest.mark.parametrize("fault", ["success_false", "drop_after", "status"])
def test_faults_keep_to_the_envelope(fault: str) -> None:
    """A client that looks only at the status would lose the record, or repeat one that is there."""
    with playing() as office:
        more = {"status": 503, "retry_after": 7} if fault == "status" else {}
        given = {
            "vendor": "onlyoffice",
            "operation": "opportunity_create",
            "fault": fault,
            "times": 1,
            **more,
        }
        assert office.http.post("/_sandbox/faults", json=given).status_code == 201
        if fault == "drop_after":
            with pytest.raises(Exception, match="disconnected"):
                office.send("POST", "crm/opportunity", DEAL)
        else:
            answer = office.send("POST", "crm/opportunity", DEAL)
            told = {"success_false": (200, 1), "status": (503, None)}[fault]
            body = answer.json() if fault == "success_false" else {}
            assert (answer.status_code, body.get("status")) == told
            assert answer.headers.get("Retry-After") == ("7" if more else None)
        assert len(office.kept("opportunity")) == (1 if fault == "drop_after" else 0)
