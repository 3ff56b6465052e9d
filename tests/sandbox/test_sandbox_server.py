"""Tests what all played vendors share: options, kept state, control endpoints and the server itself."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from sandbox.app import create_app
from sandbox.server import running
from sandbox.store import Store
from sandbox.vendor import Options
from tests.sandbox.sandbox_bodies import ACCOUNT, COMPANY, CREDENTIALS, LEAD, Json
from tests.sandbox.sandbox_clients import Centia, Opla, records


def test_a_restart_keeps_records_tokens_and_the_order_of_ids(tmp_path: Path) -> None:
    """A client that resumes after a crash of the sandbox would find an empty vendor."""
    path = str(tmp_path / "sandbox.sqlite")
    store = Store(path)
    with (
        running(CREDENTIALS, store=store) as sandbox,
        httpx.Client(base_url=sandbox.url, verify=False) as client,
    ):
        Opla(client).made("leads", LEAD)
        centia = Centia(client)
        centia.login()
        first = centia.call("companies", "CreateCompany", COMPANY)["company"]["id"]
        client.delete("/_sandbox/records")
        lead = Opla(client).made("leads", LEAD)["id"]
    store.close()
    store = Store(path)
    with (
        running(CREDENTIALS, store=store) as sandbox,
        httpx.Client(base_url=sandbox.url, verify=False) as client,
    ):
        assert [found["id"] for found in Opla(client).send("GET", "leads").json()] == [lead]
        token, centia = centia.token, Centia(client)
        centia.token = token
        assert centia.call("companies", "CreateCompany", COMPANY)["company"]["id"] == first + 1
    store.close()


@pytest.mark.parametrize(
    ("choice", "status", "count"),
    [("duplicate", 201, 2), ("conflict", 409, 1), ("refuse", 400, 1), ("update", 201, 1)],
)
def test_repeat_create_can_be_chosen(choice: str, status: int, count: int) -> None:
    """The open question what a second create with the same key does could not be played through."""
    options: Options = {"oplacrm": {"repeat_create": choice}}
    with running(CREDENTIALS, options) as sandbox, httpx.Client(base_url=sandbox.url, verify=False) as client:
        opla = Opla(client)
        opla.made("leads", LEAD)
        assert opla.send("POST", "leads", {**LEAD, "name": "Again"}).status_code == status
        assert len(opla.send("GET", "leads", external_id="L-1").json()) == count
        names = [record["body"]["name"] for record in records(client)]
        kept = {"duplicate": ["John Smith", "Again"], "update": ["Again"]}
        assert names == kept.get(choice, ["John Smith"])


def test_other_open_questions_can_be_chosen() -> None:
    """Users could not try what their own tenant turned out to do."""
    options: Options = {
        "*": {"unknown_fields": "ignore"},
        "oplacrm": {"id_paths": "either", "update_verb": "PATCH"},
        "centiacrm": {"auth_error": "http401"},
    }
    with running(CREDENTIALS, options) as sandbox, httpx.Client(base_url=sandbox.url, verify=False) as client:
        opla, centia = Opla(client), Centia(client)
        opla.made("leads", {**LEAD, "surprise": 1})
        update: Json = {"name": "New", "account_name": "B", "custom_fields": []}
        assert opla.send("PATCH", "leads/L-1", update).json()["name"] == "New"
        refused = centia.send("profiles", "GetProfiles")
        assert (refused.status_code, refused.json()["error"]) == (401, "Token expired")


def test_search_lags_behind_but_a_read_by_id_does_not() -> None:
    """A client that takes an empty search for proof of absence would pass and make duplicates."""
    moment = [1_770_000_000.0]
    store = Store(":memory:", clock=lambda: moment[0])
    options: Options = {"*": {"search_lag_ms": 2000}}
    with (
        running(CREDENTIALS, options, store) as sandbox,
        httpx.Client(base_url=sandbox.url, verify=False) as client,
    ):
        opla, centia = Opla(client), Centia(client)
        centia.login()
        opla.made("accounts", ACCOUNT)
        company = centia.call("companies", "CreateCompany", COMPANY)["company"]["id"]
        listed = {"profile_id": 1, "query": "Muebles"}
        direct = {"profile_id": 1, "search_by": "id", "search_value": str(company)}
        assert opla.send("GET", "accounts", external_id="A-1").json() == []
        assert centia.call("companies", "GetCompanies", listed)["total"] == 0
        assert opla.send("GET", "accounts/A-1").status_code == 200
        assert centia.call("companies", "GetCompany", direct)["company"]["id"] == company
        moment[0] += 2
        assert len(opla.send("GET", "accounts", external_id="A-1").json()) == 1
        assert centia.call("companies", "GetCompanies", listed)["total"] == 1
    store.close()


def test_a_vendor_accepts_several_credential_sets() -> None:
    """Two configured accounts of the same vendor could not be played at once."""
    both = {"oplacrm": [{"token": "one"}, {"token": "two"}]}
    with running(both) as sandbox, httpx.Client(base_url=sandbox.url, verify=False) as client:
        opla = Opla(client)
        for token, status in (("one", 200), ("two", 200), ("three", 401)):
            opla.token = token
            assert opla.send("GET", "leads").status_code == status


@pytest.mark.parametrize(
    "options",
    [
        {"hubspot": {}},
        {"oplacrm": {"repeat_create": "maybe"}},
        {"oplacrm": {"colour": "red"}},
        {"*": {"repeat_create": "update"}},
        {"*": {"search_lag_ms": -1}},
    ],
)
def test_options_that_do_not_exist_stop_the_start(options: Options) -> None:
    """A misspelt option would silently play the default."""
    with pytest.raises(ValueError, match=r"option|vendor|search_lag_ms"):
        create_app(Store(":memory:"), CREDENTIALS, options)


def test_credentials_without_a_password_stop_the_start() -> None:
    """A vendor would refuse every login and nobody would know why."""
    with pytest.raises(ValueError, match="password"):
        create_app(Store(":memory:"), {"centiacrm": {"email": "a@b.mx"}})


def test_records_are_shown_as_sent_and_in_order(opla: Opla) -> None:
    """The proof that a delivery happened exactly once, with the right content, would be worthless."""
    bodies: list[Json] = [{**LEAD, "external_id": key, "note": "ñ"} for key in ("z", "a", "m")]
    for body in bodies:
        opla.made("leads", body)
    shown = opla.http.get("/_sandbox/records", params={"vendor": "oplacrm", "kind": "lead"}).json()
    assert shown["count"] == 3
    assert [record["body"] for record in shown["records"]] == bodies
    assert list(shown["records"][0]["body"]) == list(bodies[0])
    assert set(shown["records"][0]) == {"vendor", "kind", "id", "body", "created_at"}
    assert opla.http.get("/_sandbox/records", params={"kind": "leeds"}).status_code == 400
    assert opla.http.get("/_sandbox/records", params={"vendor": "opla"}).status_code == 400
    assert opla.http.delete("/_sandbox/records").json() == {"deleted": 3}
    assert records(opla.http) == []


def test_requests_show_operation_and_status_but_no_content(opla: Opla, centia: Centia) -> None:
    """Personal data or secrets would lie open, or nobody could count the calls."""
    opla.made("leads", LEAD)
    opla.send("GET", "tickets")
    shown = opla.http.get("/_sandbox/requests", params={"vendor": "oplacrm"})
    assert [(one["operation"], one["status"]) for one in shown.json()["requests"]] == [
        ("lead_create", 201),
        ("unknown", 404),
    ]
    assert "John" not in shown.text
    assert opla.http.get("/_sandbox/requests").json()["requests"][0]["operation"] == "auth_login"
    assert centia.token not in opla.http.get("/_sandbox/requests").text


def test_help_and_unknown_addresses_are_answered(http: httpx.Client) -> None:
    """A newcomer would not find out what can be called."""
    assert "/_sandbox/faults" in http.get("/_sandbox/").text
    assert http.get("/hubspot/api/x").status_code == 404


def test_one_connection_serves_many_requests_and_many_clients_lose_nothing(opla: Opla) -> None:
    """A load test would run out of ports, or two threads would overwrite each other's records."""
    for _ in range(2):
        answer = opla.send("GET", "leads")
        assert "close" not in answer.headers.get("Connection", "")
    keys = [f"L-{number}" for number in range(60)]
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda key: opla.made("leads", {**LEAD, "external_id": key}), keys))
    assert len({lead["id"] for lead in made}) == 60
    assert {record["body"]["external_id"] for record in records(opla.http)} == set(keys)


