"""`relay preview` on what is more than one event, less than one, or none that is delivered."""

from __future__ import annotations

import json
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
