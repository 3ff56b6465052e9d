"""Thin events of shops: what is asked for at the shop's interface, and when nothing is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mappings.source import Event
from mappings.sources import SOURCES
from tests.engine.harness import ENVIRON, ROOT, SECRETS_OF_EVERY_SOURCE
from worker.http import Answer, Http, Request
from worker.senders import enrich
from worker.senders.enrich import fetch
from worker.settings import SourceSettings
from worker.settings.configuration import load

EXAMPLE = {**ENVIRON, **SECRETS_OF_EVERY_SOURCE, "RELAY_CONFIG": str(ROOT / "docs" / "every-source.toml")}


class Shop(Http):
    """A shop's interface that answers everything with one order and notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Request] = []

    def send(self, request: Request, seconds: float) -> Answer:
        """Answer with order 7."""
        self.asked.append(request)
        return Answer(200, {}, b'{"order": {"id": 7, "total": 1.10}}')


def fetched(monkeypatch: pytest.MonkeyPatch, known: SourceSettings, event: Event) -> tuple[Shop, Any]:
    kept: list[str] = []
    monkeypatch.setattr(enrich, "keep_fetched", lambda db, event_id, written: kept.append(written))
    shop = Shop()
    found = fetch(shop, None, SOURCES[known.type], known, event)  # type: ignore[arg-type]
    assert kept == ([found] if found else [])
    return shop, found


@pytest.mark.parametrize(
    ("source", "topic", "payload", "address", "header"),
    [
        (
            "shop",
            "refunds/create",
            {"order_id": 7},
            "example.myshopify.com/admin/api/2026-01/orders/7.json",
            "",
        ),
        ("haravan", "refunds/create", {"order_id": 7}, "apis.haravan.com/com/orders/7.json", "Bearer "),
        ("sapo", "refunds/create", {"order_id": 7}, "example.mysapo.net/admin/orders/7.json", ""),
        ("woo", "order.deleted", {"id": 7}, "shop.example.com/wp-json/wc/v3/orders/7", "Basic "),
    ],
)
def test_an_order_is_fetched_where_and_as_its_shop_wants_it(
    monkeypatch: pytest.MonkeyPatch, source: str, topic: str, payload: Any, address: str, header: str
) -> None:
    """Otherwise a refund waits for ever behind a 401 or a 404 of the shop."""
    known = load(EXAMPLE).sources[source]
    api = SOURCES[known.type].api
    assert api is not None
    shop, found = fetched(monkeypatch, known, Event(source, "e1", topic, payload, {}))
    (asked,) = shop.asked
    assert (asked.verb, asked.url) == ("GET", f"https://{address}")
    assert (asked.headers or {})[api.header] == header + known.api_token
    assert json.loads(found)["order"] == {"order": {"id": 7, "total": 1.1}}
    assert "1.10" in found


def test_a_shop_without_a_token_for_its_interface_is_asked_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise nobody could connect a shop without making a token for events that he does not subscribe to."""
    text = (ROOT / "docs" / "every-source.toml").read_text("utf-8")
    stanza = text[text.index("[sources.shop]") :].partition("[[routes]]")[0]
    bare_one = [line for line in stanza.splitlines() if not line.startswith(("api_token_env", "shop ="))]
    kept = text.replace(stanza, "\n".join(bare_one) + "\n").splitlines()
    path = tmp_path / "relay.toml"
    path.write_text("\n".join(kept), "utf-8")
    bare = load({**EXAMPLE, "RELAY_CONFIG": str(path)}).sources["shop"]
    shop, found = fetched(monkeypatch, bare, Event("shop", "e1", "refunds/create", {"order_id": 7}, {}))
    assert (shop.asked, found) == ([], None)


def test_a_whole_order_is_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise every order costs a call at the shop, and waits while the shop is away."""
    known = load(EXAMPLE).sources["shop"]
    shop, found = fetched(monkeypatch, known, Event("shop", "e1", "orders/create", {"id": 7}, {}))
    assert (shop.asked, found) == ([], None)