def test_a_stopped_sandbox_no_longer_answers_kept_connections() -> None:
    """A test of an outage would meet a vendor that is still up."""
    with httpx.Client(timeout=60) as client:
        with running(CREDENTIALS) as sandbox:
            address = f"{sandbox.url}/oplacrm/api/public/leads"
            assert client.get(address).status_code == 401
        with pytest.raises(httpx.TransportError):
            client.get(address)


def test_a_chunked_body_is_read_to_its_end(opla: Opla) -> None:
    """The rest of a streamed request would be taken for the next request."""
    headers = {"Authorization": f"Bearer {opla.token}", "Content-Type": "application/json"}
    parts = iter([b'{"name": "A",', b' "account_name": "B"}'])
    assert opla.http.post("/oplacrm/api/public/leads", content=parts, headers=headers).status_code == 201
    assert opla.send("GET", "leads").status_code == 200


def test_a_create_that_was_answered_survives_the_kill_of_the_process(tmp_path: Path) -> None:
    """A record that the client was told about would be gone after a crash."""
    path = str(tmp_path / "sandbox.sqlite")
    script = (
        "import os, httpx, sys\n"
        "from sandbox.server import running\nfrom sandbox.store import Store\n"
        "with running({'oplacrm': {'token': 't'}}, store=Store(sys.argv[1])) as r:\n"
        "    a = httpx.post(r.url + '/oplacrm/api/public/leads', headers={'Authorization': 'Bearer t'},\n"
        "                   json={'name': 'A', 'account_name': 'B'})\n"
        "    os._exit(0 if a.status_code == 201 else 1)\n"
    )
    root = Path(create_app.__code__.co_filename).parents[1]
    subprocess.run([sys.executable, "-c", script, path], check=True, cwd=root, timeout=100)
    store = Store(path)
    assert [record.sent["name"] for record in store.everything()] == ["A"]
    store.close()


