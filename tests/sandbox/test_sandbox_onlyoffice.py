"""Tests the played ONLYOFFICE against the vendor's document and the server's source."""

from collections.abc import Iterator

import httpx
import pytest

from sandbox.onlyoffice.vendor import OPERATIONS
from sandbox.server import running
from sandbox.store import Store
from tests.sandbox.onlyoffice_client import (
    CASE,
    COMPANY,
    CREDENTIALS,
    DEAL,
    INVOICE,
    ITEM,
    LOGIN,
    MANAGER,
    PERSON,
    TASK,
    Json,
    Office,
    playing,
)


@pytest.fixture
def office() -> Iterator[Office]:
    """A client of a fresh ONLYOFFICE that has logged in."""
    with playing() as client:
        yield client


def test_a_token_comes_with_its_end_and_works_raw_and_as_bearer(office: Office) -> None:
    """A client could not know when to log in again, or would be refused for leaving out "Bearer"."""
    response = office.login()
    assert response["expires"].endswith("0Z")
    assert response["sms"] is response["tfa"] is False
    token = office.authorization
    for header in (token, f"Bearer {token}"):
        office.authorization = header
        assert office.send("GET", "people/@self").json()["response"]["email"] == LOGIN["email"]
    for header in ("", "made-up", f"bearer {token}", f"{token}0"):
        office.authorization = header
        answer = office.send("GET", "people/@self")
        assert (answer.status_code, answer.text) == (401, "Unauthorized"), header
        assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_wrong_password_is_no_401(office: Office) -> None:
    """A client would retry a wrong password for ever, taking it for an outage, and nobody would notice."""
    body = {"userName": LOGIN["email"], "password": "guess"}
    answer = office.send("POST", "authentication", body)
    assert (answer.status_code, answer.json()["status"]) == (500, 1)
    assert answer.json()["error"]["message"] == "User authentication failed"
    assert office.send("POST", "authentication", {"userName": LOGIN["email"]}).status_code == 400
    named_otherwise = {"UserName": LOGIN["email"].upper(), "Password": LOGIN["password"]}
    assert office.send("POST", "authentication", named_otherwise).status_code == 201
    with playing(bad_login="http401") as other:
        assert other.send("POST", "authentication", body).text == "Unauthorized"


def test_a_token_ends_by_its_time_and_by_the_fault() -> None:
    """The renewal of a token could not be tested."""
    now = [1_800_000_000.0]
    store = Store(":memory:", clock=lambda: now[0])
    with playing(store, token_lifetime="2s") as office:
        assert office.login()["expires"] == "2027-01-15T08:00:02.0000000Z"
        now[0] += 1.9
        assert office.send("GET", "people/@self").status_code == 200
        now[0] += 0.2
        assert office.send("GET", "people/@self").status_code == 401
        office.login()
        office.http.post("/_sandbox/faults", json={"fault": "expire_token", "times": 1})
        assert [office.send("GET", "people/@self").status_code for _ in range(2)] == [401, 401]
        office.login()
        assert office.send("GET", "people/@self").status_code == 200
    store.close()


@pytest.mark.parametrize("factor", ["sms", "tfa"])
def test_a_second_factor_answers_201_without_a_token(factor: str) -> None:
    """A client that looks only at the status would go on with no token."""
    with (
        running(CREDENTIALS, {"onlyoffice": {"two_factor": factor}}) as sandbox,
        httpx.Client(base_url=sandbox.url, verify=False) as client,
    ):
        response = Office(client).login()
        assert (response["token"], response[factor]) == (None, True)


def _world(office: Office) -> dict[str, int]:
    company = office.made("contact/company", COMPANY)
    person = office.made("contact/person", {**PERSON, "companyId": company})
    deal = office.made("opportunity", {**DEAL, "contactid": company, "members": [person]})
    case = office.made("case", {**CASE, "members": [person]})
    task = office.made("task", {**TASK, "entityType": "case", "entityId": case})
    item = office.made("invoiceitem", ITEM)
    return {"company": company, "person": person, "deal": deal, "case": case, "task": task, "item": item}


