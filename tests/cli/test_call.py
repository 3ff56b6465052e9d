"""`relay call`: one operation of a CRM by hand, checked before anything is sent."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.writing.shape import shape
from tests.cli.conftest import Change, Crm, Relay
from tests.engine.harness import ROOT
from worker.vendors import VENDORS
from worker.vendors.vendor import Operation

LINE = shape("LineDto", required="qty", number="qty price", text="name")
ORDER = shape(
    "OrderDto",
    required="title",
    text="title",
    day="closes_on",
    boolean="won",
    id="owner_id",
    one_of={"channel": ("web", "phone")},
    many={"items": LINE},
)
PRODUCT = {
    **dict.fromkeys("description supplier_id unit_of_measure_id category_id sub_category_id id".split(), ""),
    "name": "Lamp",
    "external_id": "prod-1",
    "deleted": 0,
}


def product(number: int, price: str = "19.90") -> str:
    body = {**PRODUCT, "external_id": f"prod-{number}"}
    return json.dumps(body)[:-1] + f', "price": {price}}}'


def opla(name: str, **more: Any) -> Operation:
    """Return an operation of OplaCRM with any JSON object as its input, where `more` does not say it."""
    return replace(VENDORS["oplacrm"].operations[name], **{"request": None, "probe": "", **more})


def make_products(relay: Relay, count: int) -> None:
    for number in range(1, count + 1):
        made = relay("call", "opla", "product_upsert", "--yes", "--json", product(number))
        assert made.exit_code == 0, made.stderr


def test_a_call_prints_what_the_crm_answers_and_nothing_else(relay: Relay, crm: Crm) -> None:
    """Otherwise no script can go on with the answer."""
    made = relay("call", "opla", "product_upsert", "--yes", "--json", product(1))
    assert (made.exit_code, made.stderr) == (0, "")
    assert json.loads(made.stdout)["external_id"] == "prod-1"
    (record,) = crm.records("oplacrm", "product")
    assert (record["name"], record["price"]) == ("Lamp", 19.9)


def test_the_input_comes_from_a_file_or_from_standard_input(relay: Relay, crm: Crm, tmp_path: Path) -> None:
    """Otherwise a body of a hundred fields has to go through the shell's quotes."""
    path = tmp_path / "product.json"
    path.write_text(product(1), "utf-8")
    assert relay("call", "opla", "product_upsert", "--yes", "--json", f"@{path}").exit_code == 0
    assert relay("call", "opla", "product_upsert", "--yes", "--json", "-", text=product(2)).exit_code == 0
    assert [r["external_id"] for r in crm.records("oplacrm", "product")] == ["prod-1", "prod-2"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("{", "relay: the input is no JSON: "),
        ('{"price": NaN}', "relay: the input is no JSON: NaN is no number of JSON"),
        ("[1]", "relay: the input must be a JSON object: {…}"),
        ("@nowhere.json", "relay: nowhere.json: cannot be read: "),
    ],
)
def test_an_input_that_is_no_object_is_refused(relay: Relay, crm: Crm, given: str, complaint: str) -> None:
    """Otherwise a typing error reaches the CRM."""
    done = relay("call", "opla", "lead_create", "--yes", "--json", given)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(complaint)
    assert crm.calls() == []


