"""Three configured sources, genuine requests of each, and what the ledger holds after them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from mappings.protection import Hmac
from mappings.sources import SOURCES
from tests.conftest import NOON, Clock
from webhooks.app import create_app
from webhooks.forms import Guards
from webhooks.receiver import Receiver
from webhooks.signatures import signed_headers
from worker.app import make_app
from worker.handoff import HandOff
from worker.ledger.database import Database
from worker.ledger.intake import Intake
from worker.ledger.tables import events
from worker.publisher import Publisher
from worker.settings import Settings
from worker.settings.configuration import load

SITE = "https://www.example.com"
SECRETS = {
    "SHOP_SECRET": "shop-secret-of-today",
    "SHOP_SECRET_OLD": "shop-secret-of-last-week",
    "INBOX_TOKEN": "inbox-token-of-today",
    "INBOX_TOKEN_OLD": "inbox-token-of-last-week",
    "LANDING_TOKEN": "landing token & more/ü",
    "OPLA_TOKEN": "opla-token",
}
#: The CRM of all these tests: the door calls none.
CONNECTION = """
[connections.opla]
vendor = "oplacrm"
base_url = "https://api-admin.oplacrm.com/api"
token_env = "OPLA_TOKEN"
[connections.opla.values]
owner = "MNV_001"
lead_status = "New"
lead_source = "Website"
sale_process = "Web shop"
stage = "Ordered"
"""
TOML = f"""
[sources.website]
type = "form"
allowed_origins = ["{SITE}"]
[sources.landing]
type = "form"
token_env = "LANDING_TOKEN"
[sources.shop]
type = "shopify"
secret_env = ["SHOP_SECRET", "SHOP_SECRET_OLD"]
[sources.inbox]
type = "postmark"
token_env = ["INBOX_TOKEN", "INBOX_TOKEN_OLD"]
{CONNECTION}[[routes]]
source = "website"
to = ["opla"]
[[routes]]
source = "shop"
to = ["opla"]
[[routes]]
source = "inbox"
to = ["opla"]
"""


@dataclass(frozen=True)
class Webhook:
    """A request as its sender would make it, signed when it is posted."""

    source: str
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


LEAD = Webhook("website", b"name=Lan+Nguyen&email=lan%40example.com", "application/x-www-form-urlencoded")
ORDER = Webhook(
    "shop",
    json.dumps({"id": 1001, "name": "#1001", "updated_at": "2026-03-02T10:00:00+07:00"}).encode(),
    headers={"X-Shopify-Topic": "orders/create", "X-Shopify-Webhook-Id": "b54557e4"},
)
MAIL = Webhook("inbox", json.dumps({"MessageID": "22c74902", "From": "lan@example.com"}).encode())
GENUINE = (LEAD, ORDER, MAIL)


def configuration(folder: Path, broker_url: str, database_url: str, toml: str = TOML) -> dict[str, str]:
    """Write the relay.toml of these tests into `folder`; return the environment that goes with it."""
    path = folder / "relay.toml"
    path.write_text(toml, "utf-8")
    return {
        **SECRETS,
        "RELAY_CONFIG": str(path),
        "RELAY_VAR": str(folder),
        "RELAY_BROKER_URL": broker_url,
        "RELAY_DATABASE_URL": database_url,
    }


def proof(source: str, body: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and the query with which the sender of `source` proves that it sent `body`."""
    kind = {"website": "", "landing": "form", "shop": "shopify", "inbox": "postmark"}[source]
    if not kind:
        return {}, {}
    for scheme in SOURCES[kind].signatures[:1]:
        assert isinstance(scheme, Hmac)
        return signed_headers(scheme, SECRETS["SHOP_SECRET"], body, NOON), {}
    return {}, {"token": SECRETS[f"{source.upper()}_TOKEN"]}


class Kept(HandOff):
    """A hand-off that keeps what it is given, so that a test can look at it."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []

    def give(self, deliveries: Sequence[tuple[str, str]]) -> None:
        """Keep `deliveries`; nothing is published."""
        self.given += deliveries


@dataclass(frozen=True)
class Door:
    """The web application over a real ledger."""

    client: FlaskClient
    settings: Settings
    db: Database
    hand_off: Kept

    def post(self, webhook: Webhook, **changed: Any) -> TestResponse:
        """Post `webhook` with its proof; `headers` and `query` are added, `data` replaces the signed body."""
        headers, query = proof(webhook.source, webhook.body)
        headers = {**webhook.headers, **headers, **changed.pop("headers", {})}
        asked = changed.pop("query", None)
        body: bytes = changed.pop("data", webhook.body)
        return self.client.post(
            f"/webhooks/{webhook.source}",
            query_string=urlencode(query) if asked is None else asked,
            content_type=changed.pop("content_type", webhook.content_type),
            headers=headers,
            input_stream=io.BytesIO(body),  # not `data`, out of which the client makes a form of its own
            content_length=len(body),
            **changed,
        )

    def events(self) -> list[dict[str, Any]]:
        """Return all that is stored, oldest first."""
        with self.db.read() as c:
            return [dict(row._mapping) for row in c.execute(select(events).order_by(events.c.id))]

    def count(self) -> int:
        """Return how many events are stored."""
        with self.db.read() as c:
            return int(c.execute(select(func.count()).select_from(events)).scalar_one())


def open_door(
    folder: Path, db: Database, clock: Clock, toml: str = TOML, guards: Guards | None = None
) -> Door:
    """Return the door over `db`; its broker is not there."""
    settings = load(configuration(folder, f"redis+socket://{folder / 'no.sock'}", "sqlite://", toml))
    kept = Kept()
    receiver = Receiver(settings, db, Intake(db), kept, clock, guards or Guards())
    app = create_app(receiver, Publisher(make_app(settings), settings.connections))
    return Door(app.test_client(), settings, db, kept)


def refused(door: Door, answer: TestResponse, status: int, *words: str) -> None:
    """Assert that `answer` refuses with `status`, says each of `words`, and that nothing is stored."""
    assert (answer.status_code, answer.json["status"] if answer.json else None) == (status, "refused")
    for word in words:
        assert word in str(answer.json)
    assert door.events() == []
    assert door.hand_off.given == []