def _requests(w: dict[str, int]) -> dict[str, tuple[str, Json | None, Json]]:
    of_deal = {"entityType": "opportunity", "entityid": w["deal"]}
    invoice = {**INVOICE, "contactId": w["person"], "entityId": w["deal"]}
    info = {"infoType": 1, "data": "eva@example.com", "isPrimary": True}
    return {
        "auth_token": ("authentication", {"userName": LOGIN["email"], "password": LOGIN["password"]}, {}),
        "people_self": ("people/@self", None, {}),
        "people_by_email": ("people/email", None, {"email": "nora.lind@example.com"}),
        "history_add": ("crm/history", {"contactId": w["person"], "content": "Hi", "categoryId": 501}, {}),
        "contact_info_add": (f"crm/contact/{w['person']}/data", {**info, "category": "Work"}, {}),
        "contact_info_batch": (f"crm/contact/{w['person']}/batch", {"items": [{**info, "category": 1}]}, {}),
        "tag_add": (f"crm/opportunity/{w['deal']}/tag", {"tagName": "ext:ord-1"}, {}),
        "customfield_set": (f"crm/opportunity/{w['deal']}/customfield/631", {"fieldValue": "ord-1"}, {}),
        "invoice_create": ("crm/invoice", {**invoice, "invoiceLines": [{"invoiceItemID": w["item"]}]}, {}),
        "opportunity_create": ("crm/opportunity", DEAL, {}),
        "person_create": ("crm/contact/person", PERSON, {}),
        "company_create": ("crm/contact/company", COMPANY, {}),
        "case_create": ("crm/case", CASE, {}),
        "task_create": ("crm/task", TASK, {}),
        "invoiceitem_create": ("crm/invoiceitem", ITEM, {}),
        "opportunity_update": (f"crm/opportunity/{w['deal']}", DEAL, {}),
        "opportunity_set_stage": (f"crm/opportunity/{w['deal']}/stage/103", {"stageid": 103}, {}),
        "opportunity_add_contact": (f"crm/opportunity/{w['deal']}/contact/{w['person']}", None, {}),
        "contact_set_status": (f"crm/contact/{w['person']}/status", {"contactStatusid": 203}, {}),
        "case_update": (f"crm/case/{w['case']}", CASE, {}),
        "case_close": (f"crm/case/{w['case']}/close", None, {}),
        "case_reopen": (f"crm/case/{w['case']}/reopen", None, {}),
        "task_close": (f"crm/task/{w['task']}/close", None, {}),
        "opportunity_filter": ("crm/opportunity/filter", None, {"filterValue": "ord"}),
        "contact_filter": ("crm/contact/filter", None, {"filterValue": "eva"}),
        "case_filter": ("crm/case/filter", None, {"contactid": w["person"]}),
        "task_filter": ("crm/task/filter", None, {"entityType": "case", "entityid": w["case"]}),
        "history_filter": ("crm/history/filter", None, {"entityType": "contact", "entityid": w["company"]}),
        "invoice_filter": ("crm/invoice/filter", None, of_deal),
        "invoiceitem_filter": ("crm/invoiceitem/filter", None, {"filterValue": "ch-1"}),
        "opportunity_by_contact": (f"crm/opportunity/bycontact/{w['person']}", None, {}),
        "opportunity_by_prefix": ("crm/opportunity/byprefix", None, {"prefix": "ext:ord"}),
        "opportunity_stage_list": ("crm/opportunity/stage", None, {}),
        "opportunity_get": (f"crm/opportunity/{w['deal']}", None, {}),
        "contact_by_contact_info": ("crm/contact/bycontactinfo", None, {"infoType": 1, "data": "VA@exam"}),
        "contact_status_list": ("crm/contact/status", None, {}),
        "contact_type_list": ("crm/contact/type", None, {}),
        "contact_get": (f"crm/contact/{w['person']}", None, {}),
        "contact_info_list": (f"crm/contact/{w['person']}/data", None, {}),
        "case_get": (f"crm/case/{w['case']}", None, {}),
        "task_category_list": ("crm/task/category", None, {}),
        "history_category_list": ("crm/history/category", None, {}),
        "currency_list": ("crm/settings/currency", None, {}),
        "customfield_definitions": ("crm/person/customfield/definitions", None, {}),
        "tag_list": (f"crm/opportunity/tag/{w['deal']}", None, {}),
        "invoice_by_entity": (f"crm/opportunity/invoicelist/{w['deal']}", None, {}),
        "opportunity_delete": (f"crm/opportunity/{w['deal']}", None, {}),
    }


