"""Tests the played Overplane against its API reference."""

from collections.abc import Iterator

import pytest

from sandbox.fields import Json
from sandbox.overplane.vendor import OPERATIONS
from sandbox.store import Store
from tests.sandbox.overplane_client import CHILDREN, KEY, OBJECTS, Client, error, overplane
from tests.sandbox.sandbox_clients import records, set_fault

ATTRIBUTES = (
    "id created_at updated_at opportunity_from party_name customer_name title opportunity_type status"
    " order_lost_reason expected_closing currency opportunity_amount sales_stage probability customer_address"
    " address_display territory customer_group contact_person contact_display contact_email contact_mobile"
    " company transaction_date first_response_time language base_opportunity_amount base_total total"
    " conversion_rate no_of_employees annual_revenue industry market_segment opportunity_owner website"
    " whatsapp phone phone_ext job_title city state country utm_source utm_campaign utm_medium utm_content"
)
LINE_ATTRIBUTES = (
    "id idx opportunity_id item_code qty item_group brand uom item_name description image image_view rate"
    " base_amount amount base_rate"
)


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of an Overplane with all options at their defaults."""
    with overplane() as made:
        yield made


def test_every_operation_is_played(client: Client) -> None:
    """A client of an operation would meet a 404 that the real vendor does not give."""
    expected = {"crm_settings_get"}
    for kind, (path, _body) in OBJECTS.items():
        one = client.made(kind)
        of = {"parent_id": client.ids["opportunity"]} if kind in CHILDREN else {}
        assert client.page(kind, **of)["data"][0]["id"] == one["id"]
        changed = client.send("PATCH", f"{path}/{one['id']}", client.body(kind))
        assert (changed.status_code, changed.json()["id"]) == (200, one["id"])
        verbs = {"list", "create", "update", "delete"} | ({"reorder"} if kind in CHILDREN else {"get"})
        expected |= {f"{kind}_{verb}" for verb in verbs}
        if kind in CHILDREN:
            order = {"parent_id": client.ids["opportunity"], "ids": [one["id"]]}
            assert client.send("POST", f"{path}/reorder", order).status_code == 200
        else:
            assert client.send("GET", f"{path}/{one['id']}").json()["id"] == one["id"]
    for kind in list(OBJECTS)[::-1]:
        target = f"{OBJECTS[kind][0]}/{client.ids[kind]}"
        deleted = client.send("DELETE", target)
        assert (deleted.status_code, deleted.json()) == (200, {"id": client.ids[kind], "deleted": True})
        assert client.send("DELETE", target).status_code == 404
    assert client.send("GET", "crm/c-r-m-settings").status_code == 200
    journal = client.http.get("/_sandbox/requests").json()["requests"]
    assert {line["operation"] for line in journal} == expected == {one.name for one in OPERATIONS}
    assert records(client.http) == []


def test_only_a_valid_key_is_let_in(client: Client) -> None:
    """A wrong or revoked key would go unnoticed until the real vendor refuses it."""
    for key in ("", "sk_test_other"):
        client.key = key
        assert error(client.send("GET", "crm/lead")) == (401, "unauthorized")
        assert error(client.create("lead")) == (401, "unauthorized")
    client.key = KEY
    set_fault(client.http, vendor="overplane", fault="expire_token", times=1)
    assert client.send("GET", "crm/lead").status_code == 401
    assert client.send("GET", "crm/lead").status_code == 200
    assert records(client.http) == []


def test_an_object_has_every_attribute_of_the_sample_and_the_defaults(client: Client) -> None:
    """A client that reads an answer would meet other names or values at the real vendor."""
    lead = client.made("lead")
    made = client.made("opportunity")
    assert (made["status"], made["sales_stage"], made["probability"]) == ("Open", "Prospecting", 100)
    assert (made["party_name"], made["customer_name"]) == (lead["id"], "Ann Roe")
    assert made["opportunity_amount"] is None
    assert set(made) == set(ATTRIBUTES.split())
    assert made["created_at"] == made["updated_at"]
    assert (len(made["created_at"]), made["created_at"][-1]) == (len("2024-01-15T09:30:00Z"), "Z")
    assert (lead["status"], lead["lead_owner"], lead["disabled"]) == ("Lead", "__user", False)
    client.made("item")
    assert set(client.made("opportunity_item")) == set(LINE_ATTRIBUTES.split())
    assert set(client.made("opportunity_lost_reason_detail")) == {
        "id",
        "idx",
        "opportunity_id",
        "lost_reason",
    }
    settings = client.send("GET", "crm/c-r-m-settings").json()
    assert settings["allow_lead_duplication_based_on_emails"] is False
    assert settings["auto_creation_of_contact"] is True


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("opportunity", {"opportunity_from": "Supplier"}, "opportunity_from"),
        ("opportunity", {"transaction_date": "01/03/2026"}, "transaction_date"),
        ("opportunity", {"expected_closing": "soon"}, "expected_closing"),
        ("opportunity", {"probability": 101}, "probability"),
        ("opportunity", {"opportunity_amount": "12"}, "opportunity_amount"),
        ("opportunity", {"contact_email": "ann"}, "contact_email"),
        ("opportunity", {"external_id": "x"}, "external_id"),
        ("opportunity", {"id": "opportunity_1"}, "id"),
        ("opportunity", {"company": "Nobody Inc"}, "company"),
        ("opportunity", {"party_name": "lead_1"}, "party_name"),
        ("opportunity", {"party_name": "Ann Roe"}, "party_name"),
        ("opportunity", {"opportunity_from": "Customer"}, "party_name"),
        ("opportunity", {"sales_stage": "Won"}, "sales_stage"),
        ("opportunity", {"opportunity_type": "Gift"}, "opportunity_type"),
        ("opportunity", {"currency": "XXX"}, "currency"),
        ("opportunity", {"territory": "Moon"}, "territory"),
        ("opportunity", {"contact_person": "contact_1"}, "contact_person"),
        ("opportunity_item", {"opportunity_id": "opportunity_1"}, "opportunity_id"),
        ("opportunity_item", {"opportunity_id": "{lead}"}, "opportunity_id"),
        ("opportunity_item", {"item_code": "SOFA"}, "item_code"),
        ("opportunity_item", {"item_code": ""}, "item_code"),
        ("opportunity_item", {"qty": True}, "qty"),
        ("opportunity_lost_reason_detail", {"lost_reason": "Rain"}, "lost_reason"),
        ("issue", {"subject": " "}, "subject"),
        ("issue", {"lead": "customer_1"}, "lead"),
        ("prospect", {"company": "Nobody Inc"}, "company"),
        ("item", {"item_group": "Animals"}, "item_group"),
        ("customer", {"customer_group": "Nobody"}, "customer_group"),
    ],
)
def test_a_body_with_a_wrong_value_is_refused(client: Client, kind: str, changes: Json, field: str) -> None:
    """A record that the real vendor refuses would be created here, and the fault be found in production."""
    client.prepare()
    before = len(records(client.http))
    answer = client.create(kind, **changes)
    assert error(answer) == (400, "invalid_request")
    assert answer.json()["error"]["message"].startswith(f"{field}: ")
    assert len(records(client.http)) == before


def test_what_the_reference_marks_as_required_is_required(client: Client) -> None:
    """A client that forgets a field would pass here."""
    required = {
        "opportunity": {"opportunity_from", "party_name", "company", "transaction_date"},
        "opportunity_item": {"opportunity_id"},
        "customer": {"customer_name"},
        "prospect": {"company"},
        "item": {"item_code", "item_group", "stock_uom"},
        "issue": {"subject"},
        "company": {"company_name", "abbr", "default_currency", "country"},
        "territory": {"territory_name"},
        "lead": set(),
        "contact": set(),
    }
    for kind, names in required.items():
        answer = client.send("POST", OBJECTS[kind][0], {})
        if not names:
            assert answer.status_code == 201, answer.text
            continue
        message = answer.json()["error"]["message"]
        assert {part.split(":")[0] for part in message.split("; ")} == names
        assert message.count("is required") == len(names)


def test_a_repeated_create_makes_a_second_record(client: Client) -> None:
    """A client that repeats a create after a timeout would look safe although nothing protects it."""
    client.prepare()
    first = client.made("lead")
    assert client.made("lead")["id"] != first["id"]
    for kind in ("opportunity", "issue", "opportunity_item", "item", "contact"):
        made = [client.made(kind)["id"], client.made(kind)["id"]]
        assert len(set(made)) == 2
        slug = OBJECTS[kind][0].split("/")[1]
        assert all(one.startswith(f"{slug}_") for one in made)
    shown = records(client.http, vendor="overplane", kind="opportunity_item")
    assert [one["body"] for one in shown] == [client.body("opportunity_item")] * 2


def test_totals_follow_the_lines_and_the_amount_is_the_clients(client: Client) -> None:
    """A client that sends lines one by one could not check the sum that the CRM shows."""
    client.prepare()
    path = f"crm/opportunity/{client.ids['opportunity']}"
    client.send("PATCH", path, {"opportunity_amount": 50, "total": 7, "conversion_rate": 2})
    chairs = client.made("opportunity_item")
    half = client.made("opportunity_item", qty=0.5, rate=0.33)
    # 3 x 19.99 = 59.97; 0.5 x 0.33 = 0.165, to the cent 0.17.
    assert (chairs["amount"], half["amount"], chairs["base_amount"]) == (59.97, 0.17, 119.94)
    shown = client.send("GET", path).json()
    assert (shown["total"], shown["base_total"]) == (60.14, 120.28)
    assert (shown["opportunity_amount"], shown["base_opportunity_amount"]) == (50, 100)
    client.send("PATCH", f"crm/opportunity-item/{chairs['id']}", {"qty": 1})
    assert client.send("GET", path).json()["total"] == 20.16
    client.send("DELETE", f"crm/opportunity-item/{half['id']}")
    assert client.send("GET", path).json()["total"] == 19.99


def test_children_are_listed_by_parent_and_can_be_reordered(client: Client) -> None:
    """A resumed delivery could not tell which lines it has already made, or in which order."""
    client.prepare()
    parent = client.ids["opportunity"]
    first, second = client.made("opportunity_item"), client.made("opportunity_item", qty=1)
    assert (first["idx"], second["idx"]) == (1, 2)
    client.made("opportunity", title="Order 2")
    other = client.made("opportunity_item")
    assert other["idx"] == 1
    page = client.page("opportunity_item", parent_id=parent, limit="1")
    assert (page["has_more"], page["total"]) == (False, 2)
    assert [one["id"] for one in page["data"]] == [first["id"], second["id"]]
    assert client.page("opportunity_item", parent_id="lead_1") == {"data": [], "has_more": False, "total": 0}
    assert client.send("GET", "crm/opportunity-item").status_code == 400
    order = {"parent_id": parent, "ids": [second["id"], first["id"]]}
    answer = client.send("POST", "crm/opportunity-item/reorder", order).json()
    assert [(one["id"], one["idx"]) for one in answer["data"]] == [(second["id"], 1), (first["id"], 2)]
    for ids in ([first["id"]], [first["id"], other["id"]], [first["id"], second["id"], second["id"]]):
        wrong = client.send("POST", "crm/opportunity-item/reorder", {"parent_id": parent, "ids": ids})
        assert wrong.status_code == 400


def test_children_go_with_their_opportunity(client: Client) -> None:
    """Lines of a deleted opportunity would stay behind and be counted."""
    client.prepare()
    for kind in CHILDREN:
        client.made(kind)
    kept = client.ids["opportunity"]
    client.made("opportunity", title="Order 2")
    client.made("opportunity_item")
    assert client.send("DELETE", f"crm/opportunity/{kept}").status_code == 200
    assert client.send("GET", f"crm/opportunity/{kept}").status_code == 404
    assert client.page("opportunity_item", parent_id=kept)["total"] == 0
    assert [one["id"] for one in records(client.http, kind="opportunity_item")] == [
        client.ids["opportunity_item"]
    ]
    assert records(client.http, kind="opportunity_lost_reason_detail") == []


def test_an_update_leaves_absent_fields_unchanged() -> None:
    """A partial update would wipe what a colleague has typed into the CRM."""
    moment = [1_770_000_000.0]
    store = Store(":memory:", clock=lambda: moment[0])
    with overplane(store) as client:
        client.prepare()
        path = f"crm/opportunity/{client.ids['opportunity']}"
        moment[0] += 60
        changed = client.send("PATCH", path, {"status": "Lost", "sales_stage": "Negotiation/Review"}).json()
        assert (changed["title"], changed["status"]) == ("Order 1", "Lost")
        assert changed["created_at"] == "2026-02-02T02:40:00Z"
        assert changed["updated_at"] == "2026-02-02T02:41:00Z"
        assert client.send("PATCH", path, {"sales_stage": "Nowhere"}).status_code == 400
        assert client.send("PATCH", path, {"opportunity_from": "Customer"}).status_code == 400
        assert client.send("PATCH", "crm/opportunity/opportunity_1", {}).status_code == 404
        customer = {"opportunity_from": "Customer", "party_name": client.ids["customer"]}
        assert client.send("PATCH", path, customer).json()["customer_name"] == "Acme"
    store.close()


def test_lists_are_newest_first_and_page_to_the_end(client: Client) -> None:
    """A scan for an earlier success would miss or repeat records."""
    made = [client.made("lead", lead_name=f"Lead {number}")["id"] for number in range(45)]
    seen: list[str] = []
    more = True
    while more:
        page = client.page("lead", offset=str(len(seen)), title="no such filter")
        assert page["total"] == 45
        assert len(page["data"]) == min(20, 45 - len(seen))
        seen += [one["id"] for one in page["data"]]
        more = page["has_more"]
    assert seen == made[::-1]
    assert [one["id"] for one in client.page("lead", limit="2", offset="1")["data"]] == [made[43], made[42]]
    assert client.page("lead", offset="45") == {"data": [], "has_more": False, "total": 45}
    for query in ({"limit": "0"}, {"limit": "many"}, {"offset": "-1"}):
        assert client.send("GET", "crm/lead", None, **query).status_code == 400


def test_the_accounts_own_entries_are_listed_after_those_of_the_client(client: Client) -> None:
    """The stages and companies of a configuration could not be looked up."""
    stages = client.page("sales_stage")
    assert stages["total"] == 8
    assert (stages["data"][0]["id"], stages["data"][0]["stage_name"]) == ("sales-stage_201", "Prospecting")
    made = client.made("sales_stage")
    pages = [client.page("sales_stage", limit="4", offset=str(offset)) for offset in (0, 4, 8)]
    listed = [one["stage_name"] for page in pages for one in page["data"]]
    assert (len(listed), listed[:2], [page["has_more"] for page in pages]) == (
        9,
        ["Signed", "Prospecting"],
        [True, True, False],
    )
    company = client.send("GET", "setup/company/company_101").json()
    assert (company["company_name"], company["default_currency"]) == ("Example Corp", "USD")
    for verb, body in (("PATCH", {"abbr": "X"}), ("DELETE", None)):
        assert error(client.send(verb, "setup/company/company_101", body)) == (409, "conflict")
    client.prepare()
    client.made("opportunity", sales_stage=made["id"], company="company_102", opportunity_type="Support")
    assert {one["kind"] for one in records(client.http)} == {
        "sales_stage",
        "lead",
        "customer",
        "item",
        "opportunity",
    }


def test_search_lags_behind_but_a_read_by_id_does_not() -> None:
    """A client that takes an empty list for proof of absence would pass and make duplicates."""
    moment = [1_770_000_000.0]
    store = Store(":memory:", clock=lambda: moment[0])
    with overplane(store, search_lag_ms=2000) as client:
        client.prepare()
        line = client.made("opportunity_item")
        parent = line["opportunity_id"]
        assert client.page("opportunity") == {"data": [], "has_more": False, "total": 0}
        assert client.page("opportunity_item", parent_id=parent)["total"] == 0
        assert client.send("GET", f"crm/opportunity/{parent}").json()["total"] == 59.97
        assert client.made("opportunity_item")["idx"] == 2
        moment[0] += 2
        assert [one["id"] for one in client.page("opportunity")["data"]] == [parent]
        assert client.page("opportunity_item", parent_id=parent)["data"][0]["id"] == line["id"]
    store.close()


def test_a_body_that_is_no_json_object_is_refused(client: Client) -> None:
    """A client that sends a form or a list would be taken for one that sends an empty object."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    for content in (b"[]", b"{"):
        answer = client.http.post("/overplane/api/crm/lead", content=content, headers=headers)
        assert error(answer) == (400, "invalid_request")
    assert records(client.http) == []


def test_a_form_is_no_json(client: Client) -> None:
    """A client that sends forms where the vendor reads JSON would pass here and fail there."""
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = client.http.post("/overplane/api/crm/lead", data={"lead_name": "Ann Roe"}, headers=headers)
    assert answer.status_code == 400
    assert records(client.http) == []
