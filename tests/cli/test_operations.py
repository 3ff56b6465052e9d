"""`relay operations` and `relay capabilities`: what the registry holds, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from marshmallow import Schema, fields, validate

from mappings.commands import OpenTicket, RecordOrder
from mappings.errors import ValueMissing
from mappings.vendor import Account, Plan, Record
from mappings.writing.shape import shape
from tests.cli.conftest import Change, Relay
from worker.vendors import VENDORS
from worker.vendors.vendor import Operation

KEYS = "vendor group operation verb path method changes repeatable probe confirmed unclear request kind protection"
NOWHERE = {"RELAY_CONFIG": "/nowhere/relay.toml"}


def rows_of(relay: Relay, *arguments: str) -> list[dict[str, Any]]:
    done = relay("operations", "--json", *arguments, **NOWHERE)
    assert (done.exit_code, done.stderr) == (0, "")
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_every_operation_of_every_vendor_is_complete(relay: Relay) -> None:
    """Otherwise the registry has holes that show at the first call."""
    rows = rows_of(relay)
    assert {row["vendor"] for row in rows} == set(VENDORS)
    assert len(rows) == sum(len(vendor.operations) for vendor in VENDORS.values())
    names = {(row["vendor"], row["operation"]) for row in rows}
    assert len(names) == len(rows)
    for row in rows:
        assert list(row) == KEYS.split()
        assert row["verb"] in ("GET", "POST", "PUT", "PATCH", "DELETE"), row
        assert row["path"].startswith("/") or row["method"], row
        assert row["operation"], row
        assert row["group"] or row["request"] is None, row
        assert not row["probe"] or (row["vendor"], row["probe"]) in names, row
        assert row["repeatable"] or row["changes"], "what only reads may be repeated"
        assert (row["kind"] is None) == (row["protection"] is None)
        assert row["kind"] is None or row["changes"]
        assert row["unclear"] == "" or f"set paths.{row['operation']}" in row["unclear"]
        assert row["request"] is None or all(
            set(field) >= {"type", "required"} for field in row["request"].values()
        )


def test_the_list_can_be_narrowed(relay: Relay) -> None:
    """Otherwise one looks through hundreds of lines for the few that change something."""
    rows = rows_of(relay, "--vendor", "oplacrm", "--changes-only")
    assert {(row["vendor"], row["changes"]) for row in rows} == {("oplacrm", True)}
    names = {row["operation"] for row in rows}
    assert "lead_create" in names
    assert "lead_list" not in names
    unknown = relay("operations", "--vendor", "saleforce")
    assert unknown.exit_code == 2
    assert "'centiacrm'" in unknown.stderr


def test_what_makes_a_record_says_what_keeps_it_single(relay: Relay) -> None:
    """Otherwise nobody knows whether a call by hand can make a second record."""
    (row,) = rows_of(relay, "--vendor", "oplacrm", "lead_create")
    assert (row["kind"], row["protection"]) == ("lead", "our key as external_id, looked up by it")
    assert row["repeatable"] is False
    (upsert,) = rows_of(relay, "--vendor", "oplacrm", "product_upsert")
    assert upsert["repeatable"] is True


ADDRESS = shape("Address", text="street", required="street")
LEAD = shape(
    "Lead",
    required="name lines",
    blank="note",
    text="name",
    number="value",
    uuid="owner_id",
    texts="tags",
    inside={"address": ADDRESS},
    many={"lines": ADDRESS},
    one_of={"channel": ("web", "phone")},
)


def test_an_input_is_described_field_by_field(relay: Relay, registry: Change) -> None:
    """Otherwise an operator needs the vendor's document beside the terminal."""
    update = Operation("opportunity_update", "PUT", "/public/opportunities/{id}", request=LEAD, changes=True)
    registry("oplacrm", replace(update, probe="lead_list", unclear="nobody knows"))
    (row,) = rows_of(relay, "--vendor", "oplacrm", "opportunity_update")
    street = {"street": {"type": "text", "required": True}}
    assert row["request"] == {
        "id": {"type": "text", "required": True},
        "name": {"type": "text", "required": True},
        "value": {"type": "number", "required": False},
        "owner_id": {"type": "UUID", "required": False},
        "tags": {"type": "list of text", "required": False},
        "note": {"type": "text", "required": False, "default": ""},
        "channel": {"type": "one of: web, phone", "required": False},
        "address": {"type": "object", "required": False, "fields": street},
        "lines": {"type": "list of object", "required": True, "fields": street},
    }
    text = relay("operations", "--vendor", "oplacrm", "opportunity_update", **NOWHERE).stdout
    assert text == (
        "oplacrm opportunity_update\n"
        "  call      PUT /public/opportunities/{id}\n"
        "  effect    changes what the CRM holds\n"
        "  repeat    may do it twice\n"
        "  probe     lead_list\n"
        "  path      not stated; see paths in the README\n"
        "  unclear   nobody knows; set paths.opportunity_update (and verbs.opportunity_update) of the connection\n"
        "  input     (* is required)\n"
        "    id*: text\n"
        "    name*: text\n"
        "    value: number\n"
        "    owner_id: UUID\n"
        "    tags: list of text\n"
        "    note: text; where nothing is known, '' is wanted\n"
        "    channel: one of: web, phone\n"
        "    address: object\n"
        "      street*: text\n"
        "    lines*: list of object\n"
        "      street*: text\n"
    )