def test_every_operation_answers_a_request_written_from_the_source(office: Office) -> None:
    """An operation of the client would be refused, or never be played, by the sandbox."""
    verbs = {operation.name: operation.group for operation in OPERATIONS}
    requests = _requests(_world(office))
    assert set(requests) == set(verbs)
    for name, (path, body, query) in requests.items():
        answer = office.send(verbs[name], path, body, **query)
        assert answer.status_code == (201 if verbs[name] == "POST" else 200), (name, answer.text)
        # By now every list has something in it; an empty one would mean that a filter went wrong.
        assert answer.json()["response"], name
        assert answer.json()["count"] >= 1, name
    journal = office.http.get("/_sandbox/requests").json()["requests"]
    assert {entry["operation"] for entry in journal} == set(verbs)


def test_an_opportunity_is_answered_in_camel_case_without_defaults(office: Office) -> None:
    """A client would read the document's PascalCase and find nothing, or count on a field that is left out."""
    company = office.made("contact/company", COMPANY)
    body = {**DEAL, "contactid": company, "customFieldList": [{"key": 631, "value": "ord-1"}]}
    shown = office.crm("POST", "opportunity", {**body, "actualCloseDate": "2026-11-20T08:30:00+02:00"})
    assert (shown["title"], shown["description"], shown["bidValue"]) == (DEAL["title"], "Two chairs", 199.9)
    assert shown["bidCurrency"]["abbreviation"] == "USD"
    assert (shown["stage"]["id"], shown["stage"]["title"]) == (101, "Initial contact")
    assert shown["responsible"] == {
        "id": MANAGER,
        "displayName": "Nora Lind",
        "title": "Sales manager",
        "avatarSmall": "/skins/default/images/default_user_photo_size_32-32.png",
        "profileUrl": "/products/people/profile.aspx?user=nora.lind",
    }
    # The primary contact becomes a member without being named as one.
    assert [member["id"] for member in shown["members"]] == [shown["contact"]["id"]] == [company]
    assert shown["contact"]["displayName"] == "Acme Ltd"
    assert shown["expectedCloseDate"] == "2026-12-31T00:00:00.0000000Z"
    assert shown["actualCloseDate"] == "2026-11-20T06:30:00.0000000Z"
    assert [(one["id"], one["fieldValue"], one["entityId"]) for one in shown["customFields"]] == [
        (631, "ord-1", shown["id"])
    ]
    assert "bidType" not in shown
    assert "perPeriodValue" not in shown
    assert shown["isPrivate"] is False
    assert office.crm("GET", f"opportunity/{shown['id']}") == shown


WRONG: tuple[tuple[Json, str], ...] = (
    ({"title": ""}, "title"),
    ({"responsibleid": "00000000-0000-0000-0000-000000000000"}, "responsibleid"),
    ({"responsibleid": "a1b2c3d4-0000-4000-8000-000000000099"}, "responsibleid"),
    ({"responsibleid": "nora"}, "responsibleid"),
    ({"stageid": 0}, "stageid"),
    ({"stageid": 401}, "stageid"),
    ({"bidCurrencyAbbr": "XXX"}, "bidCurrencyAbbr"),
    ({"contactid": 30001}, "contactid"),
    ({"bidType": 6}, "bidType"),
    ({"bidValue": "12,5"}, "bidValue"),
    ({"expectedCloseDate": "2026-12-31T10:00:00.123456Z"}, "expectedCloseDate"),
    ({"expectedCloseDate": "2026-02-30"}, "expectedCloseDate"),
    ({"expectedCloseDate": "31.12.2026"}, "expectedCloseDate"),
    ({"customFieldList": [{"1": "old sample"}]}, "customFieldList.0.1"),
    ({"members": "10001"}, "members"),
    ({"amount": 5}, "amount"),
)


def test_a_wrong_opportunity_is_refused_and_leaves_nothing(office: Office) -> None:
    """A client's wrong body would pass the sandbox and fail only at the real portal."""
    for change, told in WRONG:
        status, message = office.refused("POST", "opportunity", {**DEAL, **change})
        assert (status, told in message) == (400, True), (change, message)
    for name in ("title", "responsibleid", "stageid", "bidCurrencyAbbr"):
        lacking = {key: value for key, value in DEAL.items() if key != name}
        assert office.refused("POST", "opportunity", lacking) == (
            400,
            f"Value does not fall within the expected range. Parameter name: {name}",
        )
    assert office.kept("opportunity") == []


