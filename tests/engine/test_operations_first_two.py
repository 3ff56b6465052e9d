"""Every operation that OplaCRM and centiaCRM document can be called, with an input that is checked before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from marshmallow import ValidationError

from mappings.instances import instance
from mappings.vendor import Named
from sandbox.server import running
from tests.engine.harness import CREDENTIALS, ENVIRON
from tests.engine.operations_first_two import CENTIA, CENTIA_FIRST, OPLA, OPLA_FIRST, Row
from worker.errors import NotConfigured
from worker.http import Http
from worker.settings import ConnectionSettings
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session
from worker.vendors.vendor import Operation, Reference

UNCLEAR = {f"account_employee_action_{number}" for number in (1, 2, 3)} | {"contact_delete"}
EVERY = [("oplacrm", name) for name in OPLA] + [("centiacrm", name) for name in CENTIA]
ROWS: Mapping[str, Mapping[str, Row]] = {"oplacrm": OPLA, "centiacrm": CENTIA}
FIRST = {"oplacrm": OPLA_FIRST, "centiacrm": CENTIA_FIRST}
#: A value that no field is of the type of.
WRONG = [["wrong"]]


def connection_of(vendor: str, url: str = "http://127.0.0.1:9") -> ConnectionSettings:
    settings = load({**ENVIRON, "RELAY_SANDBOX_URL": url})
    return next(c for c in settings.connections.values() if c.vendor == vendor)


def checked(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input as a person's is taken: checked, and completed with what the vendor wants sent."""
    if operation.request is None:
        return dict(values)
    schema = instance(operation.request)
    only_path = {k: v for k, v in values.items() if k not in schema.fields}
    assert set(only_path) <= set(operation.path_names)
    loaded = schema.load({k: v for k, v in values.items() if k in schema.fields})
    return {**only_path, **dict(schema.dump(loaded))}


class Account:
    """A vendor's account with one record of each kind; `@kind` in an input stands for its id."""

    def __init__(self, vendor: str, url: str) -> None:
        self.http = Http()
        self.api = Api(VENDORS[vendor], connection_of(vendor, url), self.http, Session(), lambda: None)
        self.ids: dict[str, Any] = {}
        for kind, operation, values in FIRST[vendor]:
            answer = self.call(operation, values)
            self.ids[f"@{kind}"] = answer.get(kind, answer)["id"]

    def call(self, name: str, values: Mapping[str, Any]) -> Any:
        known = {k: self.ids.get(v, v) if isinstance(v, str) else v for k, v in values.items()}
        return self.api.call(name, checked(self.api.operations[name], known))


@pytest.fixture(scope="module")
def accounts() -> Iterator[Mapping[str, Account]]:
    with running(CREDENTIALS) as sandbox:
        found = {vendor: Account(vendor, sandbox.url) for vendor in ROWS}
        yield found
        for account in found.values():
            account.http.close()


@pytest.mark.parametrize("vendor", ROWS)
def test_the_table_has_what_the_document_has(vendor: str) -> None:
    """Otherwise an operation is missing, or goes to another place than was found out."""
    found = {}
    for name, operation in VENDORS[vendor].operations.items():
        namespace = operation.path.rpartition("/")[2].capitalize()
        place = f"{operation.verb} {operation.path}"
        found[name] = f"{namespace}.{operation.method}" if operation.method else place
        assert operation.group
        assert operation.probe == "" or not VENDORS[vendor].operations[operation.probe].changes
    assert found == {name: place for name, (place, _) in ROWS[vendor].items()}
    assert len(found) == {"oplacrm": 37, "centiacrm": 38}[vendor]
    assert {name for name, one in VENDORS[vendor].operations.items() if one.unclear} == (
        UNCLEAR if vendor == "oplacrm" else set()
    )


@pytest.mark.parametrize(("vendor", "name"), EVERY)
def test_what_changes_something_is_known_to(vendor: str, name: str) -> None:
    """Otherwise an unclear outcome of a change is taken for a read that may simply be repeated."""
    operation = VENDORS[vendor].operations[name]
    reads = ("get", "list", "login")
    assert operation.changes != any(word in name for word in reads)
    writes_again = ("update", "edit", "upsert", "delete")
    assert operation.repeatable == any(word in name for word in writes_again)


@pytest.mark.parametrize(("vendor", "name"), [row for row in EVERY if row[1] not in UNCLEAR])
def test_every_operation_can_be_called(accounts: Mapping[str, Account], vendor: str, name: str) -> None:
    """Otherwise `relay call` offers what fails at the first use."""
    answer = accounts[vendor].call(name, ROWS[vendor][name][1])
    assert isinstance(answer, dict | list)