def test_the_list_is_a_line_each(relay: Relay) -> None:
    """Otherwise it cannot be read, or searched with grep."""
    done = relay("operations", "--vendor", "oplacrm", **NOWHERE)
    head, *lines, count = done.stdout.splitlines()
    assert head.split() == "vendor group operation call effect repeat confirmed makes".split()
    assert count == f"{len(lines)} operations"
    (lead,) = [line for line in lines if " lead_create " in line]
    assert lead.startswith("oplacrm ")
    assert lead.endswith(" lead")
    assert " POST /public/leads " in lead


def test_an_unknown_operation_is_answered_with_those_that_exist(relay: Relay) -> None:
    """Otherwise a typing error prints an empty list."""
    done = relay("operations", "lead_crate", **NOWHERE)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("relay: there is no operation 'lead_crate' here; there are: lead_create, ")


#: By hand, from docs/vendors.md: the records of each job in the order of their making.
JOBS = {
    ("oplacrm", "lead"): ["lead"],
    ("oplacrm", "order"): ["account", "contact", "product", "opportunity"],
    ("centiacrm", "lead"): ["company", "contact", "opportunity"],
    ("centiacrm", "order"): ["company", "contact", "product", "opportunity"],
    ("centiacrm", "ticket"): ["company", "contact", "ticket"],
}


def test_the_capabilities_are_those_of_the_code(relay: Relay) -> None:
    """Otherwise an operator routes tickets to a CRM that has none, or believes in an update that never comes."""
    rows = json.loads(relay("capabilities", "--json", **NOWHERE).stdout)
    found = {(row["vendor"], row["job"]): row for row in rows}
    assert set(found) == {(vendor, job) for vendor in VENDORS for job in ("lead", "order", "ticket")}
    for place, kinds in JOBS.items():
        assert [record["kind"] for record in found[place]["records"]] == kinds
    for row in rows:
        assert row["possible"] is bool(row["records"]), row
        assert all(record["protection"] for record in row["records"])
    updated = [r["kind"] for r in found["oplacrm", "order"]["records"] if r["updated"]]
    assert updated == ["opportunity"]
    assert not any(r["updated"] for r in found["centiacrm", "order"]["records"])


def table(relay: Relay) -> list[str]:
    done = relay("capabilities", **NOWHERE)
    assert done.exit_code == 0
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_the_capabilities_are_a_table(relay: Relay, registry: Change) -> None:
    """Otherwise people cannot compare the CRMs."""
    mapping = VENDORS["oplacrm"].mapping
    registry("oplacrm", mapping=replace(mapping, planners={RecordOrder: mapping.planners[RecordOrder]}))
    lines = table(relay)
    assert lines[0] == "vendor job records later events needs"
    assert "oplacrm order account → contact → product → opportunity change opportunity" in lines
    assert "oplacrm ticket not possible" in lines
    assert "oplacrm opportunity our key in the name, looked up by reading the list" in lines


class Values(Schema):
    """Values that decide what a ticket becomes."""

    ticket_as = fields.String(validate=validate.OneOf(["lead", "account"]))
    stage = fields.Integer()


def chosen(ticket: Any, account: Account) -> Plan:
    for name in ("ticket_as", "stage"):
        if name not in account.values:
            raise ValueMissing(f"values.{name}", "choose")
    if "text" not in account.custom_fields.get("lead", {}):
        raise ValueMissing("custom_fields.lead.text", "there is no other place for it")
    return Plan((Record(account.values["ticket_as"], ticket.key, {}),), ())


def test_a_choice_in_relay_toml_is_a_row_each(relay: Relay, registry: Change) -> None:
    """Otherwise the table shows one of two ways, and nobody learns what decides."""
    mapping = replace(VENDORS["oplacrm"].mapping, planners={OpenTicket: chosen}, values=Values)
    registry("oplacrm", mapping=mapping)
    assert [line for line in table(relay) if line.startswith("oplacrm ticket")] == [
        "oplacrm ticket lead leave it as it is ticket_as = lead, stage, custom_fields.lead.text",
        "oplacrm ticket account leave it as it is ticket_as = account, stage, custom_fields.lead.text",
    ]
