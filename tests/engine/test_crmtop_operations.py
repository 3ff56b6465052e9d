"""Every operation that CRMTop documents can be called, with an input that is checked before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from marshmallow import ValidationError

from mappings.instances import instance
from mappings.vendor import Named
from sandbox.server import running
from tests.engine.harness import CREDENTIALS, ENVIRON
from tests.engine.operations_crmtop import AGAIN, CRMTOP, FIRST, READS
from worker.http import Http
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session

OPERATIONS = VENDORS["crmtop"].operations
#: A value that no field is of the type of.
WRONG = [["wrong"]]


def checked(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an input as a person's is taken: checked, what stands in the path being simply text."""
    operation = OPERATIONS[name]
    if operation.request is None:
        assert set(values) == set(operation.path_names)
        return dict(values)
    return dict(instance(operation.request).load(values))


class Account:
    """An account with one record of each kind; `@kind` in an input stands for its id."""

    def __init__(self, url: str) -> None:
        self.http = Http()
        connection = load({**ENVIRON, "RELAY_SANDBOX_URL": url}).connections["crmtop"]
        self.api = Api(VENDORS["crmtop"], connection, self.http, Session(), lambda: None)
        self.ids: dict[str, Any] = {}

    def make(self) -> None:
        """Make one record of each kind, and two memberships, of which only a search tells the numbers."""
        for kind, operation in FIRST.items():
            self.ids[f"@{kind}"] = self.call(operation)
        for kind in ("campaign_member", "segment_member"):
            self.call(f"{kind}_add")
            (row,) = self.api.each(f"{kind}_search", {})
            self.ids[f"@{kind}"] = row["id"]

    def call(self, name: str) -> Any:
        return self.api.call(name, checked(name, self.known(CRMTOP[name][1])))

    def known(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.known(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.known(inner) for inner in value]
        return self.ids.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def account() -> Iterator[Account]:
    with running(CREDENTIALS) as sandbox:
        account = Account(sandbox.url)
        yield account
        account.http.close()


def test_the_table_has_what_the_document_has() -> None:
    """Otherwise an operation is missing, or goes to another place than the document says."""
    found = {name: f"{operation.verb} {operation.path}" for name, operation in OPERATIONS.items()}
    assert found == {name: place for name, (place, _) in CRMTOP.items()}
    assert len(found) == 90
    for operation in OPERATIONS.values():
        assert operation.group
        assert operation.confirmed
        assert not operation.probe or not OPERATIONS[operation.probe].changes


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_changes_something_is_known_to(name: str) -> None:
    """Otherwise an unclear outcome of a change is taken for a read that may simply be repeated."""
    operation = OPERATIONS[name]
    assert operation.changes != name.endswith(READS)
    assert operation.repeatable == name.endswith(AGAIN)


def test_a_lead_is_not_converted_twice() -> None:
    """Otherwise a lost answer leaves two customers of one lead, for the vendor tells neither's id."""
    convert = OPERATIONS["lead_convert"]
    assert (convert.verb, convert.changes, convert.repeatable) == ("GET", True, False)


def test_every_operation_can_be_called(account: Account) -> None:
    """Otherwise `relay call` offers what fails at the first use."""
    account.make()
    last = [name for name in CRMTOP if name.endswith("_delete")]
    for name in [*(name for name in CRMTOP if name not in last), *reversed(last)]:
        answer = account.call(name)
        assert answer or answer == [], name
        if OPERATIONS[name].paging:
            assert list(account.api.each(name, checked(name, account.known(CRMTOP[name][1])))) is not None


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if one.request])
def test_a_wrong_type_is_refused_before_the_call_and_named(name: str) -> None:
    """Otherwise a slip of the hand reaches the vendor, which takes it or answers something unclear."""
    request = OPERATIONS[name].request
    assert request is not None
    schema = instance(request)
    # No document tells what these two hold.
    for field in set(schema.fields) - {"maktReports"}:
        assert field in schema.validate({field: WRONG}), f"{field} takes anything"
    with pytest.raises(ValidationError) as caught:
        schema.load({"no_such_field": 1})
    assert "no_such_field" in caught.value.messages_dict


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Named("ticket_types", "bảo hành", "values.ticket_type"), 203),
        (
            Named("customer_groups", "Khách sỉ", "values.customer_group"),
            "c3c3c3c3-0000-4000-8000-000000000002",
        ),
    ],
)
def test_a_name_in_relay_toml_becomes_the_vendors_id(account: Account, wanted: Named, found: Any) -> None:
    """Otherwise the operator has to look for numbers that the CRM's own pages do not show."""
    assert account.api.named(wanted) == found