def test_every_wrong_field_is_named_before_anything_is_sent(relay: Relay, crm: Crm, registry: Change) -> None:
    """Otherwise the operator mends one field per try, and each try may change the CRM."""
    registry("oplacrm", opla("lead_create", request=ORDER))
    wrong = {
        "closes_on": "tomorrow",
        "won": "yes",
        "owner_id": "seven",
        "channel": "pigeon",
        "items": [{"qty": "two", "name": 5}, {"price": 1, "qtty": 2}],
        "titel": "Lamp",
    }
    done = relay("call", "opla", "lead_create", "--yes", "--json", json.dumps(wrong))
    assert (done.exit_code, done.stdout) == (2, "")
    assert sorted(done.stderr.splitlines()) == [
        "relay: channel: must be one of: web, phone",
        "relay: closes_on: must be a day, as in 2026-03-02",
        "relay: items.0.name: must be a text",
        "relay: items.0.qty: must be a number",
        "relay: items.1.qtty: no such field; there are: qty, price, name",
        "relay: items.1.qty: is missing",
        "relay: owner_id: must be a whole number",
        "relay: titel: no such field; there are: title, closes_on, won, owner_id, channel, items",
        "relay: title: is missing",
        "relay: won: must be true or false",
    ]
    assert crm.calls() == []


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("{}", "is missing; it is a part of the path /public/opportunities/{id}"),
        ('{"id": true}', "must be a text or a whole number, as a part of the path"),
        ('{"id": ".."}', "must not be '..', as a part of the path"),
    ],
)
def test_a_missing_part_of_the_path_is_named(
    relay: Relay, crm: Crm, registry: Change, given: str, complaint: str
) -> None:
    """Otherwise the call goes to another address than its operation's."""
    registry("oplacrm", opla("opportunity_update"))
    done = relay("call", "opla", "opportunity_update", "--yes", "--json", given)
    assert done.exit_code == 2
    assert f"relay: id: {complaint}" in done.stderr.splitlines()
    assert crm.calls() == []


def test_an_unknown_name_is_answered_with_those_that_exist(relay: Relay) -> None:
    """Otherwise a typing error sends the operator to the documentation."""
    done = relay("call", "opla", "lead_lst")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "relay: there is no operation 'lead_lst' at oplacrm; there are: lead_list, "
    )
    assert all(name in done.stderr for name in VENDORS["oplacrm"].operations)
    other = relay("call", "centa", "auth_login")
    assert other.exit_code == 2
    assert "relay: there is no connection 'centa' in " in other.stderr
    assert "; there are: centia, " in other.stderr


def test_without_a_terminal_a_change_needs_a_yes(relay: Relay, crm: Crm) -> None:
    """Otherwise a script that somebody tries out changes the CRM, or hangs at a question."""
    done = relay("call", "opla", "product_upsert", "--json", product(1))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "relay: product_upsert changes what opla holds, and there is no terminal to ask at: add --yes\n"
    )
    assert crm.calls() == []
    assert relay("call", "opla", "lead_list").exit_code == 0, "reading needs none"


def test_an_operation_that_nobody_knows_runs_only_once_it_is_configured(
    relay: Relay, crm: Crm, registry: Change, tmp_path: Path
) -> None:
    """Otherwise a guess is sent to a CRM as if it were documented."""
    registry("oplacrm", opla("lead_list", unclear="the document names no address"))
    done = relay("call", "opla", "lead_list")
    assert done.exit_code == 2
    assert "NotConfigured: lead_list: the document names no address; set paths.lead_list" in done.stderr
    assert crm.calls() == []
    config = tmp_path / "own.toml"
    text = (ROOT / "relay.toml").read_text("utf-8")
    paths = '[connections.opla.paths]\nlead_list = "/public/leads"\n[connections.opla.values]'
    config.write_text(text.replace("[connections.opla.values]", paths), "utf-8")
    assert relay("call", "opla", "lead_list", RELAY_CONFIG=str(config)).stdout == "[]\n"


FAULTS: list[tuple[dict[str, Any], str]] = [
    (
        {"fault": "status", "status": 503},
        "may have been carried out: look with product_list before you repeat it\n",
    ),
    ({"fault": "status", "status": 429, "retry_after": 7}, "; nothing was done; repeat it in 7 s\n"),
    ({"fault": "drop_after"}, "relay: OutcomeUnknown: no whole answer: "),
]


@pytest.mark.parametrize(("fault", "said"), FAULTS)
def test_a_failure_is_one_line_with_its_class_and_its_remedy(
    relay: Relay, crm: Crm, registry: Change, fault: dict[str, Any], said: str
) -> None:
    """Otherwise the operator repeats what may have been done, or gives up what would have worked."""
    registry("oplacrm", opla("product_upsert", probe="product_list"))
    crm.fault(vendor="oplacrm", operation="product_upsert", times=1, **fault)
    done = relay("call", "opla", "product_upsert", "--yes", "--json", product(1))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_what_the_crm_refuses_is_told_in_its_own_words(relay: Relay, registry: Change) -> None:
    """Otherwise nobody knows what to correct."""
    registry("oplacrm", opla("lead_create"))
    done = relay("call", "opla", "lead_create", "--yes", "--json", '{"name": 5}')
    assert done.exit_code == 1
    assert done.stderr.startswith("relay: Rejected: lead_create: answered 400: ")
    assert done.stderr.endswith("; nothing was changed; correct what it complains of\n")