@pytest.mark.parametrize("name", sorted(UNCLEAR))
def test_what_nobody_knows_runs_only_once_it_is_configured(name: str) -> None:
    """Otherwise a call of unknown meaning changes somebody's data on a guess."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"statusCode": 200, "message": "Request was successful"})

    connection = connection_of("oplacrm")

    def call(connection: ConnectionSettings) -> Any:
        api = Api(VENDORS["oplacrm"], connection, Http(httpx.MockTransport(answer)), Session(), lambda: None)
        return api.call(name, checked(api.operations[name], OPLA[name][1]))

    with pytest.raises(NotConfigured, match=rf"paths\.{name}"):
        call(connection)
    assert seen == []
    set_up = replace(connection, paths={name: "/public/known/{external_id}"}, verbs={name: "PATCH"})
    if name != "contact_delete":
        set_up = replace(set_up, paths={name: "/public/known"})
    assert call(set_up)["statusCode"] == 200
    assert seen[0].method == "PATCH"
    if name != "contact_delete":
        assert json.loads(seen[0].content) == {"account_id": "acct-1", "employee_id": "EMP-001"}


@pytest.mark.parametrize(("vendor", "name"), EVERY)
def test_a_wrong_type_is_refused_before_the_call_and_named(vendor: str, name: str) -> None:
    """Otherwise a slip of the hand reaches the vendor, which takes it or answers something unclear."""
    operation = VENDORS[vendor].operations[name]
    if operation.request is None:
        return
    schema = instance(operation.request)
    for field in schema.fields:
        assert field in schema.validate({field: WRONG}), f"{field} takes anything"
    with pytest.raises(ValidationError) as caught:
        schema.load({"no_such_field": 1})
    assert "no_such_field" in caught.value.messages_dict


LISTS = [(v, n) for v, n in EVERY if VENDORS[v].operations[n].paging]


@pytest.mark.parametrize(("vendor", "name"), LISTS)
def test_a_list_is_read_to_its_end(accounts: Mapping[str, Account], vendor: str, name: str) -> None:
    """Otherwise what stands on the second page is "not there" and is made again."""
    account = accounts[vendor]
    paging = account.api.operations[name].paging
    assert paging is not None
    whole = list(account.api.each(name, ROWS[vendor][name][1]))
    assert whole
    small = {
        **account.api.operations,
        name: replace(account.api.operations[name], paging=replace(paging, at_most=1)),
    }
    vendor_of_small_pages = replace(account.api.vendor, operations=small)
    other = Api(vendor_of_small_pages, account.api.connection, account.http, Session(), lambda: None)
    assert list(other.each(name, ROWS[vendor][name][1])) == whole


#: What relay.toml says, and the id that comes of it.
NAMES: dict[str, tuple[str, Named, Any]] = {
    "a name": ("centiacrm", Named("stages", "Propuesta", "values.stage"), 13),
    "in other letters": ("centiacrm", Named("stages", " PROPUESTA ", "values.stage"), 13),
    "a user's two names": ("centiacrm", Named("users", "sofía  ramírez", "values.owner"), 33),
    "a user's e-mail": ("centiacrm", Named("users", "sofía.ramírez@example.mx", "values.owner"), 33),
    "an id that goes as text": (
        "centiacrm",
        Named("product categories", "Hogar", "values.product_category"),
        "213",
    ),
    "a country's code": ("centiacrm", Named("countries", "México", "values.countries"), "MX"),
    "an employee's name": ("oplacrm", Named("employees", "Lan Pham", "values.owner"), "EMP-002"),
    "the family's name first": ("oplacrm", Named("employees", "Pham Lan", "values.owner"), "EMP-002"),
    "an employee's e-mail": (
        "oplacrm",
        Named("employees", "Quang.Le@example.com", "values.owner"),
        "EMP-003",
    ),
}


@pytest.mark.parametrize(("vendor", "wanted", "number"), NAMES.values(), ids=NAMES)
def test_a_name_in_relay_toml_becomes_the_vendors_id(
    accounts: Mapping[str, Account], vendor: str, wanted: Named, number: Any
) -> None:
    """Otherwise the operator has to look for numbers that the CRM's own pages do not show."""
    assert accounts[vendor].api.named(wanted) == number


@pytest.mark.parametrize("of", VENDORS["centiacrm"].lists)
def test_every_list_can_be_read_for_its_names(accounts: Mapping[str, Account], of: str) -> None:
    """Otherwise one of the values can be said by id alone, and nobody knows which."""
    with pytest.raises(NotConfigured, match=r"there are: '\w+"):
        accounts["centiacrm"].api.named(Named(of, "no such entry", "values.x"))


def test_a_name_that_does_not_exist_is_told_with_those_that_do(accounts: Mapping[str, Account]) -> None:
    """Otherwise the operator guesses, and each guess is a failed delivery."""
    with pytest.raises(NotConfigured) as caught:
        accounts["centiacrm"].api.named(Named("priorities", "Highest", "values.priority"))
    assert str(caught.value) == (
        "connections.centia.values.priority: no 'Highest' among the vendor's priorities; "
        "there are: 'Baja', 'Media', 'Alta', 'Urgente'"
    )


ODD: dict[str, tuple[Reference, list[dict[str, Any]], dict[str, Any]]] = {
    "title for name": (Reference("x", also=("title",)), [{"id": 1, "title": "One"}], {"One": 1}),
    "another's name before an alias": (
        Reference("x", also=("code",)),
        [{"id": 1, "name": "One", "code": "Two"}, {"id": 2, "name": "Two"}],
        {"One": 1, "Two": 2},
    ),
    "the first of two": (Reference("x"), [{"id": 1, "name": "A"}, {"id": 2, "name": "a"}], {"A": 1}),
    "no id": (
        Reference("x"),
        [{"name": "Gone"}, {"id": None, "name": "Off"}, {"id": 3, "name": "On"}],
        {"On": 3},
    ),
}


@pytest.mark.parametrize(("reference", "items", "expected"), ODD.values(), ids=ODD)
def test_entries_are_known_by_what_people_call_them(
    reference: Reference, items: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    """Otherwise a list whose entries are worded otherwise than expected seems empty, or gives a wrong id."""
    fetch: Callable[[], Iterator[dict[str, Any]]] = lambda: iter(items)  # noqa: E731
    for name, number in expected.items():
        assert Session().references.entries("l", reference, name, fetch)[name.casefold()].id == number
    assert "gone" not in Session().references.entries("l", reference, "gone", fetch)