def test_keys_bind_whatever_their_case_and_values_by_their_text(office: Office) -> None:
    """The sandbox would refuse what the portal takes."""
    body = {name.upper(): value for name, value in DEAL.items()}
    shown = office.crm("POST", "opportunity", {**body, "STAGEID": "102", "BIDTYPE": "PerMonth"})
    assert (shown["stage"]["id"], shown["bidType"]) == (102, 4)
    for time in ("2026-12-31T10:00:00Z", "2026-12-31T10-00-00Z", "2026-12-31T10:00:00.000", "2026-12-31"):
        office.made("opportunity", {**DEAL, "expectedCloseDate": time})
    assert office.crm("POST", "opportunity", {**DEAL, "successProbability": 250})["successProbability"] == 100


def test_put_replaces_the_whole_opportunity(office: Office) -> None:
    """A client that sends only what changed would erase the rest without noticing."""
    world = _world(office)
    body = {name: DEAL[name] for name in ("title", "responsibleid", "stageid", "bidCurrencyAbbr")}
    shown = office.crm("PUT", f"opportunity/{world['deal']}", body)
    assert not {"description", "bidValue", "successProbability", "contact"} & shown.keys()
    assert shown["expectedCloseDate"] == "0001-01-01T00:00:00.0000000Z"
    assert {member["id"] for member in shown["members"]} == {world["company"], world["person"]}
    assert office.refused("PUT", "opportunity/39999", body)[0] == 404
    assert office.refused("PUT", f"opportunity/{world['deal']}", {**body, "stageid": 999})[0] == 400


def test_the_stage_is_read_from_the_body_and_not_from_the_path(office: Office) -> None:
    """A client that trusts the path would fail at every change of stage."""
    deal = office.made("opportunity", DEAL)
    assert office.refused("PUT", f"opportunity/{deal}/stage/106")[0] == 400
    shown = office.crm("PUT", f"opportunity/{deal}/stage/106", {"stageid": 106})
    assert (shown["stage"]["id"], shown["successProbability"]) == (106, 100)
    assert not shown["actualCloseDate"].startswith("0001")
    assert office.refused("PUT", f"opportunity/{deal}/stage/999", {"stageid": 999})[0] == 404
    with playing(stage_from="path") as other:
        deal = other.made("opportunity", DEAL)
        assert other.crm("PUT", f"opportunity/{deal}/stage/107")["stage"]["title"] == "Closed and lost"


def test_unknown_ids_and_addresses(office: Office) -> None:
    """A client would take a missing record for an outage, or a wrong address for a success."""
    for path in ("opportunity/39999", "contact/19999", "case/49999", "contact/30001", "contact/19999/data"):
        assert office.refused("GET", path) == (404, "The record could not be found"), path
    for path in ("opportunity/abc", "lead", "case/tag", "task/tag/1", "person/invoicelist/x"):
        assert office.refused("GET", path) == (404, "Method not found"), path
    assert office.refused("GET", "opportunity/0")[0] == 400
    assert office.refused("DELETE", "opportunity/39999")[0] == 404
    assert office.send("GET", "people/email", email="nobody@example.com").status_code == 404
    for query in ({"contactid": "x"}, {"stageType": "Won"}, {"fromDate": "today", "toDate": "2026-01-01"}):
        assert office.refused("GET", "opportunity/filter", None, **query)[0] == 400, query
    deal = office.made("opportunity", DEAL)
    assert office.crm("DELETE", f"opportunity/{deal}")["id"] == deal
    assert office.refused("GET", f"opportunity/{deal}")[0] == 404
    assert office.made("opportunity", DEAL) == deal + 1


