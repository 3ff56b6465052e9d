"""Tests that each fault does to a request what its description says."""

import time

import httpx
import pytest

from tests.sandbox.sandbox_bodies import COMPANY, LEAD
from tests.sandbox.sandbox_clients import Centia, Opla, records, set_fault


def test_drop_before_cuts_the_connection_and_commits_nothing(opla: Opla) -> None:
    """A lost request and a lost answer could not be told apart in tests of retries."""
    set_fault(opla.http, vendor="oplacrm", operation="lead_create", fault="drop_before", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        opla.send("POST", "leads", LEAD)
    assert records(opla.http) == []
    assert opla.send("POST", "leads", LEAD).status_code == 201


def test_drop_after_cuts_the_connection_but_the_record_is_there(opla: Opla) -> None:
    """The case that makes duplicates, done but not answered, would go untested."""
    set_fault(opla.http, vendor="oplacrm", operation="lead_create", fault="drop_after", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        opla.send("POST", "leads", LEAD)
    assert [record["body"] for record in records(opla.http, kind="lead")] == [LEAD]
    assert opla.http.get("/_sandbox/requests").json()["requests"][-1]["status"] is None


def test_half_answer_ends_in_the_middle_after_the_commit(opla: Opla) -> None:
    """A client that takes a cut answer for a whole one would pass."""
    set_fault(opla.http, fault="half_answer", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        opla.send("POST", "leads", LEAD)
    assert len(records(opla.http)) == 1


def test_garbage_is_no_json_and_comes_after_the_commit(opla: Opla) -> None:
    """A client that fails over an unreadable answer and then repeats would pass."""
    set_fault(opla.http, fault="garbage", times=1)
    answer = opla.send("POST", "leads", LEAD)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert len(records(opla.http)) == 1


@pytest.mark.parametrize("status", [302, 400, 429, 500, 502, 503])
def test_status_is_answered_with_retry_after_and_nothing_is_committed(opla: Opla, status: int) -> None:
    """Back-off could not be tested."""
    set_fault(opla.http, vendor="oplacrm", fault="status", status=status, retry_after=7, times=1)
    answer = opla.send("POST", "leads", LEAD)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert records(opla.http) == []


def test_html_login_is_a_page_with_status_200(opla: Opla) -> None:
    """A client that looks only at the status would take a login page for a success."""
    set_fault(opla.http, fault="html_login", times=1)
    answer = opla.send("POST", "leads", LEAD)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert records(opla.http) == []


def test_success_false_is_a_failure_with_status_200(opla: Opla, centia: Centia) -> None:
    """A client that looks only at the status would lose the record."""
    set_fault(opla.http, vendor="*", fault="success_false", times=2)
    assert opla.send("POST", "leads", LEAD).json()["statusCode"] == 500
    assert centia.error("companies", "CreateCompany", COMPANY)
    assert records(opla.http) == []


def test_latency_delays_the_answer_and_adds_to_another_fault(opla: Opla) -> None:
    """Timeouts could not be tested."""
    set_fault(opla.http, fault="latency", seconds=0.2)
    set_fault(opla.http, fault="status", status=503)
    started = time.monotonic()
    assert opla.send("GET", "leads").status_code == 503
    assert time.monotonic() - started >= 0.2


def test_expire_token_refuses_the_static_token_until_it_is_used_up(opla: Opla) -> None:
    """A revoked token could not be tested."""
    set_fault(opla.http, vendor="oplacrm", fault="expire_token", times=1)
    assert opla.send("POST", "leads", LEAD).status_code == 401
    assert opla.send("POST", "leads", LEAD).status_code == 201


def test_expire_token_makes_a_new_login_necessary(centia: Centia) -> None:
    """The renewal of a token could not be tested."""
    set_fault(centia.http, vendor="centiacrm", fault="expire_token", times=1)
    assert centia.error("companies", "CreateCompany", COMPANY) == "Token expired"
    assert centia.error("companies", "CreateCompany", COMPANY) == "Token expired"
    centia.login()
    assert centia.call("companies", "CreateCompany", COMPANY)
    assert len(records(centia.http)) == 1


def test_a_fault_strikes_only_its_vendor_operation_and_turn(opla: Opla, centia: Centia) -> None:
    """A test would meet faults that it did not set."""
    set_fault(opla.http, vendor="oplacrm", operation="lead_list", fault="status", status=500, every=3)
    assert opla.send("POST", "leads", LEAD).status_code == 201
    assert centia.call("profiles", "GetProfiles")
    assert [opla.send("GET", "leads").status_code for _ in range(6)] == [200, 200, 500, 200, 200, 500]
    (shown,) = opla.http.get("/_sandbox/faults").json()["faults"]
    assert (shown["seen"], shown["struck"]) == (6, 2)
    assert opla.http.delete("/_sandbox/faults").json() == {"deleted": 1}
    assert {opla.send("GET", "leads").status_code for _ in range(3)} == {200}


def test_a_seeded_rate_strikes_the_same_requests_every_time(opla: Opla) -> None:
    """A random test run could not be repeated."""
    runs = []
    for _ in range(2):
        set_fault(opla.http, fault="status", status=500, rate=0.5, seed=7)
        runs.append([opla.send("GET", "leads").status_code for _ in range(12)])
        opla.http.delete("/_sandbox/faults")
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_one_of_several_faults_can_be_removed_by_its_id(opla: Opla) -> None:
    """Removing one fault would end all of them."""
    first = set_fault(opla.http, fault="latency", seconds=0)
    set_fault(opla.http, fault="status", status=500)
    assert opla.http.delete("/_sandbox/faults", params={"id": first["id"]}).json() == {"deleted": 1}
    assert opla.send("GET", "leads").status_code == 500


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"fault": "explode"}, "fault"),
        ({"fault": "status", "status": 418}, "status"),
        ({"fault": "status"}, "status"),
        ({"fault": "latency"}, "seconds"),
        ({"fault": "latency", "seconds": -1}, "seconds"),
        ({"fault": "garbage", "seconds": 1}, "seconds"),
        ({"fault": "garbage", "vendor": "hubspot"}, "vendor"),
        ({"fault": "garbage", "vendor": "oplacrm", "operation": "auth_login"}, "operation"),
        ({"fault": "garbage", "times": 0}, "times"),
        ({"fault": "garbage", "every": 1.5}, "every"),
        ({"fault": "garbage", "rate": 2}, "rate"),
        ({"fault": "garbage", "seed": 1}, "seed"),
        ({"fault": "garbage", "vendor": ["oplacrm"]}, "vendor"),
        ({"fault": "garbage", "when": "now"}, "when"),
        ([], ""),
    ],
)
def test_a_bad_fault_is_refused_with_the_field_and_what_is_allowed(
    http: httpx.Client, fault: object, field: str
) -> None:
    """A test whose fault is misspelt would run without any fault and pass."""
    answer = http.post("/_sandbox/faults", json=fault)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field
    assert answer.json()["error"]["allowed"]
    assert http.get("/_sandbox/faults").json()["count"] == 0
