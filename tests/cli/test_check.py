"""`relay check`: what will go wrong as things stand, and, online, whether the CRMs are there and know our names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.commands import Command, OpenTicket, RecordOrder, RegisterLead
from mappings.errors import ValueMissing
from mappings.sources import SOURCES
from mappings.vendor import Account, CheckedValues, Named, Plan
from relay.check_offline import commands_of, warnings
from relay.check_online import cheapest_read, check_online
from tests.cli.conftest import Change, Crm, Relay
from tests.engine.harness import ROOT
from worker.settings import Route, Settings
from worker.settings.configuration import load
from worker.vendors import VENDORS
from worker.vendors.vendor import Reference

PRODUCTS = {"products": Reference("products_get_products", always={"profile_id": 1})}


def centia_with(settings: Settings, **values: Any) -> Settings:
    """Return `settings` with one connection, which has these values alone."""
    centia = replace(settings.connections["centia"], account=Account("centia", CheckedValues(values)))
    return replace(settings, connections={"centia": centia})


def routed(environ: dict[str, str], source: str, *to: str) -> Settings:
    """Return the settings with one route."""
    return replace(load(environ), routes=(Route(source, to, None),))


def needy(ticket: Any, account: Account) -> Plan:
    raise ValueMissing("values.priority", "the vendor demands it as ticket.priority")


def test_a_configuration_that_fits_its_crms_passes(relay: Relay, crm: Crm) -> None:
    """Otherwise nobody trusts the check."""
    done = relay("check", "--online")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith("routes, no faults\n")
    told = done.stderr.splitlines()
    for connection in ("opla (oplacrm)", "centia (centiacrm)"):
        assert any(line.startswith(f"{connection}: reached, credentials accepted") for line in told)
    assert not any(VENDORS[vendor].operations[name].changes for vendor, name in called(crm))


def called(crm: Crm) -> list[tuple[str, str]]:
    requests = crm.control.get("/requests").json()["requests"]
    return [(request["vendor"], request["operation"]) for request in requests]


def test_offline_calls_nobody(relay: Relay, crm: Crm) -> None:
    """Otherwise a check on a machine without a network fails."""
    assert relay("check").exit_code == 0
    assert crm.calls() == []


def test_all_faults_of_all_connections_come_at_once(relay: Relay) -> None:
    """Otherwise the operator mends one password per try."""
    done = relay("check", "--online", OPLA_TOKEN="wrong-token-1", CENTIA_PASSWORD="wrong-password-1")
    assert (done.exit_code, done.stdout) == (1, "")
    faults = [line for line in done.stderr.splitlines() if line.startswith("relay: ")]
    assert len(faults) == 2
    assert any(": connections.opla: CredentialsRefused: " in fault for fault in faults)
    assert any(": connections.centia: CredentialsRefused: " in fault for fault in faults)
    assert "wrong-token-1" not in done.stderr
    assert "wrong-password-1" not in done.stderr
    assert "opla (oplacrm): 1 fault" in done.stderr.splitlines()


def test_a_crm_that_is_away_is_a_fault_of_its_connection(relay: Relay) -> None:
    """Otherwise a wrong address is found by the first event."""
    done = relay("check", "--online", RELAY_SANDBOX_URL="http://127.0.0.1:1")
    assert done.exit_code == 1
    assert ": connections.opla: Unreachable: not sent: " in done.stderr


def test_names_are_looked_up_in_the_crms_own_lists(
    relay: Relay, environ: dict[str, str], registry: Change
) -> None:
    """Otherwise a stage with a typing error in its name is found by the first order."""
    for sku in ("Lamp", "Chair"):
        body = {"profile_id": 1, "name": sku, "value": 1, "sku": sku}
        made = relay("call", "centia", "products_create_product", "--yes", "--json", json.dumps(body))
        assert made.exit_code == 0, made.stderr
    registry("centiacrm", lists=PRODUCTS)
    values = {
        "main": Named("products", "lamp", "values.main"),
        "others": {"paid": [Named("products", "Chiar", "values.others")]},
        "third": Named("products", "Table", "values.third"),
    }
    told: list[str] = []
    faults = check_online(centia_with(load(environ), **values), told.append)
    assert [str(fault).partition("relay.toml: ")[2] for fault in faults] == [
        (
            "connections.centia.values.others: no 'Chiar' among the vendor's products; there are: "
            "'Lamp', 'Chair'"
        ),
        (
            "connections.centia.values.third: no 'Table' among the vendor's products; there are: "
            "'Lamp', 'Chair'"
        ),
    ]
    assert told == ["centia (centiacrm): 2 faults"]


def test_a_list_that_cannot_be_read_is_told_once(crm: Crm, environ: dict[str, str], registry: Change) -> None:
    """Otherwise one fault of the CRM looks like ten of relay.toml."""
    registry("centiacrm", lists=PRODUCTS)
    crm.fault(vendor="centiacrm", operation="products_get_products", fault="status", status=503)
    values = {name: Named("products", name, f"values.{name}") for name in ("one", "two")}
    (fault,) = check_online(centia_with(load(environ), **values), lambda line: None)
    assert "connections.centia.values.one: VendorDown: " in str(fault)


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_can_be_asked_who_we_are(vendor: str) -> None:
    """Otherwise its credentials are checked by the first event."""
    known = VENDORS[vendor]
    operation = cheapest_read(known)
    assert known.login or known.lists or operation is not None
    assert operation is None or not operation.changes


#: By hand: what each event type asks for.
MAKES = {
    ("form", "submitted"): {RegisterLead},
    ("shopify", "orders/create"): {RecordOrder},
    ("shopify", "customers/create"): {RegisterLead},
    ("postmark", "inbound"): {OpenTicket},
}


def test_each_handler_says_what_it_makes() -> None:
    """Otherwise the warnings about routes are silent where they are needed."""
    for (kind, event), made in MAKES.items():
        assert commands_of(SOURCES[kind].handlers[event]) == made
    for source in SOURCES.values():
        assert all(commands_of(handler) for handler in source.handlers.values()), source.type


def test_a_handler_that_makes_one_or_the_other_is_read_too() -> None:
    """Otherwise a source with several kinds of tickets is never warned about."""

    def any_of_them(event: Any) -> Iterable[Command]:
        return []

    def two_of_them(event: Any) -> Iterable[OpenTicket | RegisterLead]:
        return []

    assert commands_of(any_of_them) == {RegisterLead, RecordOrder, OpenTicket}
    assert commands_of(two_of_them) == {OpenTicket, RegisterLead}


def test_a_route_that_cannot_work_is_warned_about(environ: dict[str, str], registry: Change) -> None:
    """Otherwise every e-mail fails at a CRM that has no tickets, from the first one on."""
    mapping = VENDORS["oplacrm"].mapping
    planners = {kind: planner for kind, planner in mapping.planners.items() if kind is not OpenTicket}
    registry("oplacrm", mapping=replace(mapping, planners=planners))
    settings = routed(environ, "inbox", "opla", "centia")
    (warning,) = warnings(settings)
    assert str(warning) == (
        f"{settings.config_path}: routes[0]: oplacrm has no record that OpenTicket could become: deliveries of "
        "inbound from inbox to opla will fail; leave one out of the route"
    )


def test_a_value_that_only_some_events_need_is_asked_for_early(
    environ: dict[str, str], registry: Change
) -> None:
    """Otherwise the first ticket finds out that relay.toml has no priority for it."""
    mapping = VENDORS["centiacrm"].mapping
    registry("centiacrm", mapping=replace(mapping, planners={**mapping.planners, OpenTicket: needy}))
    settings = routed(environ, "inbox", "centia")
    (warning,) = warnings(settings)
    assert str(warning) == (
        f"{settings.config_path}: connections.centia.values.priority: the vendor demands it as "
        "ticket.priority; until it is set, deliveries of inbound from inbox will fail"
    )


def test_a_field_without_a_place_is_named(environ: dict[str, str]) -> None:
    """Otherwise what a customer typed into a form is dropped, and nobody is told."""
    settings = routed(environ, "website", "centia")
    (warning,) = warnings(settings)
    assert str(warning) == (
        f"{settings.config_path}: sources.website.fields.budget: has no place at centia and will be dropped; where "
        "the CRM has a custom field for it, name that as custom_fields.KIND.budget of the connection"
    )
    both = routed(environ, "website", "opla", "centia")
    assert warnings(both) == [], "one CRM that keeps it is enough"


def test_a_crm_where_a_lost_order_would_stand_open_is_named_with_the_key(environ: dict[str, str]) -> None:
    """Otherwise a cancelled order that the CRM never heard of before counts as money to come."""
    settings = routed(environ, "shop", "opla", "centia", "office", "overplane", "crmtop")
    assert warnings(settings) == []
    for name in ("centia", "crmtop"):
        account = settings.connections[name].account
        values = CheckedValues({**account.values, "stages": {"Cancelled": 1, "paid": 4}})
        bare = replace(settings.connections[name], account=replace(account, values=values))
        (warning,) = warnings(replace(settings, connections={**settings.connections, name: bare}))
        assert str(warning) == (
            f"{settings.config_path}: connections.{name}.values.stages: has no entry for refunded: an order "
            f"from shop that has this status from the start would stay open at {name}, and only its text would say "
            "what became of it; name the CRM's own entry, stages = { refunded = … }"
        )
    leads = routed(environ, "website", "opla", "centia")
    assert not [w for w in warnings(leads) if "stay open" in str(w)], "no order comes this way"


def test_each_connection_that_drops_consent_is_named_with_the_key_that_mends_it(
    environ: dict[str, str],
) -> None:
    """Otherwise a CRM's people write to somebody who never agreed to it, or cannot show that they did."""
    settings = routed(environ, "website", "opla", "centia", "office", "overplane", "crmtop")
    asking = replace(settings.sources["website"], options={"fields": {"consent": "newsletter"}})
    settings = replace(settings, sources={**settings.sources, "website": asking})
    at_centia, at_overplane = warnings(settings)
    assert str(at_centia) == (
        f"{settings.config_path}: connections.centia: has no place for the consent of leads from website and drops "
        "it; set values.notify = true, which writes it into the notification to the owner; no field keeps it"
    )
    assert str(at_overplane) == (
        f"{settings.config_path}: connections.overplane: has no place for the consent of leads from website and "
        'drops it; set values.lead_message = "issue", or a text field of its leads as custom_fields.lead.consent'
    )
    remedies: list[tuple[str, dict[str, Any]]] = [
        ("centia", {"values": {"notify": True}}),
        ("overplane", {"values": {"lead_message": "issue"}}),
        ("overplane", {"custom_fields": {"lead": {"consent": "qualification_status"}}}),
    ]
    for name, remedy in remedies:
        account = settings.connections[name].account
        said: dict[str, Any] = {key: {**getattr(account, key), **value} for key, value in remedy.items()}
        mended = replace(settings.connections[name], account=replace(account, **said))
        known = replace(settings, connections={**settings.connections, name: mended})
        assert not [w for w in warnings(known) if w.where.endswith(name)], remedy


