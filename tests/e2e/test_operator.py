"""What an operator does: look before, find a delivery, see why it failed, release it, against CRMs of one's own."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from sandbox.server import running
from tests.conftest import wait_for
from tests.e2e.running import AT_MOST, EXAMPLE, PER_LEAD, RELAY, ROOT, Up, environ, relay_up

FIXTURES = ROOT / "tests" / "fixtures" / "sources"
CREDENTIALS = {c.vendor: dict(c.secrets) for c in EXAMPLE.connections.values()}


def relay(env: dict[str, str], *arguments: str) -> Any:
    """Run a command and return the JSON that it prints."""
    argv = [*RELAY, *arguments, "--env-file", str(ROOT / "demo.env")]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=AT_MOST)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def own_configuration(folder: Path, crm: str) -> str:
    """Write the example configuration with all CRMs at the address `crm`; return its path."""
    text = (ROOT / "relay.toml").read_text("utf-8")
    for connection in EXAMPLE.connections.values():
        path = connection.base_url.partition("://")[2].partition("/")[2]
        text = text.replace(connection.base_url, f"{crm}/{connection.vendor}/{path}".rstrip("/"))
    own = folder / "own.toml"
    own.write_text(text, "utf-8")
    return str(own)


def test_a_preview_shows_what_would_be_sent_and_sends_nothing(tmp_path: Path) -> None:
    """If this fails, nobody can see what a mapping does before it is done to the CRM."""
    order = min(p for p in FIXTURES.glob("shopify/orders__create__*.json") if p.name.count(".") == 1)
    found = relay(
        environ(tmp_path), "preview", "--source", "shop", "--event", "orders/create", "--json", str(order)
    )
    assert found["event"]["type"] == "orders/create"
    assert [command["command"] for command in found["commands"]] == ["RecordOrder"]
    sent = {one["connection"]: one for one in found["deliveries"]}
    opla, centia = sent["opla"], sent["centia"]
    assert opla["requests"][-1]["operation"] == "opportunity_create"
    assert centia["requests"][-1]["operation"] == "opportunities_create_opportunity"
    assert centia["requests"][-1]["body"]["value"] == float(found["commands"][0]["total"])
    assert {row["outcome"] for row in opla["fields"]} <= {
        "mapped",
        "converted",
        "defaulted",
        "cut",
        "dropped",
    }
    assert not (tmp_path / "var").exists()


def test_own_crms_instead_of_the_sandbox(tmp_path: Path) -> None:
    """If this fails, CRM Relay works in the demo and nowhere else."""
    with running(CREDENTIALS) as crm:
        config = own_configuration(tmp_path, crm.url)
        with relay_up(tmp_path, "--no-sandbox", RELAY_CONFIG=config) as up:
            assert up.said("(Sandbox)") is None
            up.post("website", data={"name": "Lan", "email": "lan@example.com"})
            wait_for(lambda: up.states() == {"delivered": PER_LEAD}, AT_MOST, "all deliveries")
            assert len(crm.store.everything("oplacrm", "lead")) == 1
            assert len(crm.store.everything("centiacrm", "opportunity")) == 1


def test_a_limit_of_requests_holds_for_all_workers_together(tmp_path: Path) -> None:
    """If this fails, two workers call a CRM twice as often as it allows, and it locks the account."""
    with running(CREDENTIALS) as crm:
        config = Path(own_configuration(tmp_path, crm.url))
        text = config.read_text("utf-8").replace(
            'vendor = "oplacrm"', 'vendor = "oplacrm"\nrequests_per_second = 10'
        )
        config.write_text(text, "utf-8")
        with relay_up(tmp_path, "--no-sandbox", RELAY_CONFIG=str(config)) as up:
            began = time.monotonic()
            for number in range(60):
                up.post("website", data={"name": f"Lead {number}", "email": f"lead{number}@example.com"})
            wait_for(lambda: up.states() == {"delivered": 60 * PER_LEAD}, 2 * AT_MOST, "all deliveries")
            took = time.monotonic() - began
            assert len(crm.store.everything("oplacrm", "lead")) == 60
            assert 60 / took <= 10 * 1.3, f"60 requests in {took:.1f} s"
            opla, centia = calls(crm.url, "oplacrm"), calls(crm.url, "centiacrm")
            # Of a slow machine the CRM without a limit knows as well; while it stands still nobody calls.
            late = [one for one in opla if one > centia[-1]]
            gaps = [min(after - before, timedelta(seconds=1)) for before, after in pairwise(late)]
            assert sum(gaps, timedelta()) < timedelta(seconds=20), "the limit is far from used"


def calls(crm: str, vendor: str) -> list[datetime]:
    asked = httpx.get(f"{crm}/_sandbox/requests", params={"vendor": vendor}, timeout=AT_MOST, trust_env=False)
    return [datetime.fromisoformat(request["at"]) for request in asked.json()["requests"]]


def test_a_refused_delivery_is_found_understood_and_released(tmp_path: Path) -> None:
    """If this fails, an operator knows neither where a lead is nor how to get it on its way."""
    wrong = {"CENTIA_PASSWORD": "demo-centia-password", "OPLA_TOKEN": "demo-opla-token"}
    with running(CREDENTIALS) as crm:
        config = Path(own_configuration(tmp_path, crm.url))
        config.write_text(config.read_text("utf-8").replace("contact_origin = 111", "contact_origin = 999"))
        with relay_up(tmp_path, "--no-sandbox", RELAY_CONFIG=str(config), **wrong) as up:
            up.post("website", data={"name": "Lan", "email": "lan@example.com"})
            wait_for(lambda: up.states() == {"delivered": PER_LEAD - 1, "failed": 1}, AT_MOST, "one refusal")
            env = dict(up.env)
            (row,) = relay(env, "deliveries", "--state", "failed", "--json")
            shown = relay(env, "deliveries", row["id"], "--json")
            assert (shown["connection"], shown["error"]) == ("centia", "Rejected")
            assert "origin" in shown["reason"]
            assert [step["kind"] for step in shown["steps"]] == ["company"]  # what was done stays done
            assert shown["history"][0]["outcome"] == "failed"
        config.write_text(config.read_text("utf-8").replace("contact_origin = 999", "contact_origin = 111"))
        with relay_up(tmp_path, "--no-sandbox", RELAY_CONFIG=str(config)) as up:
            assert released(up, row["id"]) == "1 of 1 released\n"
            wait_for(lambda: up.states() == {"delivered": PER_LEAD}, AT_MOST, "the released delivery")
            assert len(crm.store.everything("centiacrm", "company")) == 1


def released(up: Up, delivery_id: str) -> Any:
    return relay(dict(up.env), "replay", "--yes", delivery_id)
