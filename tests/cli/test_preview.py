"""`relay preview` on what is more than one event, less than one, or none that is delivered."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Relay
from tests.engine.harness import ROOT, SECRETS_OF_EVERY_SOURCE

EVERY = {**SECRETS_OF_EVERY_SOURCE, "RELAY_CONFIG": str(ROOT / "docs" / "every-source.toml")}
MADE = {"subscriptionType": "contact.creation", "objectId": 77, "portalId": 3, "occurredAt": 1772441000000}
OTHER = {**MADE, "subscriptionType": "deal.creation", "objectId": 78}
CONTACT = {"contact": {"id": "77", "properties": {"firstname": "Lan", "email": "lan@example.com"}}}


@pytest.fixture
def preview(relay: Relay, tmp_path: Path) -> Any:
    def run(content: Any, *options: str) -> Any:
        file = tmp_path / "post.json"
        file.write_text(json.dumps(content), "utf-8")
        done = relay("preview", "--source", "hubspot", "--json", *options, str(file), **EVERY)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_a_post_with_several_events_shows_each(preview: Any) -> None:
    """Otherwise the operator sees "unknown" for what works at the door."""
    first, second = preview([MADE, OTHER])["events"]
    assert (first["event"]["type"], first["event"]["entity"]) == ("contact.creation", "contact-77")
    assert first["fetches"] == [{"name": "contact", "path": "crm/v3/objects/contacts/77"}]
    assert (second["event"]["type"], second["commands"], second["deliveries"]) == ("deal.creation", [], [])
    assert second["ignored"]


def test_what_a_thin_event_lacks_may_be_given(preview: Any, tmp_path: Path) -> None:
    """Otherwise nobody can see what becomes of a thin event before it is in the CRM."""
    (tmp_path / "fetched.json").write_text(json.dumps(CONTACT), "utf-8")
    shown = preview([MADE], "--fetched", str(tmp_path / "fetched.json"))
    (command,) = shown["commands"]
    assert (command["command"], command["person"]["email"]) == ("RegisterLead", "lan@example.com")
    assert [d["connection"] for d in shown["deliveries"]] == ["opla"]


@pytest.mark.parametrize("command", ["preview", "send"])
def test_an_unknown_source_is_answered_with_those_that_exist(
    relay: Relay, tmp_path: Path, command: str
) -> None:
    """Otherwise a typing error sends the operator to the configuration, to look for what it calls the source."""
    (tmp_path / "post.json").write_text("{}", "utf-8")
    done = relay(command, "--source", "websit", str(tmp_path / "post.json"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("relay: there is no source 'websit' in ")
    assert "relay.toml; there are: website, " in done.stderr


def test_a_body_that_its_source_cannot_send_is_a_wrong_input(relay: Relay, tmp_path: Path) -> None:
    """Otherwise it looks as if CRM Relay had failed at a good file."""
    (tmp_path / "post.json").write_text("{", "utf-8")
    done = relay("preview", "--source", "shop", str(tmp_path / "post.json"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"relay: {tmp_path / 'post.json'}: ")


def test_no_receiver_is_no_fault_of_the_input(relay: Relay, tmp_path: Path) -> None:
    """Otherwise a script that tries again only after an exit code of 1 gives a good file up."""
    (tmp_path / "post.json").write_text("{}", "utf-8")
    with socket.socket() as claimed:  # bound and not listening: nobody else gets the port, and nobody answers
        claimed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{claimed.getsockname()[1]}"
        done = relay("send", "--source", "shop", "--url", url, str(tmp_path / "post.json"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"relay: no receiver answers at {url}: ")