def test_a_crm_that_is_away_is_one_line(relay: Relay) -> None:
    """Otherwise a wrong address looks like a fault of CRM Relay."""
    done = relay("call", "opla", "lead_list", RELAY_SANDBOX_URL="http://127.0.0.1:1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("relay: Unreachable: not sent: ConnectError")
    assert done.stderr.endswith("; nothing was sent; check the connection's base_url and the network\n")


def test_no_secret_is_printed(relay: Relay) -> None:
    """Otherwise a token ends in a terminal's history, a log or a chat."""
    login = {"email": "relay@example.com", "password": "centia-password"}
    done = relay("call", "centia", "auth_login", "--json", json.dumps(login))
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["token"] == "<secret>"
    refused = relay("call", "opla", "lead_list", OPLA_TOKEN="wrong-opla-token")
    assert refused.exit_code == 1
    assert "CredentialsRefused" in refused.stderr
    assert "wrong-opla-token" not in refused.stderr


def test_all_gives_a_line_for_each_record(relay: Relay, registry: Change) -> None:
    """Otherwise no other program can take the records one by one."""
    registry("oplacrm", Operation("product_list", "GET", "/public/products"))
    make_products(relay, 3)
    done = relay("call", "opla", "product_list", "--all")
    assert done.exit_code == 0, done.stderr
    keys = [json.loads(line)["external_id"] for line in done.stdout.splitlines()]
    assert keys == ["prod-1", "prod-2", "prod-3"]
    refused = relay("call", "opla", "product_upsert", "--all", "--yes", "--json", product(1))
    assert refused.exit_code == 2
    assert refused.stderr == "relay: --all is for lists, and product_upsert changes something\n"


def test_all_follows_the_pages_until_one_fails(relay: Relay, crm: Crm, registry: Change) -> None:
    """Otherwise the first page is taken for all, or all is lost when the last page fails."""
    companies = VENDORS["centiacrm"].operations["companies_get_companies"]
    assert companies.paging is not None
    registry("centiacrm", replace(companies, paging=replace(companies.paging, at_most=2, is_last=None)))
    for number in range(1, 6):
        body = {"profile_id": 1, "name": f"Company {number}", "type_id": 51, "industry_id": 71}
        made = relay("call", "centia", "companies_create_company", "--yes", "--json", json.dumps(body))
        assert made.exit_code == 0, made.stderr
    ask = ("call", "centia", "companies_get_companies", "--all", "--json", '{"profile_id": 1}')
    done = relay(*ask)
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == [
        f"Company {number}" for number in range(1, 6)
    ]
    assert crm.calls().count("companies_get_companies") == 4, "three pages, and one that brings nothing new"
    crm.fault(vendor="centiacrm", operation="companies_get_companies", every=2, fault="status", status=503)
    cut = relay(*ask)
    assert cut.exit_code == 1
    assert len(cut.stdout.splitlines()) == 2


def test_the_limit_of_requests_holds_without_a_ledger(relay: Relay, tmp_path: Path) -> None:
    """Otherwise a loop around the command locks the account, or needs a ledger that is not there."""
    text = (ROOT / "relay.toml").read_text("utf-8")
    config = tmp_path / "own.toml"
    config.write_text(text.replace('vendor = "centiacrm"', 'vendor = "centiacrm"\nrequests_per_second = 2'))
    began = time.monotonic()
    products = relay(
        *("call", "centia", "products_get_products", "--json", '{"profile_id": 1}'), RELAY_CONFIG=str(config)
    )
    assert products.exit_code == 0, products.stderr
    assert 0.5 <= time.monotonic() - began < 60, "a login, and half a second later the list"
    assert not (tmp_path / "var").exists()
