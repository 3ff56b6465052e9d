"""A request that holds several events: stored together, known again together, and not without end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from tests.conftest import Clock
from tests.door.test_repeats import door
from webhooks.parts import MOST_EVENTS
from worker.ledger import search
from worker.ledger.database import Database


def change(number: int, property_name: str = "email") -> dict[str, Any]:
    """Return an event of HubSpot's, as its subscriptions bring up to a hundred in one request."""
    return {
        "eventId": number,
        "subscriptionId": 5,
        "portalId": 1,
        "occurredAt": 1795000000000 + number,
        "subscriptionType": "contact.propertyChange",
        "attemptNumber": 0,
        "objectId": 106314056576 + number,
        "propertyName": property_name,
    }


class Sender:
    """HubSpot in front of a door over `db`."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._client, self._db = door("hubspot", db, clock), db

    def post(self, changes: list[dict[str, Any]], status: int = 200) -> list[tuple[str, str]]:
        """Post all in one request; return status and event id of each, in their order."""
        answer = self._client.post(
            "/webhooks/hubspot", data=json.dumps(changes), content_type="application/json"
        )
        assert answer.status_code == status, answer.text
        return [(one["status"], one["event_id"]) for one in answer.json.get("events", [])]

    def stored(self) -> int:
        """Return how many events there are in the ledger."""
        return len(list(search.list_events(self._db, limit=10_000)))


@pytest.fixture
def sender(db: Database, clock: Clock) -> Sender:
    return Sender(db, clock)


def test_a_request_that_is_tried_again_gets_the_same_answers(sender: Sender) -> None:
    """Otherwise a retry doubles the events of its request, or mixes up their answers."""
    changes = [change(number) for number in range(150)]
    first = sender.post(changes)
    assert [status for status, _ in first] == ["accepted"] * 150
    assert len({event_id for _, event_id in first}) == 150
    again = [{**one, "attemptNumber": 1} for one in reversed(changes)]
    assert sender.post(again) == [("duplicate", event_id) for _, event_id in reversed(first)]
    assert sender.stored() == 150


def test_new_events_beside_a_known_one_are_stored(sender: Sender) -> None:
    """Otherwise one event that is known takes the new ones of its request with it."""
    ((_, known),) = sender.post([change(1), change(1)])[:1]
    answers = sender.post([change(2), change(1), change(3), change(3)])
    assert [status for status, _ in answers] == ["accepted", "duplicate", "accepted", "duplicate"]
    assert answers[1][1] == known
    assert answers[3][1] == answers[2][1]
    assert sender.stored() == 3


def test_a_hundred_events_share_a_few_commits(sender: Sender, db: Database) -> None:
    """Otherwise a hundred events cost a hundred commits.

    HubSpot waits five seconds for its answer; on a busy disk a hundred commits took fifteen.
    """
    commits: list[object] = []
    sqlalchemy_event.listen(db.engine, "commit", commits.append)
    changes = [change(number) for number in range(100)]
    sender.post(changes)
    sender.post(changes)
    assert 0 < len(commits) <= 10


def test_a_post_of_too_many_events_is_refused_whole(sender: Sender) -> None:
    """Otherwise one request keeps the ledger busy for minutes."""
    sender.post([change(number) for number in range(MOST_EVENTS + 1)], status=413)
    assert sender.stored() == 0
    assert len(sender.post([change(number) for number in range(MOST_EVENTS)])) == MOST_EVENTS