def test_a_person_without_last_name_is_a_500_and_its_mail_a_record_of_its_own(office: Office) -> None:
    """A client would retry for ever, or believe that it stored an address which it never sent."""
    for name in ("firstName", "lastName"):
        assert office.refused("POST", "contact/person", {**PERSON, name: None})[0] == 500
        lacking = {key: value for key, value in PERSON.items() if key != name}
        assert office.refused("POST", "contact/person", lacking)[0] == 500
    assert office.refused("POST", "contact/person", {**PERSON, "firstName": " "})[0] == 400
    assert office.refused("POST", "contact/person", {**PERSON, "companyId": 19999})[0] == 404
    assert office.refused("POST", "contact/person", {**PERSON, "email": "a@b.example"})[0] == 400
    assert office.refused("POST", "contact/company", {"companyName": " "})[0] == 400
    person = office.made("contact/person", {**PERSON, "lastName": ""})
    mail = {"infoType": 1, "data": "eva@example.com", "isPrimary": True, "category": "Work"}
    for change in ({"category": "work"}, {"category": "Mobile"}, {"data": ""}, {"infoType": 18}):
        assert office.refused("POST", f"contact/{person}/data", {**mail, **change})[0] == 400, change
    shown = office.crm("POST", f"contact/{person}/data", mail)
    assert (shown["id"], shown["category"], shown["categoryName"]) == (20001, 1, "Work")
    phone = {"infoType": 0, "category": 2, "data": "+4917000000", "isPrimary": False}
    assert office.crm("POST", f"contact/{person}/batch", {"items": [phone]})[0]["categoryName"] == "Mobile"
    known = office.crm("GET", f"contact/{person}")
    assert [one["data"] for one in known["commonData"]] == ["+4917000000", "eva@example.com"]
    assert (known["displayName"], known["isCompany"]) == ("Eva", False)
    assert [one["id"] for one in office.crm("GET", f"contact/{person}/data")] == [20002, 20001]
    assert len(office.kept("contact_info")) == 2


def test_contacts_by_info_match_parts_and_everybody_without_data(office: Office) -> None:
    """A client that takes the first hit would file an order under a stranger's name."""
    for address in ("eva@example.com", "neva@example.com", "leo@example.org"):
        person = office.made("contact/person", PERSON)
        office.crm("POST", f"contact/{person}/data", {"infoType": 1, "data": address, "category": "Home"})
    by = "contact/bycontactinfo"
    assert [one["id"] for one in office.crm("GET", by, infoType=1, data="EVA@example.com")] == [10001, 10002]
    assert len(office.crm("GET", by, infoType="Email", data="")) == 3
    assert office.crm("GET", by, infoType=0) == []
    assert office.refused("GET", by, data="eva@example.com")[0] == 400


def test_look_ups_of_opportunities(office: Office) -> None:
    """A probe for an earlier delivery would miss it, or take another order for it."""
    eva, leo = (office.made("contact/person", {**PERSON, "firstName": name}) for name in ("Eva", "Leo"))
    first = office.made("opportunity", {**DEAL, "contactid": eva})
    second = office.made("opportunity", {**DEAL, "title": "A chair [EXT:ord-2]", "members": [eva, leo]})
    found = office.crm("GET", f"opportunity/bycontact/{eva}")
    assert [one["id"] for one in found] == [second, first]
    assert office.crm("GET", "opportunity/bycontact/19999") == []
    prefix = "opportunity/byprefix"
    assert [one["id"] for one in office.crm("GET", prefix, prefix="ORD-2] chair")] == [second]
    assert office.crm("GET", prefix, prefix="two chairs") == []
    # With a contact the text has to occur as it is, in the same case.
    assert office.crm("GET", prefix, prefix="ext:ord", contactID=eva) == []
    assert len(office.crm("GET", prefix, prefix="[EXT:ord", contactID=eva)) == 2
    assert office.refused("GET", prefix)[0] == 500
    filtered = {"contactid": eva}
    assert [one["id"] for one in office.crm("GET", "opportunity/filter", None, **filtered)] == [first]
    assert (
        len(office.crm("GET", "opportunity/filter", None, **filtered, contactAlsoIsParticipant="true")) == 2
    )
    office.crm("POST", f"opportunity/{second}/tag", {"tagName": "ext:ord-2"})
    office.crm("POST", f"opportunity/{second}/tag", {"tagName": "ext:ord-2"})
    assert [one["id"] for one in office.crm("GET", "opportunity/filter", tags="ext:ord-2")] == [second]
    assert (len(office.kept("tag")), office.crm("GET", f"opportunity/tag/{second}")) == (1, ["ext:ord-2"])
    excluding: tuple[Json, ...] = (
        {"filterValue": "ext:ord-9"},
        {"responsibleid": "a1b2c3d4-0000-4000-8000-000000000003"},
        {"opportunityStagesid": 102},
        {"tags": "ext:ord"},
        {"stageType": "ClosedAndWon"},
        {"fromDate": "2020-01-01", "toDate": "2020-12-31"},
    )
    for query in excluding:
        assert office.crm("GET", "opportunity/filter", **query) == [], query


def test_byprefix_cuts_at_thirty(office: Office) -> None:
    """A client would think that it saw every opportunity with its mark."""
    for _ in range(31):
        office.made("opportunity", DEAL)
    assert len(office.crm("GET", "opportunity/byprefix", prefix="Order")) == 30
