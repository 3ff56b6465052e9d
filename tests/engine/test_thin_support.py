"""What help desks leave out of their events is asked for in their own way, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mappings.source import Event
from mappings.sources import SOURCES
from tests.engine.harness import ENVIRON, ROOT, SECRETS_OF_EVERY_SOURCE
from worker.http import Answer, Request
from worker.senders import enrich
from worker.settings.configuration import load

SETTINGS = load(
    {**ENVIRON, **SECRETS_OF_EVERY_SOURCE, "RELAY_CONFIG": str(ROOT / "docs" / "every-source.toml")}
)
CRISP = {"event": "message:send", "data": {"website_id": "w-1", "session_id": "session_1"}}
ZENDESK = {"type": "zen:event-type:ticket.created", "detail": {"id": "35", "requester_id": "90"}}


class Api:
    """Stands for the interface of a sender: keeps what it was asked, answers an empty object."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def send(self, request: Request, seconds: float) -> Answer:
        self.asked.append(request)
        return Answer(200, {}, b"{}")


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is kept with the events, instead of in a ledger."""
    found: list[Any] = []
    monkeypatch.setattr(enrich, "keep_fetched", lambda db, event, written: found.append(json.loads(written)))
    return found


def asked(source: str, type_: str, payload: Any, **changed: Any) -> list[Request]:
    """Fetch what the event lacks; return what was asked for it."""
    known = replace(SETTINGS.sources[source], **changed)
    api: Any = Api()
    enrich.fetch(api, None, SOURCES[known.type], known, Event(source, "e1", type_, payload, {}))  # type: ignore[arg-type]
    return list(api.asked)


def test_crisp_is_told_the_tier_of_the_token(kept: list[Any]) -> None:
    """Otherwise Crisp refuses the token, and no conversation ever comes in."""
    first, second = asked("chat", "message:send", CRISP)
    assert first.url == "https://api.crisp.chat/v1/website/w-1/conversation/session_1"
    assert second.url == f"{first.url}/messages"
    assert first.headers["x-crisp-tier"] == "plugin"
    assert first.headers["authorization"] == "Basic secret-of-CRISP_API_TOKEN"
    assert kept == [{"conversation": {}, "messages": {}}]


def test_zendesk_is_asked_at_the_subdomain_of_the_account(kept: list[Any]) -> None:
    """Otherwise the token of one account is shown to another one."""
    first, second = asked("zendesk", "ticket.created", ZENDESK)
    assert first.url == "https://example.zendesk.com/api/v2/users/90.json"
    assert second.url == "https://example.zendesk.com/api/v2/tickets/35/comments.json"
    assert second.query["sort_order"] == "desc"
    assert kept == [{"requester": {}, "comments": {}}]


def test_what_is_whole_or_has_no_token_is_not_fetched(kept: list[Any]) -> None:
    """Otherwise a help desk that needs no token cannot be used without one."""
    assert asked("zendesk", "trigger", {"ticket_id": "1"}) == []
    assert asked("zendesk", "ticket.created", ZENDESK, api_url="", api_token="") == []
    assert kept == []