def test_a_source_that_anybody_may_write_into_is_warned_about(environ: dict[str, str]) -> None:
    """Otherwise nobody remembers, a year later, that strangers can fill the CRM."""
    settings = load(environ)
    open_to_all: dict[str, Any] = {"secrets": (), "tokens": (), "unprotected": True}
    shop, inbox = (replace(settings.sources[name], **open_to_all) for name in ("shop", "inbox"))
    website = replace(settings.sources["website"], unprotected=True)
    routes = (Route("shop", ("opla", "centia"), None), Route("inbox", ("opla",), None))
    sources = {"shop": shop, "inbox": inbox, "website": website}
    told = [str(w) for w in warnings(replace(settings, sources=sources, routes=routes))]
    at = f"{settings.config_path}: sources."
    anybody = "lets anybody who learns the address write into"
    assert [line for line in told if "unprotected" in line] == [
        f"{at}shop.unprotected: {anybody} opla, centia; set secret_env or allowed_addresses, and remove it",
        f"{at}inbox.unprotected: {anybody} opla; set token_env or allowed_addresses, and remove it",
        (
            f"{at}website.unprotected: has no effect, since anybody may post to a public form anyway; remove "
            "it, and set what keeps robots out in [sources.website.form]"
        ),
    ]


def test_unprotected_beside_a_secret_is_idle(environ: dict[str, str]) -> None:
    """Otherwise somebody believes that the signature is not asked for any more."""
    settings = load(environ)
    shop = replace(settings.sources["shop"], unprotected=True)
    (warning,) = warnings(replace(settings, sources={"shop": shop}, routes=()))
    assert str(warning).endswith(
        "sources.shop.unprotected: has no effect, since secret, token or address are checked anyway; remove it"
    )


