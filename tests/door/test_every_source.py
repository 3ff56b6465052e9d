"""All sources at the real door, set up as in docs/every-source.toml: who is let in, and what a CRM is told."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mappings.commands import as_json
from mappings.sources import SOURCES
from tests.conftest import NOON, Clock
from tests.door.door_requests import Kept
from tests.door.every_sender import BODIES, SAMPLES, Request, altered, beside, configured, covered, genuine
from webhooks.app import create_app
from webhooks.forms import Guards
from webhooks.receiver import Receiver
from worker.app import make_app
from worker.ledger.database import Database
from worker.ledger.intake import Intake
from worker.ledger.stored_event import event_of
from worker.ledger.tables import deliveries, events
from worker.planning import commands
from worker.publisher import Publisher
from worker.settings import Settings

#: Places of a body that are altered through the door: the first, the last, and so many between.
PLACES = 8
each_fixture = pytest.mark.parametrize("body", BODIES, ids=lambda p: f"{p.parent.name}/{p.stem}")


@pytest.fixture(scope="module")
def ledger(empty_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One ledger for all of these tests, each of which empties it."""
    db = Database(f"sqlite:///{shutil.copy(empty_ledger, tmp_path_factory.mktemp('every'))}")
    yield db
    db.close()


@dataclass
class Sender:
    """The sender of one fixture, at a door that knows no other."""

    kind: str
    settings: Settings
    db: Database
    request: Request

    def __post_init__(self) -> None:
        self.hand_off = Kept()
        receiver = Receiver(self.settings, self.db, Intake(self.db), self.hand_off, Clock(), Guards())
        publisher = Publisher(make_app(self.settings), self.settings.connections)
        self.client = create_app(receiver, publisher).test_client()

    def post(self, body: bytes | None = None, token: str | None = None, **headers: str) -> int:
        """Post the request, changed if anything is given; return the status."""
        raw = self.request.body if body is None else body
        given = {**self.request.headers, **headers}
        told = self.request.token if token is None else token
        answer = self.client.post(
            f"/webhooks/{self.kind}",
            query_string={"token": told} if told else {},
            content_type=given.pop("content-type"),
            headers=given,
            input_stream=io.BytesIO(raw),
            content_length=len(raw),
        )
        return answer.status_code

    def stored(self) -> list[dict[str, Any]]:
        """Return what the ledger holds."""
        with self.db.read() as c:
            return [dict(row._mapping) for row in c.execute(select(events))]


@pytest.fixture
def sender(body: Path, ledger: Database) -> Iterator[Sender]:
    """The sender of the fixture `body`."""
    settings = configured(body)
    kind = body.parent.name
    yield Sender(kind, settings, ledger, genuine(body, settings.sources[kind]))
    with ledger.write() as c:
        c.execute(deliveries.delete())
        c.execute(events.delete())


@each_fixture
def test_what_a_sender_says_reaches_the_crm_as_its_documents_mean_it(sender: Sender, body: Path) -> None:
    """From the bytes on the wire to the commands: what is stored is enough for them, and maps alike each time."""
    assert sender.post() == 200
    (row,) = sender.stored()
    assert row["body"] == sender.request.body
    fetched = json.dumps(beside(body, "fetched"), default=str)
    event = replace(event_of(sender.db, row["id"]), id="event-1", fetched=fetched)
    seen = [as_json(command) for command in commands(sender.settings, event)]
    assert seen == [as_json(command) for command in commands(sender.settings, event)]
    for command in seen:
        if command["command"] != "RecordOrder":
            assert command["attributes"].pop("received_at") == NOON.isoformat(timespec="seconds")
    assert seen == beside(body, "commands")


@each_fixture
def test_a_request_that_was_altered_on_its_way_is_refused(sender: Sender) -> None:
    """Otherwise what somebody changed on its way is let in.

    A few places of every body here; all of them, of a body of each source, in the test below.
    """
    source = sender.settings.sources[sender.kind]
    for stretch in covered(source, sender.request):
        step = max(1, len(stretch) // PLACES)
        for place in {*stretch[::step], stretch[-1]}:
            assert sender.post(altered(sender.request.body, place)) == 401, place
    assert sender.stored() == []


@pytest.mark.parametrize(
    "body",
    [
        min(
            (b for b in BODIES if b.parent.name == kind),
            key=lambda b: b.stat().st_size,
            default=SAMPLES / kind,
        )
        for kind in SOURCES
    ],
    ids=SOURCES,
)
def test_every_byte_of_the_proof_counts(sender: Sender) -> None:
    """Otherwise a proof may be wrong in one byte.

    Each byte of the body that is covered, of the digest and of the token; and nothing at all.
    """
    source = sender.settings.sources[sender.kind]
    is_protected = source.secrets or source.tokens or source.addresses
    assert is_protected or SOURCES[sender.kind].is_public
    for stretch in covered(source, sender.request):
        for place in stretch:
            assert sender.post(altered(sender.request.body, place)) == 401, place
    proofs = [s.header for s in source.signatures if hasattr(s, "header") and source.secrets]
    for name in (name for name in proofs if name in sender.request.headers):
        value = sender.request.headers[name].encode()
        for place in range(len(value)):
            assert sender.post(None, None, **{name: altered(value, place).decode()}) == 401, (name, place)
        assert sender.post(None, None, **{name: ""}) == 401
    for place in range(len(sender.request.token)):
        assert sender.post(token=altered(sender.request.token.encode(), place).decode()) == 401
    if sender.request.token:
        assert sender.post(token="") == 401
    assert sender.stored() == []