def test_what_people_do_by_hand_can_be_played() -> None:
    """No test could tell whether a client notices a record that was deleted, changed or doubled in the CRM."""
    with running(CREDENTIALS) as sandbox, httpx.Client(base_url=sandbox.url, verify=False) as client:
        opla = Opla(client)
        lead = opla.made("leads", LEAD)["id"]
        where = {"vendor": "oplacrm", "kind": "lead", "id": lead}
        assert client.patch("/_sandbox/records", params=where, json={"name": "By hand"}).status_code == 200
        assert client.post("/_sandbox/records", params={**where, "as": "twin"}).status_code == 201
        found = opla.send("GET", "leads", external_id="L-1").json()
        assert [(one["id"], one["name"]) for one in found] == [(lead, "By hand"), ("twin", "By hand")]
        assert client.delete("/_sandbox/records", params=where).json() == {"deleted": 1}
        assert [one["id"] for one in opla.send("GET", "leads").json()] == ["twin"]
        nothing = {**where, "id": "nothing"}
        refused = [
            client.delete("/_sandbox/records", params=nothing),
            client.patch("/_sandbox/records", params=nothing, json={}),
            client.patch("/_sandbox/records", params={**where, "id": "twin"}, json=[]),
            client.post("/_sandbox/records", params=nothing),
        ]
        assert [answer.status_code for answer in refused] == [400] * 4