def test_unprotected_of_relay_toml_reaches_the_check(relay: Relay, tmp_path: Path) -> None:
    """Otherwise the warning is never given: it fails nothing, and names the file and the key."""
    text = (ROOT / "relay.toml").read_text("utf-8")
    path = tmp_path / "open.toml"
    path.write_text(text.replace('token_env = "INBOX_TOKEN"', "unprotected = true"), "utf-8")
    done = relay("check", RELAY_CONFIG=str(path))
    assert done.exit_code == 0
    assert f"warning: {path}: sources.inbox.unprotected: lets anybody" in done.stderr


def test_the_example_needs_no_warning(relay: Relay) -> None:
    """Otherwise a newcomer's first check looks as if something were wrong."""
    done = relay("check")
    assert (done.exit_code, done.stderr) == (0, "")


def test_a_path_of_an_operation_that_does_not_exist_is_named(environ: dict[str, str]) -> None:
    """Otherwise a mistyped operation keeps the path that the account does not have, and nobody sees why."""
    settings = load(environ)
    opla = replace(settings.connections["opla"], paths={"lead_crate": "/x"}, verbs={"lead_update": "PUT"})
    (told,) = warnings(replace(settings, connections={**settings.connections, "opla": opla}))
    assert str(told) == (
        f"{settings.config_path}: connections.opla.paths.lead_crate: has no effect: there is no such operation; "
        "`relay operations --vendor oplacrm` lists those that there are"
    )
